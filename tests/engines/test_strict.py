"""G-3: strict mode finds what only other ledgers would have shown."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from freehold.errors import Broken, Unavailable
from freehold.ledger.embedded.strict import Strict, StrictLedger, open_strict
from freehold.ports.ledger import Accepted
from freehold.ports.machine import Executed, Machine
from freehold.ports.state_view import Read, StateView
from freehold.protocol import canonical
from tests.engines.embedded import SEED, clock
from tests.engines.engines import send
from tests.engines.notebook import Notebook, add, note

QUIET = Strict(seed=3, conflicts=0.0, unknown=0.0, repeats=0.0)


def opened(folder: Path, strict: Strict, machine: Machine | None = None) -> StrictLedger:
    return open_strict(folder / "ledger.sqlite", machine or Notebook(), SEED, clock, strict)


class Counting:
    """Rules that look at something which is not in the state."""

    def __init__(self) -> None:
        self._turns = itertools.count()

    def genesis(self) -> Mapping[str, bytes]:
        return Notebook().genesis()

    def execute(self, read: Read, action: bytes, time: int) -> Executed:
        return Executed(writes={"note/x": b"%d" % next(self._turns)}, result=canonical.encode({"id": "x"}))

    def query(self, view: StateView, name: str, arguments: Mapping[str, object]) -> Any:
        return None


def test_rules_that_are_not_a_function_of_what_they_read_are_caught(tmp_path: Path) -> None:
    ledger = opened(tmp_path, QUIET, Counting())

    with pytest.raises(Broken, match="two different answers"):
        ledger.submit(b"anything")

    assert ledger.info().size == 0
    ledger.close()


def test_two_actions_of_one_block_on_one_record_conflict_and_the_second_leaves_no_trace(tmp_path: Path) -> None:
    ledger = opened(tmp_path, QUIET)

    first, second, other = ledger.submit_all([add("c", 1, 1), add("c", 1, 2), note("apart", "text")])

    assert isinstance(first, Accepted)
    assert isinstance(second, Unavailable)
    assert "nothing was recorded" in second.now
    assert isinstance(other, Accepted)
    assert ledger.evaluate("counter", {"name": "c"}) == 1
    assert send(ledger, add("c", 1, 2)).position == 2
    ledger.close()


def test_a_lost_answer_may_hide_a_recorded_action_and_a_member_that_asks_counts_once(tmp_path: Path) -> None:
    ledger = opened(tmp_path, Strict(seed=5, conflicts=0.3, unknown=0.6, repeats=0.5))
    lost = 0
    for nonce in range(60):
        action = add("c", 1, nonce)
        try:
            ledger.submit(action)
        except Unavailable:
            if ledger.resolve(action) is None:
                send(ledger, action)
            else:
                lost += 1

    assert ledger.evaluate("counter", {"name": "c"}) == 60
    assert lost > 5, "the seed must show the hard case"
    ledger.close()


def test_one_seed_gives_one_history(tmp_path: Path) -> None:
    def history(name: str) -> list[str]:
        (tmp_path / name).mkdir()
        ledger = opened(tmp_path / name, Strict(seed=8, conflicts=0.3, unknown=0.3))
        said = [type(ledger.submit_all([add("c", 1, nonce)])[0]).__name__ for nonce in range(40)]
        ledger.close()
        return said

    first = history("first")

    assert first == history("second")
    assert set(first) == {"Accepted", "Unavailable"}
