"""How many digits of a number column travel: as many as its texts use, but no more than learning can use.

A feature has 8 bits, so a value that is exact to a thousandth of the width of the column's middle half is exact enough;
more digits would only make the card longer and its knots more telling. And the largest value must fit in 31 bits, of
features all but a few outliers: one 999999999 for *unknown* must not cost the others their digits.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from freehold.learning.decimals import LARGEST_FIXED, MOST_DIGITS, Integers, digits_used

_STEPS: Final = 1_000
_UNIT: Final = 2 * 10**MOST_DIGITS
"""Half-units of the value 1."""


def digits_for(halves: Integers, *, outliers: int = 0) -> int:
    """The digits of a column with at least one present value, from all its half-units.

    One value in `outliers` need not fit in 31 bits; all must if it is 0.
    """
    count = len(halves)
    beyond = count // outliers if outliers else 0
    places = (count // 4, 3 * count // 4)
    low, high = np.partition(halves, places)[list(places)].tolist()
    width = high - low or int(halves.max()) - int(halves.min())
    digits = digits_used(halves)
    while digits and width * 10 ** (digits - 1) >= _STEPS * _UNIT:
        digits -= 1
    largest = int(np.partition(np.abs(halves), count - 1 - beyond)[count - 1 - beyond])
    while digits and largest * 10**digits > LARGEST_FIXED * _UNIT:
        digits -= 1
    return digits
