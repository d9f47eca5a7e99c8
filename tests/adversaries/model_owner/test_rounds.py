"""A model owner that wants other rounds than those which it is given: more, again, fewer, or other groups."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from freehold.contract import rounds, settlement
from freehold.contract.call import Call
from freehold.contract.effects import Put, Step
from freehold.contract.view import View
from freehold.errors import Refused
from freehold.protocol import actions
from freehold.protocol.assets import TrainCouple, with_changes
from freehold.protocol.identifiers import CoupleId
from tests.adversaries.attack import Attack
from tests.adversaries.careless import refuses_nobody
from tests.market import Market, Round, Training

STARTS_MORE = Attack(
    by="model owner",
    does="lets rounds fail, and starts more than were approved",
    stopped_by="S-8: failed rounds count too, so it never gets more attempts than the approved number",
)
STARTS_AGAIN = Attack(
    by="model owner",
    does="starts a round with another base while one runs, so that masks could meet twice",
    stopped_by="S-9: a round has one base, and none starts while one is open",
)
ENDS_MIDWAY = Attack(
    by="model owner",
    does="ends the training while replicas compute, to have its money back",
    stopped_by="S-14: no training ends while a round is open",
)
SKIPS_GROUPS = Attack(
    by="model owner",
    does="lets rounds fail whose group it does not want",
    stopped_by="S-8: an incomplete round repeats its group, and counts as a round",
)


def is_refused(does: Callable[[], object]) -> str:
    """With which code something is refused, or nothing if it is not."""
    try:
        does()
    except Refused as refused:
        return refused.code
    return ""


def fails(round: Round) -> list[str]:
    """Nobody works in a round; says whose subsets it asked for."""
    ballots = round.ballots
    round.training.market.waits_until_after(ballots[0].record["close_until"])
    return [ballot.record["subset"] for ballot in ballots]


def starts_more(training: Training) -> str:
    """As many failed rounds as were approved, and then one more."""
    for _ in range(training.record["rounds"]):
        fails(training.starts_round())
    return is_refused(training.starts_round)


def starts_again(training: Training) -> str:
    training.starts_round()
    return is_refused(training.starts_round)


def ends_midway(training: Training) -> str:
    training.starts_round()
    return is_refused(training.ends)


def groups_after_failures(training: Training) -> set[tuple[str, ...]]:
    return {tuple(fails(training.starts_round())) for _ in range(4)}


def everybody_is_paid(round: Round) -> bool:
    """Whether all who are in a round work, agree, and earn their price; and all money is somewhere."""
    market = round.training.market
    before = [market.earned(replica) for ballot in round.ballots for replica in ballot.replicas]
    round.is_agreed()
    after = [market.earned(replica) for ballot in round.ballots for replica in ballot.replicas]
    paid = after == [earned + 100 for earned in before]
    return paid and market.money_is_conserved() and not market.records("finding")


@STARTS_MORE.without
def test_where_rounds_are_not_counted_a_model_owner_tries_as_often_as_it_likes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refuses_nobody(monkeypatch, rounds, "rounds-spent")
    training = Market().trains(subsets=2, rounds=2)

    assert starts_more(training) == ""
    assert training.record["round"] == 3


@STARTS_MORE.against
def test_after_as_many_rounds_as_were_approved_there_is_no_further_one() -> None:
    training = Market().trains(subsets=2, rounds=2)

    assert starts_more(training) == "rounds-spent"
    assert training.record["round"] == 2


@STARTS_MORE.unharmed
def test_when_its_rounds_are_spent_it_gets_back_what_nobody_earned_and_may_ask_anew() -> None:
    market = Market()
    training = market.trains(subsets=2, rounds=2)
    brought = training.owner.account + training.record["balance"]
    starts_more(training)

    training.ends()

    assert training.owner.collects() == brought
    again = market.requests(training.datasets[0], owner=training.owner, rounds=1).is_approved()
    assert everybody_is_paid(again.starts_round())


@STARTS_AGAIN.without
def test_where_a_round_need_not_be_over_two_bases_are_asked_of_the_same_replicas(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refuses_nobody(monkeypatch, settlement, "round-open")
    market = Market()
    training = market.trains(subsets=2)

    assert starts_again(training) == ""
    # the replicas of the first round are robbed of it: nothing that they commit to counts any more
    assert len({ballot["base"] for ballot in market.records("ballot")}) == 2
    assert {ballot["state"] for ballot in market.records("ballot", round=1)} == {"void"}


@STARTS_AGAIN.against
def test_while_a_round_runs_there_is_no_second_base() -> None:
    market = Market()

    assert starts_again(market.trains(subsets=2)) == "round-open"
    assert len({ballot["base"] for ballot in market.records("ballot")}) == 1


@STARTS_AGAIN.unharmed
@ENDS_MIDWAY.unharmed
@pytest.mark.parametrize("attacks", [starts_again, ends_midway])
def test_the_running_round_is_finished_and_paid_all_the_same(attacks: Callable[[Training], str]) -> None:
    training = Market().trains(subsets=2)
    attacks(training)

    assert everybody_is_paid(Round(training, 1))
    assert training.starts_round().number == 2


@ENDS_MIDWAY.without
def test_where_a_training_may_end_at_any_time_replicas_work_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    refuses_nobody(monkeypatch, settlement, "round-open")
    training = Market().trains(subsets=2)
    brought = training.owner.account + training.record["balance"]

    assert ends_midway(training) == ""
    assert training.owner.collects() == brought


@ENDS_MIDWAY.against
def test_no_training_ends_while_replicas_compute() -> None:
    training = Market().trains(subsets=2)

    assert ends_midway(training) == "round-open"
    assert training.record["state"] == "training"


@SKIPS_GROUPS.without
def test_where_failed_rounds_turn_too_a_model_owner_sees_every_group_and_may_choose(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def goes_on(call: Call[actions.StartRound], view: View, id: CoupleId) -> list[Step]:
        """A settlement after which the next group trains, whatever came of this one."""
        steps, before = settlement.settle(call, view, id), view.get(TrainCouple, id)
        return [
            Put(id, with_changes(step.record, turn=before.turn + 1))
            if isinstance(step, Put) and isinstance(step.record, TrainCouple)
            else step
            for step in steps
        ]

    monkeypatch.setattr(rounds, "settle", goes_on)
    training = Market().trains(subsets=6, group_min=2)

    assert len(groups_after_failures(training)) == 3


@SKIPS_GROUPS.against
def test_a_failed_round_repeats_its_group_however_often_it_fails() -> None:
    training = Market().trains(subsets=6, group_min=2)

    assert len(groups_after_failures(training)) == 1
    assert training.record["turn"] == 0


@SKIPS_GROUPS.unharmed
def test_after_failed_rounds_whoever_works_is_paid() -> None:
    training = Market().trains(subsets=6, group_min=2)
    for _ in range(3):
        fails(training.starts_round())

    assert everybody_is_paid(training.starts_round())
