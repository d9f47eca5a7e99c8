"""The ledger's benchmark sends what it says: every function, in an order that holds whoever is quicker."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.contract.host import Contract
from freehold.ledger.memory import MemoryLedger
from freehold.protocol.actions import FUNCTIONS

BENCH = str(Path(__file__).parents[2] / "bench")


@pytest.fixture(scope="module", autouse=True)
def benchmarks() -> Iterator[None]:
    """The folder of the benchmarks, as when one of them runs."""
    sys.path.insert(0, BENCH)
    yield
    sys.path.remove(BENCH)


def test_markets_that_know_nothing_of_each_other_are_accepted_in_any_order_between_them() -> None:
    from ledgers.workload import dealt, prepare

    workload = prepare(800)
    ledger = MemoryLedger(Contract(workload.network), lambda: workload.now + 60_000)
    hands = [iter(hand) for hand in dealt(workload, 2)]
    chance = random.Random(1)

    while hands:
        hand = chance.choice(hands)
        action = next(hand, None)
        if action is None:
            hands.remove(hand)
        else:
            ledger.submit(action)

    assert ledger.info().size == workload.size
    assert len(workload.markets) == 2


def test_what_is_asked_of_the_database_is_what_the_contract_reads_and_writes() -> None:
    from ledgers.workload import demands, mean, prepare

    asks = demands(prepare(400))

    # A ledger of one operator, as these are, has nobody who proposes others.
    assert {each.function for each in asks} == set(FUNCTIONS) - {"ProposeOperator", "ApproveOperator"}
    assert sum(each.share for each in asks) == pytest.approx(1.0)
    assert all(each.reads >= each.updates for each in asks)
    assert mean(asks)["reads"] > 4


def test_no_goal_is_met_by_what_was_not_measured(capsys: pytest.CaptureFixture[str]) -> None:
    import ledger as benchmark

    assert benchmark.verdict(dict.fromkeys(benchmark.KEYS)) == 0
    assert "met" not in capsys.readouterr().out
    assert benchmark.verdict({"ratio_engine": 1.1, "lifecycle_ms": 20.0}) == 1
    assert "ratio_engine ≥ 1.2: 1.10, MISSED" in capsys.readouterr().out
