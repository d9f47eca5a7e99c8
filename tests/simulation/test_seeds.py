"""Two thousand short lives of a market; in each of them every predicate must hold."""

from __future__ import annotations

import pytest

from tests.simulation.running import stories

SEEDS, CHUNK = 2_000, 50


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_whatever_goes_wrong_and_whoever_lies_every_promise_holds(first: int) -> None:
    broken = stories(range(first, first + CHUNK))

    assert not broken, "\n\n".join(broken)
