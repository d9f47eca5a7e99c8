"""The card of a dataset: everything that becomes public of it, in strict canonical JSON; its digest is on the ledger.

A card holds names, kinds and digits of the columns, mean, deviation and 17 knots of each number, the categories of
each category, the classes with their counts, how many values are missing, and a few made-up rows. It holds no row of
the table, no extreme value, no category that fewer than five rows have, and nothing of any single subset. The
made-up rows follow from the rest of the card (`samples`), so a reader sees that nobody's row is among them.

Whoever reads a card checks it in full: a cloud owner refuses a package whose rows do not fit it, a model owner builds
the feature map from it, and both would be lost if two readers could take the same bytes differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec
import numpy as np

from freehold.errors import Invalid
from freehold.learning.card_text import LONGEST_CATEGORY, LONGEST_NAME, unspell
from freehold.learning.constants import KNOTS, MEDIAN
from freehold.learning.decimals import LARGEST_FIXED, MOST_DIGITS
from freehold.learning.parameters import MOST_OUTPUTS
from freehold.learning.rows import MOST_COLUMNS, MOST_ROWS, Rows
from freehold.learning.samples import made_up_rows
from freehold.protocol import canonical
from freehold.protocol.digests import sha256
from freehold.protocol.limits import LARGEST_INTEGER, SUBSETS_LARGEST, SUBSETS_SMALLEST
from freehold.protocol.records import Record

LARGEST_CARD: Final = 2**19
"""Bytes. A card of 250 columns fits in 64 KB; 1,000 columns of 17 knots do not (docs/decisions/0043)."""
MOST_CATEGORIES: Final = 100
FORMAT: Final = "freehold/card/1"
MISSING_RULE: Final = "median"


class NumberColumn(Record, tag_field="kind", tag="number"):
    """A column of numbers: constants of its present values as fixed point with `digits` digits."""

    deviation: int
    digits: int
    knots: tuple[int, ...]
    mean: int
    missing: int
    name: str

    @property
    def median(self) -> int:
        """What a missing value of this column counts as."""
        return self.knots[MEDIAN]


class CategoryColumn(Record, tag_field="kind", tag="category"):
    """A column of categories: the listed ones, ascending by their UTF-8 bytes; any other value counts as none."""

    missing: int
    name: str
    values: tuple[str, ...]


class ByteColumn(Record, tag_field="kind", tag="byte"):
    """A column of an embedding: 32 steps to a deviation around the mean, −127 … 127, rounded by the data owner."""

    deviation: int
    digits: int
    mean: int
    missing: int
    name: str


class ClassTarget(Record, tag_field="kind", tag="classes"):
    """The classes to predict, ascending by their UTF-8 bytes, and how many rows each has."""

    classes: tuple[str, ...]
    counts: tuple[int, ...]
    name: str


class NumberTarget(Record, tag_field="kind", tag="number"):
    """The number to predict, with the constants of a number column."""

    deviation: int
    digits: int
    knots: tuple[int, ...]
    mean: int
    name: str


class Samples(Record):
    """Made-up rows as texts, the target last, or none; `draw` says which draw from the card's seed they are."""

    draw: int
    rows: tuple[tuple[str, ...], ...]


class Split(Record):
    """What the data owner certifies of the split without showing it: digest of the certificate, rules, subsets."""

    certificate: str
    rules: tuple[str, ...]
    subsets: int


Column = NumberColumn | CategoryColumn | ByteColumn
Target = ClassTarget | NumberTarget


class Card(Record):
    """A dataset in public; `parse` is the only way in for strangers' bytes."""

    columns: tuple[Column, ...]
    format: str
    missing: str
    rows: int
    rows_left_out: int
    samples: Samples
    split: Split
    target: Target
    title: str | None = None

    @classmethod
    def parse(cls, data: bytes) -> Card:
        """The card that `data` writes; Invalid for any deviation in spelling, ranges or made-up rows."""
        value = canonical.decode(data, largest=LARGEST_CARD, signed=True)
        try:
            card = msgspec.convert(value, cls)
        except msgspec.ValidationError as error:
            raise Invalid(f"not a dataset's card: {str(error)[:200]}") from None
        card.check()
        if card.samples.rows and card.samples.rows != made_up_rows(card):
            raise Invalid("the card's sample rows are not the made-up ones that follow from it")
        return card

    def encode(self) -> bytes:
        """The card's canonical bytes; Invalid when they would pass the limit."""
        data = canonical.encode(self, signed=True)
        if len(data) > LARGEST_CARD:
            raise Invalid(
                f"the card would have {len(data)} bytes, at most {LARGEST_CARD} are allowed",
                next="leave columns out, or shorten their names",
            )
        return data

    @property
    def digest(self) -> bytes:
        """SHA-256 of the card's bytes, as the ledger holds it."""
        return sha256(self.encode())

    @property
    def outputs(self) -> int:
        """Numbers to predict for one row: the classes, or 1."""
        return len(self.target.classes) if isinstance(self.target, ClassTarget) else 1

    def check(self) -> None:
        """Check every range of the card but its made-up rows; Invalid with the first that fails."""
        _require(self.format == FORMAT and self.missing == MISSING_RULE, "format or missing rule is unknown")
        _require(1 <= len(self.columns) <= MOST_COLUMNS, f"a card has 1 to {MOST_COLUMNS} columns")
        _require(1 <= self.rows <= MOST_ROWS and self.rows_left_out >= 0, f"a dataset has 1 to {MOST_ROWS} rows")
        if self.title is not None:
            unspell(self.title, "the title", LONGEST_NAME)
        names = [unspell(part.name, "a column's name", LONGEST_NAME) for part in (*self.columns, self.target)]
        _require(len(set(names)) == len(names), "two columns have one name")
        for column in self.columns:
            _require(0 <= column.missing < self.rows, "a column has more missing values than rows")
            if isinstance(column, CategoryColumn):
                _check_values(column.values, MOST_CATEGORIES)
            else:
                _check_numbers(column)
        if isinstance(self.target, ClassTarget):
            _check_values(self.target.classes, MOST_OUTPUTS)
            _require(len(self.target.classes) >= 2, "a card of classes has at least two")
            _require(len(self.target.counts) == len(self.target.classes), "a count per class")
            _require(min(self.target.counts) >= 1 and sum(self.target.counts) == self.rows, "counts add up to the rows")
        else:
            _check_numbers(self.target)
            _require(self.target.deviation > 0, "the number to predict is the same in every row")
        _check_split(self.split)

    def check_rows(self, rows: Rows) -> None:
        """Check the rows of one subset against the card, as a cloud owner does before it joins; Invalid if they differ.

        Every value must be in range, no class may have more rows than the card counts, and the split's rules must
        hold for this subset as far as one subset can show it.
        """
        if rows.columns != len(self.columns):
            raise Invalid(f"a package of {rows.columns} columns does not fit a card of {len(self.columns)}")
        if len(rows) > self.rows:
            raise Invalid(f"a package of {len(rows)} rows is larger than its dataset of {self.rows}")
        for index, column in enumerate(self.columns):
            values = rows.values[:, index]
            if isinstance(column, CategoryColumn) and not 0 <= values.min() <= values.max() <= len(column.values):
                raise Invalid(f"column {index + 1} holds a category that the card does not list")
            if isinstance(column, ByteColumn) and not -127 <= values.min() <= values.max() <= 127:
                raise Invalid(f"column {index + 1} holds more than an embedding's byte")
        if isinstance(self.target, ClassTarget):
            _check_classes(rows, self.target)


def _check_classes(rows: Rows, target: ClassTarget) -> None:
    if not 0 <= rows.targets.min() <= rows.targets.max() < len(target.classes):
        raise Invalid("a row has a class that the card does not name")
    counts = np.bincount(rows.targets, minlength=len(target.classes))
    if np.all(counts > 0):
        raise Invalid("the package holds every class, against the rule R1 of the split")
    if np.any(2 * counts > np.asarray(target.counts)):
        raise Invalid("the package holds more than half of a class's rows, against the rule R2 of the split")


def _check_numbers(column: NumberColumn | ByteColumn | NumberTarget) -> None:
    _require(0 <= column.digits <= MOST_DIGITS, f"digits are 0 to {MOST_DIGITS}")
    _require(0 <= column.deviation <= LARGEST_INTEGER, "a deviation is out of range")
    _require(abs(column.mean) <= (LARGEST_FIXED + 1) << 16, "a mean is out of range")
    if not isinstance(column, ByteColumn):
        _require(len(column.knots) == KNOTS, f"a column has {KNOTS} knots")
        _require(max(map(abs, column.knots)) <= LARGEST_FIXED, "a knot is out of range")
        _require(list(column.knots) == sorted(column.knots), "knots ascend")


def _check_values(spelled: Sequence[str], most: int) -> None:
    _require(1 <= len(spelled) <= most, f"a list of categories or classes has 1 to {most} entries")
    texts = [unspell(value, "a category", LONGEST_CATEGORY).encode() for value in spelled]
    _require(all(first < second for first, second in pairwise(texts)), "categories ascend")


def _check_split(split: Split) -> None:
    _require(len(split.certificate) == 64 and not set(split.certificate) - set("0123456789abcdef"), "a digest is hex")
    _require(split.rules == ("R1", "R2"), "the split's rules are R1 and R2")
    _require(SUBSETS_SMALLEST <= split.subsets <= SUBSETS_LARGEST, "the number of subsets is out of range")


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise Invalid(f"not a dataset's card: {rule}")
