"""What an operator can do that no signature and no replay forbids: leave out, and set its clock."""

from __future__ import annotations

import pytest

from freehold.errors import Refused
from tests.adversaries.attack import Attack
from tests.market import Ballot, Market, Replica, Training

CENSORS = Attack(
    by="ledger operator",
    does="drops the commitments of a cloud owner that it does not like",
    stopped_by=(
        "Nobody can prove that an action was sent. It costs the cloud owner the fee of each such job, never its stake;"
        " it may leave, and a market that does not trust one operator has several"
    ),
    promised=False,
)
SETS_CLOCK = Attack(
    by="ledger operator",
    does="sets its clock ahead, so that a deadline passes before honest members have acted",
    stopped_by=(
        "One machine's time is what its operator says. It shows: each block's time is on the ledger and never falls"
        " again, and every honest member is refused for its clock until then. Several operators vote on time"
    ),
    promised=False,
)


def one_commitment_is_dropped(market: Market) -> Ballot:
    """A ballot in which the operator lets the commitments of two of three replicas pass."""
    ballot = market.trains().starts_round().ballot(subset=0)
    *welcome, _ = ballot.replicas
    for replica in welcome:
        replica.commits()
    market.waits_until_after(ballot.record["commit_until"])
    ballot.closes_with(b"gradient")
    return ballot


@CENSORS.without
def test_whose_commitment_is_dropped_is_missing_and_unpaid() -> None:
    market = Market()

    ballot = one_commitment_is_dropped(market)

    assert list(ballot.verdicts().values()) == ["accepted", "accepted", "missing"]
    assert market.earned(ballot.replicas[2]) == 0


@CENSORS.unharmed
def test_whose_commitment_is_dropped_keeps_its_stake_and_may_leave_with_it() -> None:
    market = Market()
    ballot = one_commitment_is_dropped(market)
    dropped = ballot.replicas[2]
    instance = next(each for each in market.records("instance", co=dropped.id) if each["state"] == "verified")

    dropped.person.does("RetireCI", instance=instance["id"])

    market.waits(10 * 80_000)
    assert dropped.person.collects() == instance["stake"] > 0
    assert market.records("finding") == []
    assert market.money_is_conserved()


def ended_by_the_clock(market: Market) -> tuple[Training, Replica, int]:
    """A training that an accomplice ends by the operator's clock; the real time goes on where it was."""
    training = market.trains(subsets=2)
    replica = training.starts_round().ballots[0].replicas[0]
    on_time = market.now
    market.waits_until_after(training.record["due"])
    training.ends(by=market.cloud_owner())
    market.now, ahead = on_time, market.now
    return training, replica, ahead


@SETS_CLOCK.without
def test_with_the_operators_clock_an_accomplice_ends_a_training_before_anybody_could_work() -> None:
    market = Market()

    training, replica, ahead = ended_by_the_clock(market)

    assert training.record["state"] == "ended"
    with pytest.raises(Refused, match="too far from the ledger"):
        replica.commits()
    assert market.ledger.info().time >= ahead


@SETS_CLOCK.unharmed
def test_whoever_was_overtaken_by_the_clock_keeps_its_stake_and_the_buyer_its_money() -> None:
    market = Market()
    training, replica, ahead = ended_by_the_clock(market)
    market.now = ahead + 10 * 80_000
    stake = training.datasets[0].shape["terms"]["stake"]

    assert market.records("finding") == []
    assert all(each["stake"] == stake for each in market.records("instance", co=replica.id))
    assert training.owner.collects() > 0
    assert training.record["balance"] == 0
    assert market.money_is_conserved()
