"""One table of several owners: the columns and target of a map that joins their datasets.

Each owner's card has its own constants; the map needs one for all. They are pooled by rows from the cards alone
(`constants`), so every owner and every replica computes the same map and approves nothing that it cannot recompute.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from freehold.errors import Invalid
from freehold.learning.card import (
    ByteColumn,
    Card,
    CategoryColumn,
    ClassTarget,
    Column,
    NumberColumn,
    NumberTarget,
    Target,
)
from freehold.learning.constants import LEVELS, WHOLE, level_of, pooled_knots, pooled_moments
from freehold.learning.map_form import MapByte, MapCategory, MapClasses, MapColumn, MapNumber, MapTarget

_FINER: Final = 4
_RARER: Final = 8


def require_same_table(cards: Sequence[Card]) -> None:
    """Check that several owners' cards have the same columns, categories, digits and classes; Invalid otherwise."""
    if not cards:
        raise Invalid("a map is made from at least one card")
    first = cards[0]
    for card in cards[1:]:
        if len(card.columns) != len(first.columns):
            raise Invalid(f"the datasets have {len(first.columns)} and {len(card.columns)} columns")
        for one, other in zip((*first.columns, first.target), (*card.columns, card.target), strict=True):
            if _shape(one) != _shape(other):
                raise Invalid(
                    f"the datasets differ in the column {one.name!r}",
                    why="one model needs the same columns, digits, categories and classes at every owner",
                    next="prepare the second table like the first one's card",
                )


def pooled_columns(cards: Sequence[Card]) -> tuple[MapColumn, ...]:
    """The map's columns over the rows of all `cards`, which describe one table."""
    return tuple(_pooled(cards, index) for index in range(len(cards[0].columns)))


def pooled_target(cards: Sequence[Card]) -> MapClasses | MapTarget:
    """The map's target over the rows of all `cards`, which describe one table."""
    first = cards[0].target
    if isinstance(first, ClassTarget):
        return MapClasses(values=len(first.classes))
    targets = [cast(NumberTarget, card.target) for card in cards]
    if len(cards) == 1:
        return MapTarget(deviation=first.deviation, digits=first.digits, mean=first.mean)
    moments = [(card.rows, target.mean, target.deviation) for card, target in zip(cards, targets, strict=True)]
    mean, deviation = pooled_moments(moments)
    return MapTarget(deviation=deviation, digits=first.digits, mean=mean)


def strange_columns(card: Card, columns: Sequence[MapColumn]) -> tuple[str, ...]:
    """Columns of numbers that common constants measure at values which are rare among this owner's rows, as spelled.

    Whoever brings a dataset along brings its card, and with it a say in the constants: made for it, a card turns a
    column into the question who lies beyond some far value. Honest owners differ too, so this is for a person to judge.
    """
    return tuple(
        own.name
        for own, common in zip(card.columns, columns, strict=True)
        if isinstance(own, NumberColumn) and isinstance(common, MapNumber) and own.deviation and _is_far(own, common)
    )


def _is_far(own: NumberColumn, common: MapNumber) -> bool:
    """Whether steps are over four times as fine, or the middle two deviations off, or a knot far from its level."""
    if _FINER * common.deviation < own.deviation or abs(common.mean - own.mean) > 2 * own.deviation:
        return True
    found = [level_of(knot, own.knots) for knot in common.knots]
    # at a common knot, an eighth of the rows that should lie below it, or above it, must be there
    return any(
        _RARER * below < level or _RARER * (WHOLE - below) < WHOLE - level
        for below, level in zip(found, LEVELS, strict=True)
    )


def _pooled(cards: Sequence[Card], index: int) -> MapColumn:
    first = cards[0].columns[index]
    if isinstance(first, CategoryColumn):
        return MapCategory(values=len(first.values))
    if isinstance(first, ByteColumn):
        return MapByte()
    if len(cards) == 1:
        return MapNumber(deviation=first.deviation, digits=first.digits, knots=first.knots, mean=first.mean)
    columns = [cast(NumberColumn, card.columns[index]) for card in cards]
    present = [card.rows - column.missing for card, column in zip(cards, columns, strict=True)]
    moments = [(rows, column.mean, column.deviation) for rows, column in zip(present, columns, strict=True)]
    mean, deviation = pooled_moments(moments)
    knots = pooled_knots([(rows, column.knots) for rows, column in zip(present, columns, strict=True)])
    return MapNumber(deviation=deviation, digits=first.digits, knots=knots, mean=mean)


def _shape(part: Column | Target) -> tuple[object, ...]:
    """What must be equal at every owner: all but the constants and the counts."""
    own = {"mean", "deviation", "knots", "missing", "counts"}
    return (type(part), *(getattr(part, name) for name in part.__struct_fields__ if name not in own))
