"""Made-up rows of a card: what a row looks like, with nobody's values together.

Each cell is drawn for itself: a number at a random level between two knots, a category and a class by equal chance.
So the rows say nothing that the knots and lists do not say already; in particular nothing about two columns together.
The seed is a hash of the rest of the card: anyone draws the same rows again, and a data owner cannot slip a real row
in. `draw` only counts how often the owner drew anew because a row happened to equal one of the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from freehold.learning.constants import KNOTS, LEVELS, rounded
from freehold.learning.decimals import number_text
from freehold.learning.streams import Stream
from freehold.protocol import canonical
from freehold.protocol.digests import H, sha256

if TYPE_CHECKING:
    from freehold.learning.card import Card, Column, Target

MOST_SAMPLES: Final = 20
_CELLS: Final = 4_000


def sample_count(columns: int) -> int:
    """How many made-up rows a card of so many columns holds: 20, fewer when the table is wide."""
    return min(MOST_SAMPLES, max(1, _CELLS // columns))


def made_up_rows(card: Card) -> tuple[tuple[str, ...], ...]:
    """The made-up rows that follow from everything else in `card`: texts, the target last."""
    bare = {**_fields(card), "samples": {"draw": card.samples.draw, "rows": ()}}
    seed = H("samples", sha256(canonical.encode(bare, signed=True)), card.samples.draw)
    parts: tuple[Column | Target, ...] = (*card.columns, card.target)
    streams = [Stream(seed, index) for index in range(len(parts))]
    count = sample_count(len(card.columns))
    return tuple(tuple(_cell(part, stream) for part, stream in zip(parts, streams, strict=True)) for _ in range(count))


def _fields(card: Card) -> dict[str, object]:
    values = {name: getattr(card, name) for name in card.__struct_fields__}
    return {name: value for name, value in values.items() if value is not None}


def _cell(part: Column | Target, stream: Stream) -> str:
    values: tuple[str, ...] | None = getattr(part, "values", None) or getattr(part, "classes", None)
    if values is not None:
        return values[stream.below(len(values))]
    knots: tuple[int, ...] | None = getattr(part, "knots", None)
    if knots is None:
        return str(stream.below(255) - 127)
    level = LEVELS[0] + stream.below(LEVELS[-1] - LEVELS[0])
    right = next(index for index in range(1, KNOTS) if level < LEVELS[index])
    step = (knots[right] - knots[right - 1]) * (level - LEVELS[right - 1])
    digits: int = part.digits  # type: ignore[union-attr]
    return number_text(knots[right - 1] + rounded(step, LEVELS[right] - LEVELS[right - 1]), digits)
