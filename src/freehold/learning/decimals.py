"""Number text becomes integers exactly; no number of a data owner ever passes through a float.

A number is ``[+-]?[0-9]{1,30}(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?`` and nothing else: no decimal comma, no
thousands separator, no `inf`. With d digits the text stands for the integer ⌊value·10^d + 1/2⌋, halves going up
below zero too, clipped to ±(2^31 − 1) (TRAINING-ANNEX §6).

A table learns how many digits a column needs only after its last row, so each text is read once, into its
*half-units* h = ⌊2·10^9·value⌋, and h gives every d ≤ 9 without a second look at the text: a floor of a floor is
the floor, so ⌊2·10^d·value⌋ = ⌊h / 10^(9−d)⌋, and ⌊y + 1/2⌋ = ⌊(⌊2y⌋ + 1) / 2⌋. Beyond ±2^62 half-units the value
passes 2^31 at every d and is clipped whatever it is, so h saturates there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from freehold.errors import Invalid

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

MOST_DIGITS: Final = 9
LARGEST_FIXED: Final = 2**31 - 1
MISSING_TEXTS: Final = frozenset({"", "NA", "NaN", "nan", "null", "?"})
LONGEST_NUMBER: Final = 66

_NUMBER: Final = re.compile(r"([+-]?)([0-9]{1,30})(?:\.([0-9]{1,30}))?(?:[eE]([+-]?[0-9]{1,2}))?")
_SATURATED: Final = 2**62
_POWERS: Final = 10 ** np.arange(19, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decimals:
    """What the texts of one column say: per text its half-units (0 unless a number), and which are numbers, missing.

    `padded` are numbers written with leading zeros, as codes are (`01067`) and quantities are not.
    """

    half_units: Integers
    numbers: Flags
    missing: Flags
    padded: Flags


def is_number(text: str) -> bool:
    """Whether `text` is a number by the grammar above."""
    return _NUMBER.fullmatch(text) is not None


def half_units(text: str) -> int:
    """⌊2·10^9·value⌋ of one number text, saturated at ±2^62; Invalid for a text that is no number."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise Invalid(f"{text[:40]!r} is not a number")
    sign, whole, fraction, exponent = match.groups(default="")
    mantissa = 2 * int(sign + whole + fraction)
    power = MOST_DIGITS - len(fraction) + int(exponent or 0)
    scale: int = 10 ** abs(power)
    value = mantissa * scale if power >= 0 else mantissa // scale
    return max(-_SATURATED, min(_SATURATED, value))


def fixed_point(text: str, digits: int) -> int:
    """The integer that a number text stands for with `digits` digits; Invalid for a text that is no number."""
    value = (half_units(text) // int(_POWERS[MOST_DIGITS - digits]) + 1) // 2
    return max(-LARGEST_FIXED, min(LARGEST_FIXED, value))


def to_fixed_point(halves: Integers, digits: int) -> npt.NDArray[np.int32]:
    """The integers that half-units stand for with `digits` digits: the same numbers as `fixed_point`, in bulk."""
    values = (halves // _POWERS[MOST_DIGITS - digits] + 1) >> 1
    clipped: npt.NDArray[np.int32] = np.clip(values, -LARGEST_FIXED, LARGEST_FIXED).astype(np.int32)
    return clipped


def number_text(value: int, digits: int) -> str:
    """The text that stands for `value` with `digits` digits, which `fixed_point` reads back."""
    if digits == 0:
        return str(value)
    whole, fraction = divmod(abs(value), 10**digits)
    return f"{'-' if value < 0 else ''}{whole}.{fraction:0{digits}}"


def digits_used(halves: Integers) -> int:
    """How many digits after the point the values of a column have, 0 … 9."""
    for digits in range(MOST_DIGITS):
        unit = 2 * _POWERS[MOST_DIGITS - digits]
        # the first few rows of a long column nearly always tell
        if not (np.any(halves[:100] % unit) or np.any(halves % unit)):
            return digits
    return MOST_DIGITS


def read_decimals(texts: Sequence[str]) -> Decimals:
    """Read the texts of a column, all at once; the reading is that of `half_units`, text by text."""
    if not texts:
        none = np.zeros(0, dtype=bool)
        return Decimals(half_units=np.zeros(0, dtype=np.int64), numbers=none, missing=none, padded=none)
    if max(map(len, texts)) > LONGEST_NUMBER:
        # one essay among the numbers must not widen the whole array
        texts = [text if len(text) <= LONGEST_NUMBER else "-" for text in texts]
    return _read(texts)


def _read(texts: Sequence[str]) -> Decimals:
    """The reading of texts none of which is long."""
    scan = _Scan(_characters(texts))
    halves = scan.half_units()
    for row in np.flatnonzero(scan.numbers & scan.long).tolist():
        halves[row] = half_units(texts[row])
    missing = np.zeros(len(texts), dtype=bool)
    for row in np.flatnonzero(~scan.numbers).tolist():
        missing[row] = texts[row] in MISSING_TEXTS
    return Decimals(half_units=halves, numbers=scan.numbers, missing=missing, padded=scan.padded & scan.numbers)


def read_columns(columns: Sequence[Sequence[str]]) -> list[Decimals]:
    """Read the texts of several columns of equal length, as `read_decimals` reads each of them.

    Columns of short texts are read as one: where a wide table comes in a few hundred rows at a time, the many small
    steps would take longer than the work.
    """
    short = [index for index, texts in enumerate(columns) if texts and max(map(len, texts)) <= _SHORT]
    if not short:
        return [read_decimals(texts) for texts in columns]
    together = _read([text for index in short for text in columns[index]])
    rows = len(columns[0])
    pieces = {index: _piece(together, slice(place * rows, (place + 1) * rows)) for place, index in enumerate(short)}
    return [pieces[index] if index in pieces else read_decimals(texts) for index, texts in enumerate(columns)]


def _piece(read: Decimals, place: slice) -> Decimals:
    return Decimals(
        half_units=read.half_units[place],
        numbers=read.numbers[place],
        missing=read.missing[place],
        padded=read.padded[place],
    )


def _characters(texts: Sequence[str]) -> npt.NDArray[np.uint8]:
    """The texts' characters (width × count), those beyond ASCII all alike and a zero where a text is over."""
    array = np.asarray(texts, dtype=np.str_)
    width = max(1, array.dtype.itemsize // 4)
    points = array.astype(f"U{width}", copy=False).view(np.uint32).reshape(len(texts), width)
    return np.minimum(points, 128).astype(np.uint8).T.copy()


# The grammar as an automaton, so that NumPy reads a whole column character by character.
_DIGIT, _SIGN, _POINT, _POWER, _END, _OTHER = range(6)
_CLASSES: Final = 6
_SHORT: Final = 16
"""So many digits fit in 64 bits whatever else is done with them."""
_START, _SIGNED, _WHOLE, _DOT, _FRACTION, _E, _E_SIGNED, _EXPONENT, _NO = range(9)
_CLASS: Final = np.full(129, _OTHER, dtype=np.uint8)
_CLASS[[ord(character) for character in "0123456789"]] = _DIGIT
_CLASS[[ord("+"), ord("-")]] = _SIGN
_CLASS[ord(".")] = _POINT
_CLASS[[ord("e"), ord("E")]] = _POWER
_CLASS[0] = _END
_NEXT: Final = np.full((9, _CLASSES), _NO, dtype=np.uint8)
_NEXT[:, _END] = range(9)
for _state, _class, _then in (
    (_START, _DIGIT, _WHOLE),
    (_START, _SIGN, _SIGNED),
    (_SIGNED, _DIGIT, _WHOLE),
    (_WHOLE, _DIGIT, _WHOLE),
    (_WHOLE, _POINT, _DOT),
    (_WHOLE, _POWER, _E),
    (_DOT, _DIGIT, _FRACTION),
    (_FRACTION, _DIGIT, _FRACTION),
    (_FRACTION, _POWER, _E),
    (_E, _SIGN, _E_SIGNED),
    (_E, _DIGIT, _EXPONENT),
    (_E_SIGNED, _DIGIT, _EXPONENT),
    (_EXPONENT, _DIGIT, _EXPONENT),
):
    _NEXT[_state, _class] = _then
_ACCEPTED: Final = np.isin(np.arange(9), (_WHOLE, _FRACTION, _EXPONENT))


class _Scan:
    """One pass of the automaton over the characters of a column (width × count); `long` texts need exact integers.

    Every step works on one place of all texts at once, in the narrowest integers that hold it: a large table has
    hundreds of millions of cells, and this loop is most of what reading it costs.
    """

    def __init__(self, characters: npt.NDArray[np.uint8]) -> None:
        width, count = characters.shape
        state = np.zeros(count, dtype=np.uint8)
        whole, fraction, powers = (np.zeros(count, dtype=np.uint8) for _ in range(3))
        negative_exponent = np.zeros(count, dtype=bool)
        self.mantissa = np.zeros(count, dtype=np.int64)
        self.exponent = np.zeros(count, dtype=np.int64)
        self.long = np.zeros(count, dtype=bool)
        for place, character in enumerate(characters):
            state = _NEXT.ravel().take(state * np.uint8(_CLASSES) + _CLASS.take(character))
            digit = character - np.uint8(ord("0"))
            isdigit = digit <= 9
            in_whole, in_fraction = isdigit & (state == _WHOLE), isdigit & (state == _FRACTION)
            in_number = in_whole | in_fraction
            if place >= _SHORT:
                self.long |= in_number & (self.mantissa >= 10**_SHORT)
            factor = np.where(in_number & ~self.long, np.uint8(10), np.uint8(1))
            self.mantissa *= factor
            self.mantissa += np.where(factor > 1, digit, np.uint8(0))
            whole += in_whole
            fraction += in_fraction
            if place and np.any((state >= _E) & (state < _NO)):
                in_exponent = isdigit & (state == _EXPONENT)
                powers += in_exponent
                self.exponent = np.where(in_exponent & (powers <= 2), 10 * self.exponent + digit, self.exponent)
                negative_exponent |= (state == _E_SIGNED) & (character == ord("-"))
        self.numbers: Flags = _ACCEPTED[state] & (whole <= 30) & (fraction <= 30) & (powers <= 2)
        first = characters[0]
        second = characters[1] if width > 1 else np.zeros(count, dtype=np.uint8)
        self.padded: Flags = (first == ord("0")) & (second >= ord("0")) & (second <= ord("9"))
        self.negative: Flags = first == ord("-")
        self.power = MOST_DIGITS - fraction.astype(np.int64) + np.where(negative_exponent, -1, 1) * self.exponent
        # 2·mantissa < 2·10^17: one digit of room, so longer shifts are left to exact integers as well
        self.long |= (self.power < -18) | ((self.power > 0) & (self.mantissa >= _POWERS[18 - self.power.clip(1, 18)]))
        self.long |= self.power > 17

    def half_units(self) -> Integers:
        """Half-units of the numbers that fit in 64 bits, else 0."""
        short = self.numbers & ~self.long
        doubled = 2 * np.where(self.negative, -self.mantissa, self.mantissa)
        power = np.where(short, self.power, 0)
        # floor toward minus infinity, as Python's // and NumPy's floor division both do
        values = np.where(power >= 0, doubled * _POWERS[power.clip(0, 18)], doubled // _POWERS[(-power).clip(0, 18)])
        return np.where(short, values, 0).clip(-_SATURATED, _SATURATED)
