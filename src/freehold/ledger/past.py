"""What every record was before: its values lie in the blocks, and only the heights at which they were written are kept.

So a ledger of any age answers what became of an asset by reading the few blocks that touched it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from freehold.ledger.state import State
from freehold.ports.state_view import Version

Written: TypeAlias = Callable[[int], tuple[int, Mapping[str, bytes]]]
"""The time of the block at a height, and every record that it wrote as it left it."""


class Past:
    """Which blocks wrote which record."""

    def __init__(self) -> None:
        self._heights: dict[str, list[int]] = {}

    def wrote(self, height: int, keys: Iterable[str]) -> None:
        """The next block wrote these records."""
        for key in keys:
            self._heights.setdefault(key, []).append(height)

    def heights(self, key: str, after: int) -> Sequence[int]:
        """The blocks above the height `after` that wrote a record, ascending."""
        heights = self._heights.get(key, [])
        return heights[bisect_right(heights, after) :]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedState:
    """A state and its past; satisfies `ports.state_view.RecordedView`."""

    state: State
    past_blocks: Past
    written: Written

    def read(self, keys: Sequence[str]) -> list[bytes | None]:
        """Values in the order of the keys, None where nothing is recorded."""
        return self.state.read(keys)

    def scan(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """Every (key, value) whose key begins with `prefix`, in ascending order of keys."""
        return self.state.scan(prefix)

    def past(self, key: str, after: int) -> Iterator[Version]:
        """The record under `key` as each block above the height `after` that wrote it left it, ascending."""
        for height in self.past_blocks.heights(key, after):
            time, writes = self.written(height)
            yield Version(height, time, writes[key])
