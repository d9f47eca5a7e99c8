"""What a card tells of a column of numbers: mean, deviation and 17 quantile knots, in integers (TRAINING-ANNEX §6).

Mean and deviation carry 16 fraction bits. The knots stand at the levels 1/32, 1/16, 2/16, …, 15/16, 31/32 of the
sorted values, never at the extremes: the smallest and the largest value of a table are somebody's. Several owners'
constants are pooled from their cards alone, so that anyone who has the cards computes the same common map.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Final

import numpy as np
import numpy.typing as npt

KNOTS: Final = 17
MEDIAN: Final = 8
LEVELS: Final[tuple[int, ...]] = (128, *range(256, 4096, 256), 3968)
"""The level of each knot, in 4096ths."""
_BELOW, _ABOVE, WHOLE = 64, 4032, 4096
FRACTION_BITS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """Mean and deviation with 16 fraction bits, and the 17 knots, of fixed-point values."""

    mean: int
    deviation: int
    knots: tuple[int, ...]


def rounded(numerator: int, denominator: int) -> int:
    """rnd(a, b) = ⌊(2a + b) / 2b⌋: halves go up, also below zero (TRAINING-ANNEX §1)."""
    return (2 * numerator + denominator) // (2 * denominator)


def constants_of(values: npt.NDArray[np.int32]) -> Constants:
    """The constants of at least one fixed-point value."""
    count = len(values)
    wide = values.astype(np.int64)
    total = int(wide.sum())
    squares = wide * wide
    # a square has up to 62 bits: its halves are added apart
    energy = (int((squares >> 32).sum()) << 32) + int((squares & 0xFFFFFFFF).sum())
    ordered = np.sort(values)
    return Constants(
        mean=rounded(total << FRACTION_BITS, count),
        deviation=isqrt((count * energy - total * total) << (2 * FRACTION_BITS)) // count,
        knots=tuple(int(ordered[level * count // WHOLE]) for level in LEVELS),
    )


def pooled_moments(parts: Sequence[tuple[int, int, int]]) -> tuple[int, int]:
    """Mean and deviation of several owners' rows from their (rows, mean, deviation), each with 16 fraction bits."""
    count = sum(rows for rows, _, _ in parts)
    mean = rounded(sum(rows * mean for rows, mean, _ in parts), count)
    energy = sum(rows * (deviation**2 + mean**2) for rows, mean, deviation in parts)
    return mean, isqrt(max(0, energy // count - mean**2))


def pooled_knots(parts: Sequence[tuple[int, tuple[int, ...]]]) -> tuple[int, ...]:
    """The knots of several owners' rows together, from each one's (rows, knots).

    The knot of a level is the smallest integer whose level, averaged over the owners by rows, reaches it. Between
    its knots an owner's level is interpolated as in `level_of`, so the result follows from the cards alone.
    """
    count = sum(rows for rows, _ in parts)
    lowest = min(knots[0] for _, knots in parts)
    highest = max(knots[-1] for _, knots in parts)

    def reaches(value: int, level: int) -> bool:
        return sum(rows * level_of(value, knots) for rows, knots in parts) >= level * count

    pooled = []
    for level in LEVELS:
        low, high = lowest, highest
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if reaches(middle, level) else (middle + 1, high)
        pooled.append(low)
    return tuple(pooled)


def level_of(value: int, knots: Sequence[int]) -> int:
    """The level, in 4096ths, at which `value` stands among ascending knots (TRAINING-ANNEX §6, `rank`)."""
    below, upto = bisect_left(knots, value), bisect_right(knots, value)
    if upto > below:
        return (LEVELS[below] + LEVELS[upto - 1]) // 2
    if below == 0:
        return _BELOW
    if below == KNOTS:
        return _ABOVE
    step = (LEVELS[below] - LEVELS[below - 1]) * (value - knots[below - 1])
    return LEVELS[below - 1] + rounded(step, knots[below] - knots[below - 1])


def levels_of(values: npt.NDArray[np.int64], knots: Sequence[int]) -> npt.NDArray[np.int64]:
    """`level_of` of every value: int64, of the same length."""
    edges, levels = np.asarray(knots, dtype=np.int64), np.asarray(LEVELS, dtype=np.int64)
    below, upto = np.searchsorted(edges, values, side="left"), np.searchsorted(edges, values, side="right")
    on_knot = (levels[below.clip(0, KNOTS - 1)] + levels[(upto - 1).clip(0)]) // 2
    right = below.clip(1, KNOTS - 1)
    left = right - 1
    width = np.maximum(edges[right] - edges[left], 1)
    step = (levels[right] - levels[left]) * (values - edges[left])
    between = levels[left] + (2 * step + width) // (2 * width)
    outside = np.where(below == 0, _BELOW, np.where(below == KNOTS, _ABOVE, between))
    result: npt.NDArray[np.int64] = np.where(upto > below, on_knot, outside)
    return result
