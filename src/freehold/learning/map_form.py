"""A feature map as it is written: canonical JSON with closed fields (TRAINING-ANNEX §6).

The columns stand in package order; each number column carries its constants whether the map uses them or not, and
there are no names: a map says how integers become features and nothing about what they mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from freehold.errors import Invalid
from freehold.learning.card import MOST_CATEGORIES
from freehold.learning.constants import KNOTS
from freehold.learning.decimals import LARGEST_FIXED, MOST_DIGITS
from freehold.learning.parameters import MOST_FEATURES, MOST_OUTPUTS
from freehold.learning.rows import MOST_COLUMNS
from freehold.protocol import canonical
from freehold.protocol.limits import LARGEST_INTEGER
from freehold.protocol.records import Record

NAMES: Final = ("identity", "quantile", "standard", "poly2", "rff", "embedding")
LARGEST_MAP: Final = 2**19


class MapNumber(Record, tag_field="kind", tag="number"):
    """A column of numbers with the constants that every owner's rows are measured by."""

    deviation: int
    digits: int
    knots: tuple[int, ...]
    mean: int


class MapCategory(Record, tag_field="kind", tag="category"):
    """A column of `values` categories."""

    values: int


class MapByte(Record, tag_field="kind", tag="byte"):
    """A column of an embedding."""


class MapClasses(Record, tag_field="kind", tag="classes"):
    """A target of `values` classes."""

    values: int


class MapTarget(Record, tag_field="kind", tag="number"):
    """A number as target."""

    deviation: int
    digits: int
    mean: int


MapColumn = MapNumber | MapCategory | MapByte


class Description(Record):
    """A map as it is written; `count`, `seed` and `width` belong to `rff` alone."""

    columns: tuple[MapColumn, ...]
    name: str
    target: MapClasses | MapTarget
    count: int | None = None
    seed: str | None = None
    width: int | None = None

    @classmethod
    def parse(cls, data: bytes) -> Description:
        """The description that `data` writes; Invalid for any deviation in spelling, fields or ranges."""
        value = canonical.decode(data, largest=LARGEST_MAP, signed=True)
        try:
            description = msgspec.convert(value, cls)
        except msgspec.ValidationError as error:
            raise Invalid(f"not a feature map: {str(error)[:200]}") from None
        description.check()
        return description

    def encode(self) -> bytes:
        """The description's canonical bytes."""
        return canonical.encode(self, signed=True)

    @property
    def plain_width(self) -> int:
        """Features of the columns themselves: one of a number or byte, one per category."""
        return plain_width(self.columns)

    @property
    def dimension(self) -> int:
        """D, the number of features, the constant included."""
        numbers = sum(isinstance(column, MapNumber) for column in self.columns)
        return dimension(self.name, self.plain_width, numbers, self.count or 0)

    @property
    def outputs(self) -> int:
        """M, the number of outputs: the classes, or 1."""
        return self.target.values if isinstance(self.target, MapClasses) else 1

    def check(self) -> None:
        """Check every rule of a map; Invalid with the first that fails."""
        _require(self.name in NAMES, "its name is unknown")
        _require(1 <= len(self.columns) <= MOST_COLUMNS, f"it has 1 to {MOST_COLUMNS} columns")
        for column in self.columns:
            embedded = isinstance(column, MapByte)
            _require(embedded == (self.name == "embedding"), "bytes belong to `embedding` and nowhere else")
            _check_column(column)
        if isinstance(self.target, MapClasses):
            _require(2 <= self.target.values <= MOST_OUTPUTS, f"a target has 2 to {MOST_OUTPUTS} classes")
        else:
            _check_number(self.target)
        if self.name == "rff":
            _require(self.count is not None and 1 <= self.count <= MOST_FEATURES, "`count` is out of range")
            _require(self.width is not None and 1 <= self.width <= 1 << 20, "`width` is out of range")
            _require(self.seed is not None and len(self.seed) == 64, "`seed` has 64 hex digits")
            _require(not set(self.seed or "") - set("0123456789abcdef"), "`seed` is lower-case hex")
        else:
            absent = self.count is None and self.seed is None and self.width is None
            _require(absent, "`count`, `seed` and `width` belong to `rff`")
        if self.dimension > MOST_FEATURES:
            raise Invalid(
                f"the map {self.name} makes {self.dimension} features of this table, at most {MOST_FEATURES} can train",
                next="choose a smaller map, or leave columns out",
            )


def dimension(kind: str, plain: int, numbers: int, count: int) -> int:
    """D, with the constant, of a map over `plain` features of the columns, of which `numbers` are numbers."""
    more = {"standard": numbers, "poly2": plain * (plain + 1) // 2, "rff": count}
    return plain + more.get(kind, 0) + 1


def plain_width(columns: Sequence[MapColumn]) -> int:
    """Features of the columns themselves: one of a number or byte, one per category."""
    return sum(column.values if isinstance(column, MapCategory) else 1 for column in columns)


def _check_column(column: MapColumn) -> None:
    if isinstance(column, MapCategory):
        _require(1 <= column.values <= MOST_CATEGORIES, f"a category has 1 to {MOST_CATEGORIES} values")
    elif isinstance(column, MapNumber):
        _check_number(column)
        _require(len(column.knots) == KNOTS, f"a column has {KNOTS} knots")
        _require(list(column.knots) == sorted(column.knots), "knots ascend")
        _require(max(map(abs, column.knots)) <= LARGEST_FIXED, "a knot is out of range")


def _check_number(column: MapNumber | MapTarget) -> None:
    _require(0 <= column.digits <= MOST_DIGITS, f"digits are 0 to {MOST_DIGITS}")
    _require(0 <= column.deviation <= LARGEST_INTEGER, "a deviation is out of range")
    _require(abs(column.mean) <= (LARGEST_FIXED + 1) << 16, "a mean is out of range")


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise Invalid(f"not a feature map: {rule}")
