"""The number of actions of a training, as the scale report computes it, is what markets record."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.protocol.envelope import open_action
from tests.market import Market

BENCH = str(Path(__file__).parents[2] / "bench")


@pytest.fixture(scope="module", autouse=True)
def benchmarks() -> Iterator[None]:
    """The folder of the benchmarks, as when one of them runs."""
    sys.path.insert(0, BENCH)
    yield
    sys.path.remove(BENCH)


def recorded(market: Market) -> Counter[str]:
    """What a market's ledger holds, by function."""
    return functions([action for block in market.ledger.export(0, 1 << 30) for action in block.actions])


def functions(actions: list[bytes]) -> Counter[str]:
    """How often each is called."""
    return Counter(open_action(action, signature_checked=True).function for action in actions)


@pytest.mark.parametrize(
    ("subsets", "replicas", "rounds", "groups", "datasets", "trainings"),
    [(2, 3, 1, 1, 1, 1), (4, 3, 4, 2, 1, 2), (3, 5, 2, 1, 1, 1), (2, 3, 2, 1, 2, 1), (2, 3, 66, 1, 1, 1)],
)
def test_the_count_of_a_market_is_what_its_ledger_records(
    subsets: int, replicas: int, rounds: int, groups: int, datasets: int, trainings: int
) -> None:
    from scaling import protocol

    shape = protocol.Shape(subsets=subsets, replicas=replicas, rounds=rounds, groups=groups, datasets=datasets)
    market = Market()
    terms = {"group_min": subsets // groups, "rounds_per_training": rounds, "rounds_total": rounds * trainings}
    offered = [market.publishes(subsets, replicas, **terms) for _ in range(datasets)]
    for _ in range(trainings):
        training = market.requests(*offered, rounds=rounds).is_approved()
        for _ in range(rounds):
            training.starts_round().is_agreed()
        training.ends()
    market.waits(1_000_000)
    for person in market.people.values():
        person.collects()

    assert recorded(market) == protocol.market(shape, trainings)


def test_the_ledger_benchmark_s_market_is_the_count_and_the_five_things_that_it_adds() -> None:
    # In each of its trainings somebody lies, is not paid, and so leaves money to the model owner.
    from ledgers.workload import REPLICAS, ROUNDS, SUBSETS, TRAININGS, prepare
    from scaling import protocol

    shape = protocol.Shape(subsets=SUBSETS, replicas=REPLICAS, rounds=ROUNDS)
    extra = Counter(["ReportFraud", "RetireCI", "WithdrawDS", "Withdraw", "RotateKey"])

    for market in prepare(1).markets:
        assert functions(list(market)) == protocol.market(shape, TRAININGS, left=TRAININGS) + extra


def test_counts_are_refused_where_they_would_be_averages() -> None:
    from scaling import protocol

    with pytest.raises(ValueError, match="whole cycles"):
        protocol.training(protocol.Shape(subsets=4, replicas=3, rounds=3, groups=2))
