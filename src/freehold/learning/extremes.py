"""Numbers that fixed point cannot hold, or holds too coarsely; both are found before they train a wrong model.

A value is at most 2^31 − 1 steps from zero, and a step is at least a billionth (`decimals`). A few values beyond are
outliers, and count as the largest there is; a column of them would be one value in every row, and so would a column
whose values are told apart by the tenth digit after the point.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from freehold.errors import Invalid
from freehold.learning.column_reader import RawColumn
from freehold.learning.decimals import LARGEST_FIXED, MOST_DIGITS, Integers, digits_used, to_fixed_point

OUTLIERS: Final = 100
"""One value in so many may lie beyond what fixed point holds."""
_UNIT: Final = 2 * 10**MOST_DIGITS
_FEWEST_STEPS: Final = 100


def require_held(name: str, raw: RawColumn, *, outliers: int = OUTLIERS) -> None:
    """Check that fixed point can hold the column `name` of numbers; Invalid with the unit to write it in.

    At most one value in `outliers` may lie beyond, none if it is 0.
    """
    if raw.half_units is None:
        return
    present = raw.half_units[~raw.missing]
    beyond = int(np.count_nonzero(np.abs(present) > LARGEST_FIXED * _UNIT))
    if beyond > (len(present) // outliers if outliers else 0):
        raise Invalid(
            f"{beyond} of {len(present)} values of {name!r} are larger than {LARGEST_FIXED:,}",
            why="numbers travel as whole numbers of 31 bits",
            next=f"write `{name}` in a larger unit, as thousands or millions, or leave it out",
        )
    if _too_fine(present) or vanishes(raw, present):
        raise Invalid(
            f"the values of {name!r} differ by less than a ten-millionth",
            why=f"numbers travel with at most {MOST_DIGITS} digits after the point",
            next=f"write `{name}` in a smaller unit, as thousandths or millionths, or leave it out",
        )


def clipped(halves: Integers, digits: int) -> int:
    """How many of the values lie beyond what `digits` digits leave room for, and count as the largest there is."""
    return int(np.count_nonzero(np.abs(to_fixed_point(halves, digits).astype(np.int64)) == LARGEST_FIXED))


def _too_fine(present: Integers) -> bool:
    """Whether the middle half of the values (or all, if that is one value) has no hundred steps, and needs more."""
    if digits_used(present) < MOST_DIGITS:
        return False
    count = len(present)
    low, high = np.partition(present, (count // 4, 3 * count // 4))[[count // 4, 3 * count // 4]].tolist()
    width = high - low or int(present.max()) - int(present.min())
    return width * 10**MOST_DIGITS < _FEWEST_STEPS * _UNIT


def vanishes(raw: RawColumn, present: Integers) -> bool:
    """Whether all values are zero only because what differs stands too far behind the point."""
    if present.any():
        return False
    return raw.codes is None or any(float(text) != 0.0 for text in raw.texts)
