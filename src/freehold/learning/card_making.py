"""A table's card: what the table says of itself in public, and made-up rows that are nobody's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import structs

from freehold.learning.card import (
    FORMAT,
    MISSING_RULE,
    Card,
    CategoryColumn,
    ClassTarget,
    NumberColumn,
    Samples,
    Split,
)
from freehold.learning.card_text import spell
from freehold.learning.certificate import RULES, Certificate
from freehold.learning.decimals import fixed_point
from freehold.learning.rows import Rows
from freehold.learning.samples import made_up_rows
from freehold.learning.table import Table

_DRAWS: Final = 64


def make_card(table: Table, kept: Rows, certificate: Certificate, title: str | None = None) -> Card:
    """The card of a table of which the rows `kept` are in the split that `certificate` describes.

    The made-up rows are drawn anew while one of them equals a kept row; a table so small that this does not end
    shows none.
    """
    target = table.target
    if isinstance(target, ClassTarget):
        counts = np.bincount(kept.targets, minlength=len(target.classes))
        target = ClassTarget(classes=target.classes, counts=tuple(counts.tolist()), name=target.name)
    card = Card(
        columns=table.columns,
        format=FORMAT,
        missing=MISSING_RULE,
        rows=len(kept),
        rows_left_out=table.rows_left_out + certificate.left_out,
        samples=Samples(draw=0, rows=()),
        split=Split(certificate=certificate.digest.hex(), rules=RULES, subsets=len(certificate.counts)),
        target=target,
        title=None if title is None else spell(title),
    )
    for draw in range(_DRAWS):
        drawn = structs.replace(card, samples=Samples(draw=draw, rows=()))
        rows = made_up_rows(drawn)
        if not any(_is_real(_as_values(card, row), kept) for row in rows):
            return _checked(structs.replace(drawn, samples=Samples(draw=draw, rows=rows)))
    return _checked(card)


def _is_real(values: np.ndarray[tuple[int], np.dtype[np.int32]], kept: Rows) -> bool:
    """Whether a kept row has all these values: column by column, over the rows that are like it so far."""
    like = np.flatnonzero(kept.values[:, 0] == values[0])
    for column in range(1, len(values)):
        if not len(like):
            return False
        like = like[kept.values[like, column] == values[column]]
    return len(like) > 0


def _checked(card: Card) -> Card:
    """The card as a stranger will read it: what we publish must pass our own reader."""
    return Card.parse(card.encode())


def _as_values(card: Card, sample: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """The integers of a made-up row without its target, as a package would hold them."""
    values = []
    for column, text in zip(card.columns, sample, strict=False):
        if isinstance(column, CategoryColumn):
            values.append(column.values.index(text) + 1)
        else:
            values.append(fixed_point(text, column.digits) if isinstance(column, NumberColumn) else int(text))
    return np.array(values, dtype=np.int32)
