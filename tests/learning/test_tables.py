"""An owner's table becomes integers by stated rules, and what could single out people is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from freehold.errors import Invalid
from freehold.learning.card import ByteColumn, CategoryColumn, ClassTarget, NumberColumn, NumberTarget
from freehold.learning.prepared import prepare
from freehold.learning.table import read_table
from tests.learning.tables import SEED, patients, write_csv


def with_column(rows: list[list[object]], cells: list[object]) -> list[list[object]]:
    return [[*row[:-1], cell, row[-1]] for row, cell in zip(rows, cells, strict=True)]


def read_with(folder: Path, name: str, cells: list[object], **options: object) -> tuple[list[str], str]:
    """The columns that are kept, and all notices, of a table with one column more."""
    names, rows = patients(len(cells))
    path = write_csv(folder, [*names[:-1], name, names[-1]], with_column(rows, cells))
    table = read_table(path, target="outcome", **options)  # type: ignore[arg-type]
    return [column.name for column in table.columns], " · ".join(table.notices)


def test_numbers_categories_and_classes_become_integers(tmp_path: Path) -> None:
    names, rows = patients(80)
    table = read_table(write_csv(tmp_path, names, rows), target="outcome")
    heart, *_, ward = table.columns
    assert isinstance(heart, NumberColumn)
    assert heart.digits == 3
    assert isinstance(ward, CategoryColumn)
    assert ward.values == ("north", "south", "west")
    assert isinstance(table.target, ClassTarget)
    assert table.target.classes == ("class 0", "class 1")
    assert table.rows.values[:, 0].tolist() == [round(1000 * float(str(row[0]))) for row in rows]
    assert table.rows.values[:, 3].tolist() == [["north", "south", "west"].index(str(row[3])) + 1 for row in rows]
    assert table.rows.targets.tolist() == [int(str(row[4])[-1]) for row in rows]


@pytest.mark.parametrize("missing", ["", "NA", "NaN", "nan", "null", "?"])
def test_a_missing_number_is_the_median_a_missing_category_none_a_missing_target_no_row(
    tmp_path: Path, missing: str
) -> None:
    names, rows = patients(80)
    rows[0][0] = rows[1][3] = rows[2][4] = missing
    table = read_table(write_csv(tmp_path, names, rows), target="outcome")
    heart = table.columns[0]
    assert isinstance(heart, NumberColumn)
    assert heart.missing == 1
    assert table.rows.values[0, 0] == heart.knots[8]
    assert table.rows.values[1, 3] == 0
    assert len(table.rows) == 79
    assert table.rows_left_out == 1
    assert table.notices == ("1 of 80 rows left out: they have no `outcome`",)
    present = sorted(round(1000 * float(str(row[0]))) for row in rows[1:2] + rows[3:])
    assert heart.knots[8] == present[2048 * len(present) // 4096]


def test_classes_and_categories_are_sorted_by_their_utf8_bytes(tmp_path: Path) -> None:
    texts = ["é", "z", "Z", "ä", "10", "9"]
    rows = [[index % 5, texts[index % 6], texts[(index // 6) % 6]] for index in range(180)]
    table = read_table(write_csv(tmp_path, ["x", "kind", "outcome"], rows), target="outcome")
    assert table.classes == ("10", "9", "Z", "z", "ä", "é")
    assert table.rows.values[:6, 1].tolist() == [6, 4, 3, 5, 1, 2]


def test_a_whole_number_target_of_many_values_is_a_number_and_of_few_a_class(tmp_path: Path) -> None:
    rows = [[index % 5, index % 50, index % 3] for index in range(200)]
    path = write_csv(tmp_path, ["x", "many", "few"], rows)
    assert isinstance(read_table(path, target="many").target, NumberTarget)
    assert isinstance(read_table(path, target="few").target, ClassTarget)
    assert isinstance(read_table(path, target="few", kind="number").target, NumberTarget)
    assert isinstance(read_table(path, target="many", kind="classes").target, ClassTarget)
    with pytest.raises(Invalid, match="kind 'regression'"):
        read_table(path, target="few", kind="regression")


def test_a_numeric_target_keeps_its_own_digits(tmp_path: Path) -> None:
    rows = [[index % 5, f"{index / 8}"] for index in range(200)]
    table = read_table(write_csv(tmp_path, ["x", "dose"], rows), target="dose")
    assert isinstance(table.target, NumberTarget)
    assert table.target.digits == 2
    assert table.rows.targets[:3].tolist() == [0, 13, 25]


def test_digits_are_as_many_as_the_texts_use_and_no_more_than_learning_can_use(tmp_path: Path) -> None:
    rows = [[f"{index}.25", f"{(index + 0.5) / 1e7:.8f}", 1e8 + index, index % 2] for index in range(200)]
    table = read_table(
        write_csv(tmp_path, ["coarse", "fine", "large", "outcome"], rows), target="outcome", keep=["large"]
    )
    digits = [column.digits for column in table.columns if isinstance(column, NumberColumn)]
    # the middle half of `coarse` is 100 wide: one digit gives a thousand steps; that of `fine` 1e-5: eight digits
    assert digits == [1, 8, 0]


@pytest.mark.parametrize(
    ("name", "cells", "why"),
    [
        ("patient_id", [f"p{index // 2}" for index in range(100)], "its name says `id`"),
        ("PatientID", [f"{index // 9}.5" for index in range(100)], "its name says `id`"),
        ("Postcode", ["01067"] * 50 + ["01069"] * 50, "its name says `postcode`"),
        ("record", list(range(5000, 5100)), "100 different whole numbers"),
        ("code", [f"{index:05}" for index in range(100)], "100 values would single out rows"),
        ("note", ["a long remark about somebody; " * 4] * 100, "free text"),
        ("seen", [f"2024-01-{index % 28 + 1:02}" for index in range(100)], "28 values would single out rows"),
        ("name of nurse", ["x"] * 100, "its name says `name`"),
        ("same", [7] * 100, "same value in every row"),
        ("same text", ["x"] * 100, "same value in every row"),
        ("nothing", [""] * 100, "it is empty"),
    ],
)
def test_columns_that_single_out_rows_or_say_nothing_are_left_out_with_the_reason(
    tmp_path: Path, name: str, cells: list[object], why: str
) -> None:
    columns, notices = read_with(tmp_path, name, cells)
    assert columns == ["heart", "lung", "liver", "ward"]
    assert f"`{name}` left out: " in notices
    assert why in notices


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("Postcode", ["01067"] * 50 + ["01069"] * 50),
        ("record", list(range(5000, 5100))),
        ("seen", [f"2024-01-{index % 10 + 1:02}" for index in range(100)]),
    ],
)
def test_the_owner_can_keep_them(tmp_path: Path, name: str, cells: list[object]) -> None:
    columns, _ = read_with(tmp_path, name, cells, keep=[name])
    assert columns == ["heart", "lung", "liver", "ward", name]


def test_what_cannot_be_published_cannot_be_kept(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be kept: none of its categories has 5 rows"):
        read_with(tmp_path, "code", [f"c{index}" for index in range(100)], keep=["code"])


def test_a_rare_category_is_not_published(tmp_path: Path) -> None:
    cells: list[object] = [*["common"] * 60, *["usual"] * 37, *["rare"] * 3]
    names, rows = patients(100)
    path = write_csv(tmp_path, [*names[:-1], "kind", names[-1]], with_column(rows, cells))
    table = read_table(path, target="outcome")
    kind = table.columns[-1]
    assert isinstance(kind, CategoryColumn)
    assert kind.values == ("common", "usual")
    assert table.rows.values[-3:, -1].tolist() == [0, 0, 0]
    assert table.notices == ("`kind`: 1 of 3 categories have fewer than 5 rows and count as none",)


def test_numbers_with_a_few_texts_between_them_are_refused_with_the_first(tmp_path: Path) -> None:
    cells: list[object] = [f"{index}.5" for index in range(100)]
    cells[41] = "<0.5"
    with pytest.raises(Invalid, match=r"'crp' holds '<0\.5' in line 43"):
        read_with(tmp_path, "crp", cells)


def test_a_decimal_comma_is_refused_with_its_cure(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    rows = "".join(f"{index};{index},5;{'ab'[index % 2]}\n" for index in range(40))
    path.write_text("day;crp;outcome\n1;2;a\n" + "".join(f"{i};{i};b\n" for i in range(60)) + rows, encoding="utf-8")
    with pytest.raises(Invalid) as caught:
        read_table(path, target="outcome")
    assert "decimal point" in caught.value.next


def test_a_few_codes_with_words_between_them_are_a_category(tmp_path: Path) -> None:
    cells: list[object] = [["0", "1", "2", "3 or more"][index % 4] for index in range(100)]
    columns, _ = read_with(tmp_path, "children", cells)
    assert "children" in columns


def test_numbers_can_be_read_as_categories(tmp_path: Path) -> None:
    names, rows = patients(100)
    path = write_csv(tmp_path, [*names[:-1], "site", names[-1]], with_column(rows, [1 + i % 3 for i in range(100)]))
    assert isinstance(read_table(path, target="outcome").columns[-1], NumberColumn)
    category = read_table(path, target="outcome", categories=["site"]).columns[-1]
    assert isinstance(category, CategoryColumn)
    assert category.values == ("1", "2", "3")


@pytest.mark.parametrize(
    ("target", "advice"),
    [
        ("outcom", "did you mean 'outcome'"),
        ("OUTCOME", "did you mean 'outcome'"),
        ("xyz", "the columns are heart, lung"),
    ],
)
def test_an_unknown_column_is_answered_with_the_nearest(tmp_path: Path, target: str, advice: str) -> None:
    path = write_csv(tmp_path, *patients(40))
    with pytest.raises(Invalid, match="there is no column") as caught:
        read_table(path, target=target)
    assert advice in caught.value.next
    with pytest.raises(Invalid, match="there is no column"):
        read_table(path, target="outcome", group=target)
    with pytest.raises(Invalid, match="there is no column"):
        read_table(path, target="outcome", keep=[target])


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        (["a"] * 40, "one class only"),
        ([""] * 40, "is empty"),
        ([f"c{index}" for index in range(120)], "more than 100 different values"),
    ],
)
def test_a_target_that_cannot_be_learned_is_refused(tmp_path: Path, cells: list[str], what: str) -> None:
    path = write_csv(tmp_path, ["x", "outcome"], [[index % 7, cell] for index, cell in enumerate(cells)])
    with pytest.raises(Invalid, match=what):
        read_table(path, target="outcome")


def test_a_numeric_target_without_any_spread_is_refused(tmp_path: Path) -> None:
    path = write_csv(tmp_path, ["x", "dose"], [[index % 7, "1.5"] for index in range(40)])
    with pytest.raises(Invalid, match="same value in every row"):
        read_table(path, target="dose")


def test_the_target_cannot_be_the_group(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be the group"):
        read_table(write_csv(tmp_path, *patients(40)), target="outcome", group="outcome")


def test_a_row_without_a_group_is_a_group_of_its_own(tmp_path: Path) -> None:
    rows = [[index % 7, ["p1", "p2", ""][index % 3], index % 2] for index in range(30)]
    table = read_table(write_csv(tmp_path, ["x", "patient", "outcome"], rows), target="outcome", group="patient")
    assert table.groups is not None
    assert len(np.unique(table.groups)) == 12
    assert [column.name for column in table.columns] == ["x"]


def test_a_row_that_is_left_out_takes_its_own_group_along_and_no_other_rows(tmp_path: Path) -> None:
    rows = [[index, f"p{index // 3}", "" if index in (0, 1, 7) else index % 2] for index in range(30)]
    table = read_table(write_csv(tmp_path, ["x", "patient", "outcome"], rows), target="outcome", group="patient")

    assert table.groups is not None
    patients_of_rows = [index // 3 for index in range(30) if index not in (0, 1, 7)]
    assert table.rows.values[:, 0].tolist() == [index for index in range(30) if index not in (0, 1, 7)]
    assert [[one == other for other in table.groups.tolist()] for one in table.groups.tolist()] == [
        [one == other for other in patients_of_rows] for one in patients_of_rows
    ]


def test_another_owners_card_decides_columns_digits_categories_and_classes(tmp_path: Path) -> None:
    names, rows = patients(120)
    first = prepare(read_table(write_csv(tmp_path, names, rows), target="outcome"), tmp_path / "one", seed=SEED).card
    other = [[float(str(row[0])) / 8, row[1], row[2], "east", row[0], row[4]] for row in patients(90, seed=2)[1]]
    path = write_csv(tmp_path, [*names[:4], "extra", names[4]], other)
    table = read_table(path, target="outcome", like=first)
    assert [type(column) for column in table.columns] == [type(column) for column in first.columns]
    assert [getattr(column, "digits", None) for column in table.columns] == [3, 3, 3, None]
    assert set(table.rows.values[:, 3].tolist()) == {0}
    assert "`extra` left out: the other card does not have it" in table.notices
    prepare(table, tmp_path / "two", seed=SEED)


def test_a_table_that_does_not_fit_another_owners_card_is_refused(tmp_path: Path) -> None:
    names, rows = patients(120)
    card = prepare(read_table(write_csv(tmp_path, names, rows), target="outcome"), tmp_path / "one", seed=SEED).card
    lacking = write_csv(tmp_path, names[1:], [row[1:] for row in rows])
    with pytest.raises(Invalid, match="no column 'heart'"):
        read_table(lacking, target="outcome", like=card)
    words = write_csv(tmp_path, names, [["much", *row[1:]] for row in rows])
    with pytest.raises(Invalid, match="'heart' holds 'much' in line 2"):
        read_table(words, target="outcome", like=card)
    strange = write_csv(tmp_path, names, [[*row[:4], "class 9"] for row in rows[:1]] + rows[1:])
    with pytest.raises(Invalid, match="class 'class 9', which the other card does not have"):
        read_table(strange, target="outcome", like=card)


def test_an_embedding_becomes_bytes_around_the_mean(tmp_path: Path) -> None:
    names, rows = patients(200)
    path = write_csv(tmp_path, [*names[:3], names[4]], [[*row[:3], row[4]] for row in rows])
    table = read_table(path, target="outcome", embedding=True)
    assert all(isinstance(column, ByteColumn) for column in table.columns)
    assert abs(table.rows.values.mean()) < 1
    assert 28 < table.rows.values.std() < 36
