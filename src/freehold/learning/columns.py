"""A column of texts becomes a column of integers: decided afresh, or as another owner's card has it.

Afresh, a column is a number if all its present texts are numbers, a category if it has few different texts, or left out
with the reason. Numbers with a few texts between them are refused: the owner must say what `<0.5` means.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from freehold.errors import Invalid
from freehold.learning.card import MOST_CATEGORIES, ByteColumn, CategoryColumn, Column, NumberColumn
from freehold.learning.card_text import LONGEST_CATEGORY, require_plain, spell, unspell
from freehold.learning.column_reader import RawColumn
from freehold.learning.constants import constants_of
from freehold.learning.decimals import LARGEST_FIXED, number_text, to_fixed_point
from freehold.learning.digits import digits_for
from freehold.learning.extremes import OUTLIERS, clipped, require_held
from freehold.learning.lookalikes import require_no_lookalikes
from freehold.learning.maps import standardized
from freehold.learning.singling_out import FEWEST_ROWS, numbers_single_out, telling_name, texts_single_out

Values = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A column that does not train, and why, in words that follow its name."""

    reason: str
    can_be_kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A column that trains: its public description, its integers, and what the owner should know of it."""

    column: Column
    values: Values
    notice: str = ""


def make_column(name: str, raw: RawColumn, *, keep: bool, category: bool, embedding: bool) -> Made | LeftOut:
    """Decide what the column is; `keep` overrules singling out, `category` the reading as a number.

    Invalid when the column mixes numbers and texts, or is to be kept although nothing of it can be published.
    """
    if raw.present == 0:
        return LeftOut(reason="it is empty", can_be_kept=False)
    if (word := telling_name(name)) and not keep:
        return LeftOut(reason=f"its name says `{word}`, which singles out rows", can_be_kept=True)
    if embedding:
        return _embedded(name, raw)
    halves = raw.half_units
    if halves is None or category or raw.padded:
        return _category(name, raw, keep=keep, category=category)
    present = halves[~raw.missing]
    if (reason := numbers_single_out(present)) and not keep:
        return LeftOut(reason=reason, can_be_kept=True)
    require_held(name, raw)
    if np.all(present == present[0]):
        return LeftOut(reason="it has the same value in every row", can_be_kept=False)
    digits = digits_for(present, outliers=OUTLIERS)
    made = _number(name, raw, digits)
    beyond = clipped(present, digits)
    limit = number_text(LARGEST_FIXED, digits)
    return replace(made, notice=f"{beyond} of its values are beyond ±{limit} and count as that") if beyond else made


def column_like(known: Column, raw: RawColumn) -> Made:
    """The column as another card has it, with this table's own constants; Invalid when it cannot be read so."""
    name = unspell(known.name, "a column's name", len(known.name))
    if isinstance(known, CategoryColumn):
        values = coded_like(known.values, raw)
        missing = int(raw.missing.sum())
        return Made(column=CategoryColumn(missing=missing, name=known.name, values=known.values), values=values)
    require_numbers(name, raw)
    if raw.present == 0:
        raise Invalid(f"the column {name!r} is empty", next="fill it, or agree on tables without it")
    if isinstance(known, ByteColumn):
        values = byte_values(known.digits, known.mean, known.deviation, raw)
        column = ByteColumn(
            deviation=known.deviation,
            digits=known.digits,
            mean=known.mean,
            missing=int(raw.missing.sum()),
            name=known.name,
        )
        return Made(column=column, values=values)
    return _number(name, raw, known.digits)


def values_like(known: Column, name: str, raw: RawColumn) -> Values:
    """The integers of the column exactly as another card has it, its median for a missing number."""
    if isinstance(known, CategoryColumn):
        return coded_like(known.values, raw)
    require_numbers(name, raw)
    if isinstance(known, ByteColumn):
        return byte_values(known.digits, known.mean, known.deviation, raw)
    return number_values(known.digits, known.median, raw)


def coded_like(listed: tuple[str, ...], raw: RawColumn) -> Values:
    """Per row the number 1 … v of its category among the `listed` spellings, 0 where missing or unlisted."""
    if raw.codes is None:
        raise Invalid("a column of categories has thousands of different texts here")
    numbers = {unspell(text, "a category", LONGEST_CATEGORY): index + 1 for index, text in enumerate(listed)}
    table = np.array([*(numbers.get(text, 0) for text in raw.texts), 0], dtype=np.int32)
    # a missing row has the code −1, which is the last entry
    values: Values = table[raw.codes]
    return values


def byte_values(digits: int, mean: int, deviation: int, raw: RawColumn) -> Values:
    """The bytes of an embedding's column by its published constants; a missing value counts as the mean."""
    halves = raw.half_units
    if halves is None:
        raise Invalid("an embedding holds numbers only")
    fixed = to_fixed_point(halves, digits).astype(np.int64)
    steps = np.where(raw.missing, 0, standardized(fixed, mean, deviation))
    values: Values = steps.astype(np.int32)
    return values


def number_values(digits: int, median: int, raw: RawColumn) -> Values:
    """The fixed-point integers of a number column; a missing value counts as the median."""
    halves = raw.half_units
    if halves is None:
        raise Invalid("a column of numbers holds texts here")
    values: Values = np.where(raw.missing, np.int32(median), to_fixed_point(halves, digits))
    return values


def require_numbers(name: str, raw: RawColumn) -> None:
    """Check that every present text of the column is a number; Invalid with the first that is none."""
    if raw.others:
        raise Invalid(
            f"the column {name!r} holds {raw.odd[:40]!r} in line {raw.line}, which is not a number",
            why=f"{raw.numbers} of its cells are numbers and {raw.others} are not",
            next=_cure(raw.odd),
        )


def _number(name: str, raw: RawColumn, digits: int) -> Made:
    require_numbers(name, raw)
    constants = constants_of(number_values(digits, 0, raw)[~raw.missing])
    column = NumberColumn(
        deviation=constants.deviation,
        digits=digits,
        knots=constants.knots,
        mean=constants.mean,
        missing=int(raw.missing.sum()),
        name=spell(name),
    )
    return Made(column=column, values=number_values(digits, column.median, raw))


def _embedded(name: str, raw: RawColumn) -> Made | LeftOut:
    require_held(name, raw)
    made = _number(name, raw, digits_for(_present(raw), outliers=OUTLIERS))
    known = made.column
    if not isinstance(known, NumberColumn) or known.deviation == 0:
        return LeftOut(reason="it has the same value in every row", can_be_kept=False)
    column = ByteColumn(
        deviation=known.deviation, digits=known.digits, mean=known.mean, missing=known.missing, name=known.name
    )
    return Made(column=column, values=byte_values(known.digits, known.mean, known.deviation, raw))


def _present(raw: RawColumn) -> npt.NDArray[np.int64]:
    if raw.half_units is None:
        raise Invalid(f"an embedding holds numbers only, not {raw.odd[:40]!r} as in line {raw.line}")
    return raw.half_units[~raw.missing]


def _category(name: str, raw: RawColumn, *, keep: bool, category: bool) -> Made | LeftOut:
    if not category:
        require_no_lookalikes(name, raw, f"--category {name}")
    if (reason := texts_single_out(raw)) and not keep:
        return LeftOut(reason=reason, can_be_kept=True)
    if raw.codes is None:
        raise Invalid(f"the column {name!r} cannot be kept: it has thousands of different texts")
    counts = np.bincount(raw.codes[raw.codes >= 0], minlength=len(raw.texts))
    frequent = sorted(range(len(raw.texts)), key=lambda index: (-int(counts[index]), raw.texts[index].encode()))
    listed = [raw.texts[index] for index in frequent[:MOST_CATEGORIES] if counts[index] >= FEWEST_ROWS]
    listed = sorted((text for text in listed if len(text) <= LONGEST_CATEGORY), key=lambda text: text.encode())
    if not listed:
        if keep:
            raise Invalid(f"the column {name!r} cannot be kept: none of its categories has {FEWEST_ROWS} rows")
        return LeftOut(reason=f"none of its categories has {FEWEST_ROWS} rows", can_be_kept=False)
    if len(listed) == len(raw.texts) == 1 and not raw.missing.any():
        return LeftOut(reason="it has the same value in every row", can_be_kept=False)
    spelled = tuple(spell(require_plain(text, f"a category of {name!r}", LONGEST_CATEGORY)) for text in listed)
    rare = len(raw.texts) - len(listed)
    notice = (
        f"{rare} of {len(raw.texts)} categories have fewer than {FEWEST_ROWS} rows and count as none" if rare else ""
    )
    column = CategoryColumn(missing=int(raw.missing.sum()), name=spell(name), values=spelled)
    return Made(column=column, values=coded_like(spelled, raw), notice=notice)


def _cure(odd: str) -> str:
    if "," in odd and odd.replace(",", "", 1).replace("-", "", 1).isdigit():
        return "write numbers with a decimal point, as in 1.5"
    return "correct these cells, or leave them empty: an empty cell is a missing value"
