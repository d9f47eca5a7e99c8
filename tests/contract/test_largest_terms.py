"""Money, with the largest terms that the rules allow: all of it stays countable, and none is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pytest

from freehold.contract.invariants import violations
from freehold.ledger.memory import MemoryLedger
from freehold.ledger.state import State
from freehold.ports.machine import Machine
from freehold.protocol import limits
from tests.contract.crowd import Watched
from tests.market import Market, Member, Training, refused

DAY: Final = 24 * 60 * 60 * 1_000
LARGEST_TERMS: Final[Mapping[str, Any]] = {
    "answer_window": limits.WINDOW_LARGEST,
    "close_window": 15 * DAY,
    "commit_window": limits.WINDOW_LARGEST,
    "hold": limits.HOLD_LARGEST,
    "idle_window": limits.WINDOW_LARGEST,
    "price_job": limits.PRICE_LARGEST,
    "price_round": limits.PRICE_LARGEST,
    "rounds_per_training": limits.ROUNDS_PER_TRAINING_LARGEST,
    "rounds_total": limits.ROUNDS_TOTAL_LARGEST,
    "stake": limits.STAKE_LARGEST,
}
SHAPES: Final = {
    "most subsets, most jobs": (limits.SUBSETS_LARGEST, 3, 32),
    "most replicas": (10, 9, 10),
}
"""m, n, group_min: 96 jobs in a round, and 90."""


def integers(value: Any) -> Iterator[int]:
    """Every integer inside a value of JSON."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from integers(inner)
    elif isinstance(value, int):
        yield value


def largest_of(state: State) -> int:
    """The largest integer in any record."""
    return max(number for _, record in state.scan("") for number in integers(json.loads(record)))


class Looking:
    """A market whose every action is looked at, and the largest integer that was ever in it."""

    def __init__(self, now: int = 1_000_000) -> None:
        self.watched: Watched | None = None
        self.market = Market(engine=self._engine)
        self.market.now = now
        self.largest = 0

    def _engine(self, machine: Machine, clock: Callable[[], int]) -> MemoryLedger:
        self.watched = Watched(machine)
        return MemoryLedger(self.watched, clock)

    def is_sound(self) -> None:
        """Nothing is beyond what every reader of JSON can count, and no money is lost."""
        assert self.watched is not None
        assert violations(self.watched.state) == []
        self.largest = max(self.largest, largest_of(self.watched.state))
        assert self.largest <= limits.LARGEST_INTEGER
        assert self.market.money_is_conserved()


def richest(looking: Looking) -> Member:
    """A model owner with every micro-credit that the treasury may still make."""
    market = looking.market
    made = market.ledger.evaluate("totals", {})["deposited"]
    return market.model_owner(funds=limits.LARGEST_INTEGER - made)


def one_round(looking: Looking, training: Training, *, agreed: bool) -> None:
    """A round that is agreed on, or one of which every ballot becomes void."""
    round = training.starts_round()
    looking.is_sound()
    if agreed:
        round.is_agreed()
    else:
        looking.market.waits_until_after(training.record["close_until"])
    looking.is_sound()


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_dearest_training_over_the_largest_dataset_stays_countable(shape: tuple[int, int, int]) -> None:
    subsets, replicas, group_min = shape
    looking = Looking()
    market = looking.market
    dataset = market.publishes(subsets, replicas, group_min=group_min, **LARGEST_TERMS)
    owner = richest(looking)
    training = market.requests(dataset, rounds=limits.ROUNDS_PER_TRAINING_LARGEST, owner=owner).is_approved()
    jobs = replicas * group_min
    escrow = limits.ROUNDS_PER_TRAINING_LARGEST * (jobs + 1) * limits.PRICE_LARGEST
    assert training.record["balance"] == escrow
    looking.is_sound()

    one_round(looking, training, agreed=True)
    one_round(looking, training, agreed=False)
    one_round(looking, training, agreed=True)
    training.ends()
    owner.collects()
    looking.is_sound()

    assert owner.account == limits.LARGEST_INTEGER - stakes(subsets, replicas) - 2 * (jobs + 1) * limits.PRICE_LARGEST
    assert looking.largest == limits.LARGEST_INTEGER, "the deposits are as many as there may be"


def stakes(subsets: int, replicas: int) -> int:
    """What all holders of a dataset staked."""
    return subsets * replicas * limits.STAKE_LARGEST


def test_eight_datasets_at_the_highest_price_are_trained_together_and_no_job_more() -> None:
    looking = Looking()
    market = looking.market
    datasets = [market.publishes(4, 3, group_min=4, **LARGEST_TERMS) for _ in range(limits.PARTS)]
    owner = richest(looking)
    training = market.requests(*datasets, rounds=limits.ROUNDS_PER_TRAINING_LARGEST, owner=owner).is_approved()
    locked = (limits.JOBS_PER_ROUND + limits.PARTS) * limits.PRICE_LARGEST
    assert training.record["balance"] == limits.ROUNDS_PER_TRAINING_LARGEST * locked

    one_round(looking, training, agreed=True)
    training.ends()
    owner.collects()
    looking.is_sound()

    assert all(market.earned(dataset.owner) == limits.PRICE_LARGEST for dataset in datasets)
    larger = [*datasets[1:], market.publishes(5, 3, group_min=5, **dict(LARGEST_TERMS) | {"stake": 0, "referee": None})]
    with refused("limit"):
        market.requests(*larger, owner=owner)


def test_the_largest_stake_of_a_liar_is_burned_and_counted() -> None:
    looking = Looking()
    market = looking.market
    training = market.requests(market.publishes(2, 9, **LARGEST_TERMS), owner=market.model_owner(funds=10**12))
    round = training.is_approved().starts_round()
    ballot = round.ballots[0]
    for place, replica in enumerate(ballot.replicas):
        replica.commits(b"true" if place else b"a lie")
    ballot.closes_with(b"true")
    ballot.is_ruled(b"true")
    looking.is_sound()

    burned = [payout["amount"] for payout in market.records("payout") if payout["state"] == "burned"]
    assert burned == [limits.STAKE_LARGEST]


@pytest.mark.parametrize(
    ("term", "value"),
    [(name, value + 1) for name, value in LARGEST_TERMS.items() if name not in ("close_window", "commit_window")],
)
def test_one_more_than_the_largest_is_refused(term: str, value: int) -> None:
    market = Market()
    with refused("limit"):
        market.drafts(2, 3, **dict(LARGEST_TERMS) | {term: value})
