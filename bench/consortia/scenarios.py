"""Every scenario by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from consortia import faults, lies
from consortia.ground import DELAYS, Ground, Told

COLUMNS: Final = (
    ("tps", ",.0f"),
    ("p50_ms", ",.0f"),
    ("p95_ms", ",.0f"),
    ("recovery_s", ".1f"),
    ("level_s", ".1f"),
    ("recorded", ",d"),
)
"""Of a table, each with its format."""
SCENARIOS: Final[Mapping[str, Callable[[Ground], Told]]] = {
    **{f"delay-{each}": lambda ground, each=each: faults.delayed(ground, each) for each in DELAYS},  # type: ignore[misc]
    "narrow": faults.narrow,
    "one-apart": faults.one_apart,
    "half-and-half": faults.half_and_half,
    "half-open": faults.half_open,
    "cuts": faults.cut_at_random,
    "one-down": faults.one_down,
    "two-down": faults.two_down,
    "killed": faults.killed,
    "wrong": lies.computing_wrongly,
    "forging": lies.forging,
    "equivocating": lies.equivocating,
}
