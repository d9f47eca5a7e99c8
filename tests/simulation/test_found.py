"""Troubles that seeds have found once, as the scenarios to which they shrink."""

from __future__ import annotations

from tests.simulation.running import failure_of
from tests.simulation.scenario import Faults, Scenario


def test_a_clock_that_runs_ahead_tells_nobody_a_digest_while_a_slow_neighbour_may_still_commit() -> None:
    market = Scenario(seed=9, rounds=3, spares=3, quiet_after=40_000, faults=Faults(apart=400, slow=300))

    assert failure_of(market) is None
