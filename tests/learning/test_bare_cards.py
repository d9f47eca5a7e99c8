"""A card without made-up rows is checked as fully as one with them.

Made-up rows follow from everything else in a card, so any change shows in them; but a table of few columns has none,
and a stranger may leave them out. Then each range must be looked at for itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from freehold.errors import Invalid
from freehold.learning.card import LARGEST_CARD, Card
from freehold.learning.prepared import prepare
from freehold.protocol import canonical
from tests.learning.tables import SEED, patient_table

NUMBER: dict[str, Any] = {"deviation": 1, "digits": 1, "kind": "number", "knots": [0] * 17, "mean": 0, "name": "x"}
COLUMN = {**NUMBER, "missing": 0}
CATEGORY: dict[str, Any] = {"kind": "category", "missing": 0, "name": "x", "values": ["a", "b"]}
CLASSES: dict[str, Any] = {"classes": ["a", "b"], "counts": [120, 120], "kind": "classes", "name": "t"}
SPLIT: dict[str, Any] = {"certificate": "00" * 32, "rules": ["R1", "R2"], "subsets": 4}


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The fields of a card whose made-up rows were left out."""
    folder: Path = tmp_path_factory.mktemp("card")
    data = prepare(patient_table(folder), folder / "out", seed=SEED).card_bytes
    fields = canonical.decode(data, largest=LARGEST_CARD, signed=True)
    return fields | {"samples": fields["samples"] | {"rows": []}}


def parsed(fields: dict[str, Any]) -> Card:
    return Card.parse(canonical.encode(fields, signed=True))


def with_column(bare: dict[str, Any], column: dict[str, Any]) -> dict[str, Any]:
    return bare | {"columns": [column, *bare["columns"][1:]]}


def test_made_up_rows_may_be_left_out(bare: dict[str, Any]) -> None:
    for fields in ({}, {"target": CLASSES}, {"target": NUMBER}, {"split": SPLIT}, {"rows": 240}):
        assert parsed(bare | fields).samples.rows == ()
    for column in (COLUMN, CATEGORY):
        assert parsed(with_column(bare, column)).columns[0].name == "x"


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"format": "freehold/card/2"}, "format"),
        ({"missing": "mean"}, "missing rule"),
        ({"rows": 0}, "1 to 300000 rows"),
        ({"rows": 300_001}, "1 to 300000 rows"),
        ({"rows_left_out": -1}, "1 to 300000 rows"),
        ({"columns": []}, "1 to 1000 columns"),
        ({"rows": 239}, "add up to the rows"),
        ({"target": CLASSES | {"counts": [240, 0]}}, "add up to the rows"),
        ({"target": CLASSES | {"counts": [240]}}, "a count per class"),
        ({"target": CLASSES | {"classes": ["a"], "counts": [240]}}, "at least two"),
        ({"target": CLASSES | {"classes": ["b", "a"]}}, "ascend"),
        ({"target": CLASSES | {"name": "heart"}}, "one name"),
        ({"target": NUMBER | {"deviation": 0}}, "the same in every row"),
        ({"target": NUMBER | {"knots": [0] * 16}}, "17 knots"),
        ({"split": SPLIT | {"certificate": "00"}}, "digest is hex"),
        ({"split": SPLIT | {"certificate": "AB" * 32}}, "digest is hex"),
        ({"split": SPLIT | {"rules": ["R1"]}}, "rules are R1 and R2"),
        ({"split": SPLIT | {"subsets": 65}}, "number of subsets"),
        ({"title": "%0A"}, "the title"),
    ],
)
def test_a_wrong_field_is_refused_for_what_is_wrong_with_it(
    bare: dict[str, Any], fields: dict[str, Any], what: str
) -> None:
    with pytest.raises(Invalid, match=what):
        parsed(bare | fields)


@pytest.mark.parametrize(
    ("column", "what"),
    [
        (COLUMN | {"missing": 240}, "more missing values than rows"),
        (COLUMN | {"digits": 10}, "digits are"),
        (COLUMN | {"deviation": -1}, "deviation is out of range"),
        (COLUMN | {"mean": 2**52}, "mean is out of range"),
        (COLUMN | {"knots": [0] * 18}, "17 knots"),
        (COLUMN | {"knots": [0] * 16 + [2**31]}, "knot is out of range"),
        (COLUMN | {"knots": [1] + [0] * 16}, "knots ascend"),
        (CATEGORY | {"values": []}, "1 to 100 entries"),
        (CATEGORY | {"values": [f"{index:03}" for index in range(101)]}, "1 to 100 entries"),
        (CATEGORY | {"values": ["b", "a"]}, "categories ascend"),
        (CATEGORY | {"values": ["a", "a"]}, "categories ascend"),
        (CATEGORY | {"missing": -1}, "more missing values than rows"),
        (CATEGORY | {"name": "lung"}, "one name"),
    ],
)
def test_a_wrong_column_is_refused_for_what_is_wrong_with_it(
    bare: dict[str, Any], column: dict[str, Any], what: str
) -> None:
    with pytest.raises(Invalid, match=what):
        parsed(with_column(bare, column))
