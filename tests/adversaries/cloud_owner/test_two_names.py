"""A cloud owner that holds two replicas of one subset under two names, and so is its majority."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from freehold.contract import replicas
from freehold.errors import Refused
from tests.adversaries.attack import Attack
from tests.adversaries.careless import refuses_nobody
from tests.market import Ballot, Dataset, Holding, Market, Training

ONE_HANDLE = Attack(
    by="cloud owner",
    does="holds two replicas of a subset under two member names and one handle",
    stopped_by="S-6: a subset gives no two slots to one handle, for which a registrar vouches",
)
TWO_HANDLES = Attack(
    by="cloud owner",
    does="holds two replicas under two handles, in a network without registrar and referee",
    stopped_by="Handles are free there, and a majority of a subset decides. It costs the third one fee a round",
    promised=False,
)
JUDGED = Attack(
    by="cloud owner",
    does="holds two replicas under two handles, where the terms name a referee",
    stopped_by="S-13: the referee executes the job again; both stakes burn, though what was paid stays paid",
)
LAZY = Attack(
    by="cloud owner",
    does="is as lazy as its neighbour: both hand in the base",
    stopped_by="Two lazy ones of three are a majority like any other. A referee who looks burns both stakes",
    promised=False,
)


@dataclass(frozen=True)
class Taken:
    """A training of which somebody tried to hold two of three replicas of subset 0."""

    training: Training
    own: tuple[Holding, Holding]
    honest: Holding

    @property
    def market(self) -> Market:
        return self.training.market

    def lies(self) -> Ballot:
        """A round in which whatever the attacker holds commits to one lie, and everybody else to the right result."""
        round = self.training.starts_round()
        ballot = round.ballot(subset=0)
        attacker = {holding.holder.id for holding in self.own}
        for replica in ballot.replicas:
            replica.commits(b"lie" if replica.id in attacker else b"gradient")
        for result in (b"lie", b"gradient"):
            with suppress(Refused):
                ballot.closes_with(result)
        round.ballot(subset=1).is_agreed()
        return ballot


def verifies(dataset: Dataset, holding: Holding) -> None:
    with suppress(Refused):
        dataset.owner.does("VerifyCI", instance=holding.instance, verdict="verified")


def takes_two(market: Market, *, handle: str | None = None, **terms: Any) -> Taken:
    """Somebody joins twice, under one handle if one is given; the data owner verifies whom the ledger lets it."""
    dataset = market.drafts(subsets=2, **terms)
    admitted: dict[str, Any] = {} if handle is None else {"handle": handle}
    first, second = (
        dataset.is_joined_by(0, market.cloud_owner(funds=dataset.shape["terms"]["stake"], **admitted)) for _ in range(2)
    )
    verifies(dataset, first)
    verifies(dataset, second)
    honest = dataset.is_held_by(0)
    while len(dataset.slots(0)) < 3:
        dataset.is_held_by(0)
    for _ in range(3):
        dataset.is_held_by(1)
    training = market.requests(dataset.is_published()).is_approved()
    return Taken(training, (first, second), honest)


def with_one_handle() -> Taken:
    market = Market(permissioned=True)
    return takes_two(market, handle=market.fresh())


@ONE_HANDLE.without
def test_where_handles_are_not_compared_one_person_out_votes_the_honest_one(monkeypatch: pytest.MonkeyPatch) -> None:
    refuses_nobody(monkeypatch, replicas, "duplicate")

    taken = with_one_handle()
    ballot = taken.lies()

    assert list(ballot.verdicts().values()) == ["accepted", "accepted", "rejected"]
    assert sum(taken.market.earned(holding.holder) for holding in taken.own) == 200


@ONE_HANDLE.against
def test_one_handle_gets_one_slot_and_its_lie_is_out_voted() -> None:
    taken = with_one_handle()
    ballot = taken.lies()

    assert [holding.record["state"] for holding in taken.own] == ["verified", "joined"]
    assert list(ballot.verdicts().values()) == ["rejected", "accepted", "accepted"]
    assert sum(taken.market.earned(holding.holder) for holding in taken.own) == 0


@ONE_HANDLE.unharmed
def test_who_shares_a_subset_with_two_names_is_paid_and_the_spare_name_gets_its_stake_back() -> None:
    taken = with_one_handle()
    taken.lies()
    _, spare = taken.own

    spare.holder.does("RetireCI", instance=spare.instance)

    assert spare.holder.collects() == 1_000
    assert taken.market.earned(taken.honest.holder) == 100
    assert taken.market.records("finding") == []
    assert taken.training.starts_round().number == 2
    assert taken.market.money_is_conserved()


@TWO_HANDLES.without
def test_two_handles_of_one_person_win_a_subset_where_nobody_looks() -> None:
    taken = takes_two(Market(), referee=None, stake=0)

    ballot = taken.lies()

    assert list(ballot.verdicts().values()) == ["accepted", "accepted", "rejected"]
    assert sum(taken.market.earned(holding.holder) for holding in taken.own) == 200


@TWO_HANDLES.unharmed
def test_whom_two_handles_out_vote_loses_the_fee_of_one_job_a_round_and_may_leave() -> None:
    taken = takes_two(Market(), referee=None, stake=0)
    taken.lies()

    taken.honest.holder.does("RetireCI", instance=taken.honest.instance)

    assert taken.market.earned(taken.honest.holder) == 0
    assert taken.market.records("finding") == []
    assert len(taken.training.starts_round().ballot(subset=0).replicas) == 2
    assert taken.market.money_is_conserved()


@JUDGED.without
def test_without_a_referee_a_majority_that_lied_keeps_its_slots_and_has_nothing_to_lose() -> None:
    taken = takes_two(Market(), referee=None, stake=0)

    taken.lies()

    assert [holding.record["state"] for holding in taken.own] == ["verified", "verified"]
    assert sum(taken.market.earned(holding.holder) for holding in taken.own) == 200
    assert taken.market.ledger.evaluate("totals", {})["burned"] == 0


@JUDGED.against
def test_a_referee_burns_both_stakes_of_a_majority_that_lied() -> None:
    taken = takes_two(Market())

    taken.lies().is_ruled(b"gradient")

    assert [holding.record["state"] for holding in taken.own] == ["retired", "retired"]
    assert taken.market.ledger.evaluate("totals", {})["burned"] == 2 * 1_000
    assert {finding["co"] for finding in taken.market.records("finding")} == {each.holder.id for each in taken.own}


@JUDGED.unharmed
def test_the_out_voted_honest_one_loses_one_fee_and_no_stake_and_trains_on_with_replacements() -> None:
    taken = takes_two(Market())
    taken.lies().is_ruled(b"gradient")

    for _ in range(2):
        taken.training.datasets[0].is_held_by(0)
    taken.training.starts_round().is_agreed()

    assert taken.honest.record["state"] == "verified"
    assert taken.honest.record["stake"] == 1_000
    assert taken.market.earned(taken.honest.holder) == 100
    assert taken.market.money_is_conserved()


def both_lazy(market: Market) -> Ballot:
    """Two of three commit to the base of their round, each for itself, and one of them closes the ballot with it."""
    ballot = market.trains(subsets=2).starts_round().ballot(subset=0)
    first, second, honest = ballot.replicas
    base = bytes.fromhex(ballot.record["base"])
    first.commits(base)
    second.commits(base)
    honest.commits(b"gradient")
    ballot.closes_with(base)
    return ballot


@LAZY.without
def test_two_lazy_ones_of_three_are_paid_for_no_work() -> None:
    market = Market()

    ballot = both_lazy(market)

    assert list(ballot.verdicts().values()) == ["accepted", "accepted", "rejected"]
    assert [market.earned(replica) for replica in ballot.replicas] == [100, 100, 0]


@LAZY.unharmed
def test_a_referee_who_looks_at_two_lazy_ones_burns_their_stakes_and_not_the_honest_ones() -> None:
    market = Market()
    ballot = both_lazy(market)

    ballot.is_ruled(b"gradient")

    first, second, _ = ballot.replicas
    assert {finding["co"] for finding in market.records("finding")} == {first.id, second.id}
    assert market.ledger.evaluate("totals", {})["burned"] == 2 * 1_000
    assert market.money_is_conserved()
