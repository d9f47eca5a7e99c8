"""Rows with a known target, on which a model is measured: read by the card of the rows that it was trained on.

A missing number counts as the card's median and an unlisted category as none, as in every prediction; the constants of
the measured rows play no part, since whoever predicts one row has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from freehold.learning.card import Card, CategoryColumn
from freehold.learning.card_text import LONGEST_NAME, unspell
from freehold.learning.column_reader import RawColumn
from freehold.learning.columns import Values, values_like
from freehold.learning.decimals import MOST_DIGITS
from freehold.learning.raw_table import read_raw
from freehold.learning.solver import Floats
from freehold.learning.table import class_names


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRows:
    """Values as a package holds them (int32 rows × columns), and the truth of each: a class number or a number."""

    values: Values
    truth: Floats


def read_measured(path: Path, card: Card) -> MeasuredRows:
    """The rows of a CSV file whose target is known; Invalid when a column of the card is missing or cannot be read."""
    names = [unspell(column.name, "a column's name", LONGEST_NAME) for column in card.columns]
    target = unspell(card.target.name, "the target's name", LONGEST_NAME)
    listed = [name for name, column in zip(names, card.columns, strict=True) if isinstance(column, CategoryColumn)]
    classes = class_names(card.target)
    raw = read_raw(path, wanted=[*names, target], coded=[*listed, *([target] if classes else [])])
    truth = truth_of(raw.columns[target], classes)
    known = np.zeros(raw.rows, dtype=bool) if truth is None else ~np.isnan(truth)
    values = [
        values_like(column, name, raw.columns.pop(name))[known]
        for name, column in zip(names, card.columns, strict=True)
    ]
    return MeasuredRows(values=np.stack(values, axis=1), truth=np.zeros(0) if truth is None else truth[known])


def truth_of(column: RawColumn, classes: tuple[str, ...]) -> Floats | None:
    """The true targets: a number, or the number of a class and −1 for an unknown one; NaN where missing.

    None when the column is not of the model's kind.
    """
    if not classes:
        if column.half_units is None:
            return None
        return np.where(column.missing, np.nan, column.half_units / (2 * 10**MOST_DIGITS))
    if column.codes is None:
        return None
    known = {name: index for index, name in enumerate(classes)}
    # a missing row has the code −1, which is the last entry
    truth: Floats = np.array([*(known.get(text, -1) for text in column.texts), np.nan])[column.codes]
    return truth
