"""A model owner that has seen enough, or lets only one replica see anything."""

from __future__ import annotations

from contextlib import suppress

import pytest

from freehold.contract import ballots, settlement
from freehold.errors import Refused
from tests.adversaries.attack import Attack
from tests.adversaries.careless import refuses_nobody
from tests.market import Ballot, Market, Round

ENDS = Attack(
    by="model owner",
    does="ends the training when all have worked and nobody is paid",
    stopped_by="V-3: what a round costs is locked while it runs, and its ballots pay whoever ends what",
)
STARVES = Attack(
    by="model owner",
    does="gives its base to one replica of three, and takes the one result for the price of one",
    stopped_by="S-11: one of three is no majority: nothing is decided, and the holder has nothing to deliver",
)


def worked() -> Round:
    """A round in which everybody has committed."""
    round = Market().trains(subsets=2).starts_round()
    for ballot in round.ballots:
        for replica in ballot.replicas:
            replica.commits()
    return round


def ends_and_counts(round: Round) -> list[int]:
    """The model owner ends the training; then the workers close their ballots. What each has earned."""
    market = round.training.market
    ballots = round.ballots
    with suppress(Refused):
        round.training.ends()
    for ballot in ballots:
        with suppress(Refused):
            ballot.closes_with(b"gradient")
    return [market.earned(replica) for ballot in ballots for replica in ballot.replicas]


@ENDS.without
def test_where_a_running_round_protects_nobody_the_work_of_all_was_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    refuses_nobody(monkeypatch, settlement, "round-open")
    round = worked()

    assert ends_and_counts(round) == [0] * 6
    assert round.training.record["state"] == "ended"


@ENDS.against
def test_a_round_that_runs_is_not_ended_and_its_workers_are_paid() -> None:
    assert ends_and_counts(worked()) == [100] * 6


@ENDS.unharmed
def test_after_its_round_the_model_owner_ends_what_it_likes_and_gets_the_rest_back() -> None:
    round = worked()
    ends_and_counts(round)

    round.training.ends()

    assert round.training.record["state"] == "ended"
    assert round.training.market.money_is_conserved()


def starved(market: Market) -> Ballot:
    """A ballot whose base only the first replica could read: the others have nothing to commit to."""
    ballot = market.trains(subsets=2).starts_round().ballot(subset=0)
    fed = ballot.replicas[0]
    fed.commits()
    market.waits_until_after(ballot.record["close_until"])
    with suppress(Refused):
        ballot.closes_with(b"gradient", by=fed.person)
    return ballot


@STARVES.without
def test_where_the_majority_of_those_who_came_decides_one_result_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    refuses_nobody(monkeypatch, ballots, "no-majority")

    assert starved(Market()).record["state"] == "decided"


@STARVES.against
def test_one_commitment_of_three_decides_nothing() -> None:
    ballot = starved(Market())

    assert ballot.record["state"] != "decided"
    assert all(state != "accepted" for state in ballot.verdicts().values())


@STARVES.unharmed
def test_whoever_was_starved_has_no_finding_and_keeps_its_stake() -> None:
    market = Market()
    ballot = starved(market)

    assert market.records("finding") == []
    assert all(market.record("instance", each["id"])["stake"] == 1_000 for each in market.records("instance"))
    assert len(ballot.replicas) == 3
    assert market.money_is_conserved()
