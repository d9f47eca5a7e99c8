"""What history and state take: bytes of disk a year, with and without pruning, and bytes of memory for each market.

Prices are inputs. Nothing here knows what a disk costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

YEAR: Final = 365 * 86_400
EMPTY_BLOCK: Final = 4_100.0
"""Bytes of an empty block with its state, kept for ever without pruning: 2.5 + 1.6 kB for four validators."""
VALIDATORS_OF_EMPTY_BLOCK: Final = 4
EMPTY_EVERY: Final = 5.0
"""Seconds between blocks when nothing happens (`consortium.start`)."""
RECORD_OVERHEAD: Final = 640.0
"""Bytes of memory beyond a record's own: 0.97 GB for a million of 330 bytes."""
HISTORY: Final = 700.0
"""Bytes of memory of an action's place in the history (docs/ledger.md)."""
PRUNED: Final = ("blocks", "results")
"""What CometBFT forgets once an application answers Commit with `retain_height`; its log rotates by itself."""
ALWAYS: Final = ("application",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """Of one operator's disk, in GB."""

    archive: float
    pruned: float
    idle: float
    """Of `archive`, what empty blocks alone take: with few actions, most of it."""

    def price(self, gigabyte_month: float) -> tuple[float, float]:
        """Of an archive node and of a pruned one, for the twelve months after the year was written."""
        return 12 * gigabyte_month * self.archive, 12 * gigabyte_month * self.pruned


def year(actions_per_second: float, disk: Mapping[str, float], operators: int) -> Year:
    """At a steady rate; `disk` is bytes for each action, by where it lies."""
    written = actions_per_second * YEAR
    # While actions come, their blocks take the place of empty ones; the bound for a quiet network is all of them.
    empty = EMPTY_BLOCK * operators / VALIDATORS_OF_EMPTY_BLOCK * YEAR / EMPTY_EVERY if operators > 1 else 0.0
    kept = sum(disk.get(name, 0.0) for name in ALWAYS) * written
    forgotten = sum(disk.get(name, 0.0) for name in PRUNED) * written
    return Year(archive=(kept + forgotten + empty) / 1e9, pruned=kept / 1e9, idle=empty / 1e9)


def memory(actions: float, inserts: float, record: float) -> float:
    """Bytes of memory that so many actions stay in: no record is ever removed, and the history is kept beside them."""
    return actions * (inserts * (record + RECORD_OVERHEAD) + HISTORY)
