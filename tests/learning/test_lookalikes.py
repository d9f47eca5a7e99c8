"""What a person takes for a number and the reader does not is never trained on as something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold.errors import Invalid
from freehold.learning.card import CategoryColumn, NumberTarget
from freehold.learning.table import Table, read_table
from tests.learning.tables import patients, write_csv


def read_with(folder: Path, cells: list[str], **asked: object) -> Table:
    names, rows = patients(len(cells))
    path = folder / "table.csv"
    path.write_text(
        "\n".join([";".join([*names[:-1], "dose", names[-1]])] + [
            ";".join(map(str, [*row[:-1], cell, row[-1]])) for row, cell in zip(rows, cells, strict=True)
        ]) + "\n",
        encoding="utf-8",
    )  # fmt: skip
    return read_table(path, target="outcome", **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "written",
    ["{}.5", "{},5", "12,{:03}", "1.234,{}", "1 {:03}", "$ {}", "{} %", ".{}", "{}.", "-{},5", "\u2212{}", "1,{}e5"],
)
def test_numbers_that_are_written_otherwise_are_refused_and_plain_ones_are_not(tmp_path: Path, written: str) -> None:
    cells = [written.format(index % 150) for index in range(300)]
    if written == "{}.5":
        assert read_with(tmp_path, cells).columns[-1].name == "dose"
        return
    with pytest.raises(Invalid, match="no plain number") as caught:
        read_with(tmp_path, cells)
    assert "decimal point" in caught.value.next
    assert "--category dose" in caught.value.next


def test_their_owner_can_say_that_they_are_codes(tmp_path: Path) -> None:
    table = read_with(tmp_path, [["1,2", "2,3", "1"][index % 3] for index in range(90)], categories=["dose"])
    assert isinstance(table.columns[-1], CategoryColumn)


def test_a_word_for_missing_is_told_even_where_most_cells_hold_it(tmp_path: Path) -> None:
    cells = [f"{index}.5" if index % 3 == 0 else "N/A" for index in range(300)]
    with pytest.raises(Invalid, match=r"'dose' holds 'N/A' in line 3") as caught:
        read_with(tmp_path, cells)
    assert "an empty cell is a missing value" in caught.value.next


def test_codes_of_which_many_are_numbers_are_left_out_like_other_codes(tmp_path: Path) -> None:
    tickets = [f"{index * 7}" if index % 4 else f"PC {index}" for index in range(300)]
    table = read_with(tmp_path, tickets)
    assert "dose" not in [column.name for column in table.columns]
    assert "`dose` left out: 300 values would single out rows" in " ".join(table.notices)


def test_a_target_with_decimal_commas_is_refused_rather_than_called_too_many_classes(tmp_path: Path) -> None:
    path = write_csv(tmp_path, ["heart", "outcome"], [[index % 9, f'"{index},5"'] for index in range(300)])
    with pytest.raises(Invalid, match="no plain number") as caught:
        read_table(path, target="outcome")
    assert "--kind classes" in caught.value.next


def test_whole_numbers_are_predicted_as_numbers_if_their_owner_says_so(tmp_path: Path) -> None:
    path = write_csv(tmp_path, ["heart", "outcome"], [[index % 9, index % 5] for index in range(300)])
    assert read_table(path, target="outcome").classes == ("0", "1", "2", "3", "4")
    assert isinstance(read_table(path, target="outcome", kind="number").target, NumberTarget)
