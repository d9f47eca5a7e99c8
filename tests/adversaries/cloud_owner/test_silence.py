"""Cloud owners that take a subset, lock their stake, and commit to nothing."""

from __future__ import annotations

from contextlib import suppress

import pytest

from freehold.errors import Refused
from tests.adversaries.attack import Attack
from tests.adversaries.careless import nobody_is_waited_out
from tests.market import Market, Training, refused

SILENT = Attack(
    by="cloud owner",
    does="commits to nothing, so that its round is never decided",
    stopped_by="V-1: after the deadline a majority decides without it, and it is missing and unpaid",
)
TWO_SILENT = Attack(
    by="cloud owner",
    does="is silent with most of its subset, so that there is no majority",
    stopped_by="V-1: after its deadline a round without majority is void; it is asked again, or everything returns",
)
MONTH = 30 * 24 * 3_600_000


def with_silent_ones(training: Training, how_many: int) -> None:
    """A round in which so many of three replicas of a subset are silent; the others do what they can in time."""
    market, round = training.market, training.starts_round()
    ballot, other = round.ballot(subset=0), round.ballot(subset=1)
    other.is_agreed()
    diligent = ballot.replicas[how_many:]
    for replica in diligent:
        replica.commits()
    market.waits_until_after(ballot.record["commit_until"])
    with suppress(Refused):
        ballot.closes_with(b"gradient", by=diligent[0].person)
    market.waits_until_after(ballot.record["close_until"])


@SILENT.without
@TWO_SILENT.without
@pytest.mark.parametrize("how_many", [1, 2])
def test_where_no_deadline_passes_silence_locks_everybodys_money_for_ever(
    how_many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody_is_waited_out(monkeypatch)
    market = Market()
    training = market.trains(subsets=2)

    with_silent_ones(training, how_many)
    market.waits(MONTH)

    with refused("round-open"):
        training.starts_round()
    with refused("round-open"):
        training.ends()
    assert training.owner.payouts() == training.owner.payouts(state="collected")
    assert training.record["balance"] > 0


@SILENT.against
def test_a_silent_replica_is_missing_and_unpaid_and_the_round_is_decided_without_it() -> None:
    market = Market()
    training = market.trains(subsets=2)

    with_silent_ones(training, 1)

    training.starts_round()
    assert training.record["turn"] == 1
    silent = market.records("job", state="missing")
    assert len(silent) == 1
    assert market.records("payout", payee=silent[0]["co"], cause=silent[0]["id"]) == []


@TWO_SILENT.against
def test_a_round_without_majority_is_void_after_its_deadline_and_nobody_silent_is_paid() -> None:
    market = Market()
    training = market.trains(subsets=2)

    with_silent_ones(training, 2)

    training.starts_round()
    assert training.record["turn"] == 0
    assert len(market.records("ballot", state="void")) == 1
    for job in market.records("job", state="missing"):
        assert market.records("payout", payee=job["co"], cause=job["id"]) == []


@SILENT.unharmed
@TWO_SILENT.unharmed
@pytest.mark.parametrize(("how_many", "paid"), [(1, 5), (2, 3)])
def test_silence_costs_the_others_at_most_the_fee_of_one_job_and_the_rest_returns(how_many: int, paid: int) -> None:
    market = Market()
    training = market.trains(subsets=2)
    everything = 4 * (2 * 3 * 100 + 400)

    with_silent_ones(training, how_many)
    training.ends()

    assert sum(market.earned(each) for each in market.people.values() if each.role == "co") == paid * 100
    # with no majority the data owner's fee of this round returns too: the same group is asked again
    fee = 400 if how_many == 1 else 0
    assert market.earned(training.datasets[0].owner) == fee
    [returned] = training.owner.payouts(cause=training.id)
    assert returned["amount"] == everything - paid * 100 - fee
    assert {instance["stake"] for instance in market.records("instance")} == {1_000}
    assert market.records("finding") == []
    assert market.money_is_conserved()
