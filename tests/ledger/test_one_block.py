"""Actions that become durable together still happen one after the other."""

from __future__ import annotations

from pathlib import Path

from freehold.errors import Refused
from tests.engines.embedded import embedded
from tests.engines.notebook import add


def test_an_action_that_comes_twice_in_one_block_counts_once_and_the_next_one_builds_on_it(tmp_path: Path) -> None:
    with embedded(tmp_path) as ledger:
        first, again, next = ledger.submit_all([add("c", 1, 0), add("c", 1, 0), add("c", 2, 1)])

        assert isinstance(again, Refused)
        assert [getattr(answer, "height", None) for answer in (first, next)] == [1, 1], "one block holds both"
        assert ledger.evaluate("counter", {"name": "c"}) == 3
