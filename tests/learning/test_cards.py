"""A card has one spelling; a stranger's card is checked in full before anything is built on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.learning.card import LARGEST_CARD, Card
from freehold.learning.card_text import require_plain, spell, unspell
from freehold.learning.prepared import prepare
from freehold.learning.table import read_table
from freehold.protocol import canonical
from tests.learning.tables import SEED, patient_table, write_csv


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("card")
    return prepare(patient_table(folder), folder / "out", seed=SEED).card_bytes


def changed(data: bytes, **fields: object) -> bytes:
    return canonical.encode(canonical.decode(data, largest=LARGEST_CARD, signed=True) | fields, signed=True)


def test_a_card_reads_back_and_its_digest_is_that_of_its_bytes(data: bytes) -> None:
    card = Card.parse(data)
    assert card.encode() == data
    assert len(data) < 65_536


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=60))
def test_every_text_that_can_be_seen_has_one_spelling(text: str) -> None:
    spelled = spell(text)
    assert unspell(spelled, "a text", 60) == text
    canonical.encode({"text": spelled})


@pytest.mark.parametrize(
    "spelled", ["%41", "%c3%A9", "%C3", "%", "%4", "é", 'a"', "a\\", "", "%0A", "%E2%80%AE", "%ED%A0%80"]
)
def test_other_spellings_are_refused(spelled: str) -> None:
    with pytest.raises(Invalid):
        unspell(spelled, "a text", 60)


def test_what_deceives_the_eye_is_refused() -> None:
    for text in ("a\u200bb", "a\u202eb", "a\nb", "a\tb", "\ufeffa", "a\u2066b"):
        with pytest.raises(Invalid, match="cannot be seen"):
            require_plain(text, "a name", 60)


def test_made_up_rows_cannot_be_replaced_by_real_ones(data: bytes) -> None:
    samples: dict[str, Any] = canonical.decode(data, largest=LARGEST_CARD, signed=True)["samples"]
    samples["rows"][0][0] = "1.234"
    with pytest.raises(Invalid, match="not the made-up ones"):
        Card.parse(changed(data, samples=samples))


@pytest.mark.parametrize(
    "fields",
    [
        {"format": "freehold/card/2"},
        {"missing": "mean"},
        {"rows": 0},
        {"rows": 300_001},
        {"rows": 239},
        {"columns": []},
        {"more": 1},
        {"split": {"certificate": "00", "rules": ["R1", "R2"], "subsets": 4}},
        {"split": {"certificate": "00" * 32, "rules": ["R1"], "subsets": 4}},
        {"split": {"certificate": "00" * 32, "rules": ["R1", "R2"], "subsets": 65}},
        {"target": {"classes": ["b", "a"], "counts": [120, 120], "kind": "classes", "name": "t"}},
        {"target": {"classes": ["a"], "counts": [240], "kind": "classes", "name": "t"}},
        {"target": {"classes": ["a", "b"], "counts": [240, 0], "kind": "classes", "name": "t"}},
        {"target": {"classes": ["a", "b"], "counts": [240], "kind": "classes", "name": "t"}},
        {"target": {"classes": ["a", "b"], "counts": [120, 120], "kind": "classes", "name": "heart"}},
        {"target": {"deviation": 0, "digits": 0, "kind": "number", "knots": [0] * 17, "mean": 0, "name": "t"}},
        {"title": "%0A"},
    ],
)
def test_a_card_with_a_wrong_field_is_refused(data: bytes, fields: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        Card.parse(changed(data, **fields))


@pytest.mark.parametrize(
    "column",
    [
        {"kind": "number"},
        {"deviation": 1, "digits": 1, "kind": "number", "knots": [0] * 17, "mean": 0, "missing": 240, "name": "x"},
        {"deviation": 1, "digits": 1, "kind": "number", "knots": [0] * 18, "mean": 0, "missing": 0, "name": "x"},
        {"deviation": 1, "digits": 1, "kind": "number", "knots": [0] * 17, "mean": 2**52, "missing": 0, "name": "x"},
        {"kind": "category", "missing": 0, "name": "x", "values": []},
        {"kind": "category", "missing": 0, "name": "x", "values": ["b", "a"]},
        {"kind": "category", "missing": 0, "name": "x", "values": ["a", "a"]},
        {"kind": "category", "missing": 0, "name": "x", "values": [f"{index:03}" for index in range(101)]},
        {"kind": "category", "missing": -1, "name": "x", "values": ["a"]},
        {"kind": "category", "missing": 0, "name": "lung", "values": ["a"]},
    ],
)
def test_a_card_with_a_wrong_column_is_refused(data: bytes, column: dict[str, object]) -> None:
    columns = canonical.decode(data, largest=LARGEST_CARD, signed=True)["columns"]
    with pytest.raises(Invalid):
        Card.parse(changed(data, columns=[column, *columns[1:]]))


@given(st.binary(max_size=300))
def test_no_bytes_bring_a_card_to_its_knees(junk: bytes) -> None:
    with pytest.raises(Invalid):
        Card.parse(junk)


def test_names_of_any_language_are_published_as_they_are(tmp_path: Path) -> None:
    rows = [[f"{index % 9}.5", 'ja "ja"'.replace('"', "'") if index % 2 else "nein %"] for index in range(90)]
    table = read_table(write_csv(tmp_path, ["Größe \\ cm", "入院"], rows), target="入院")
    card = Card.parse(prepare(table, tmp_path / "out", seed=SEED).card_bytes)
    assert unspell(card.columns[0].name, "a name", 100) == "Größe \\ cm"
    assert unspell(card.target.name, "a name", 100) == "入院"
    assert table.classes == ("ja 'ja'", "nein %")
