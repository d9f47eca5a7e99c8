"""How many digits of a number column travel: as many as its texts use, but no more than learning can use.

A feature has 8 bits, so a value that is exact to a thousandth of the width of the column's middle half is exact enough;
more digits would only make the card longer and its knots more telling. And the largest value must fit in 31 bits.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from freehold.learning.decimals import LARGEST_FIXED, MOST_DIGITS, Integers, digits_used

_STEPS: Final = 1_000
_UNIT: Final = 2 * 10**MOST_DIGITS
"""Half-units of the value 1."""


def digits_for(halves: Integers) -> int:
    """The digits of a column with at least one present value, from all its half-units."""
    ordered = np.sort(halves)
    count = len(ordered)
    middle = int(ordered[3 * count // 4]) - int(ordered[count // 4])
    width = middle or int(ordered[-1]) - int(ordered[0])
    digits = digits_used(halves)
    while digits and width * 10 ** (digits - 1) >= _STEPS * _UNIT:
        digits -= 1
    largest = max(abs(int(ordered[0])), abs(int(ordered[-1])))
    while digits and largest * 10**digits > LARGEST_FIXED * _UNIT:
        digits -= 1
    return digits
