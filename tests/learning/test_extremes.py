"""A column that fixed point would flatten is refused with the unit to write it in; an outlier costs nobody digits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from freehold.errors import Invalid
from freehold.learning.card import NumberColumn
from freehold.learning.table import Table, read_table
from tests.learning.tables import patients, write_csv


def read_with(folder: Path, cells: Sequence[object], target: str = "outcome") -> Table:
    names, rows = patients(len(cells))
    table = [[*row[:-1], cell, row[-1]] for row, cell in zip(rows, cells, strict=True)]
    return read_table(write_csv(folder, [*names[:-1], "dose", names[-1]], table), target=target)


@pytest.mark.parametrize("target", ["outcome", "dose"])
def test_values_beyond_31_bits_are_to_be_written_in_a_larger_unit(tmp_path: Path, target: str) -> None:
    with pytest.raises(Invalid, match="of 200 values of 'dose' are larger than 2,147,483,647") as caught:
        read_with(tmp_path, [f"{index % 150}.5e11" for index in range(200)], target)
    assert "larger unit" in caught.value.next


@pytest.mark.parametrize("target", ["outcome", "dose"])
@pytest.mark.parametrize("power", [-10, -12, -40])
def test_values_that_differ_beyond_the_ninth_digit_are_to_be_written_in_a_smaller_unit(
    tmp_path: Path, target: str, power: int
) -> None:
    with pytest.raises(Invalid, match="the values of 'dose' differ by less than a ten-millionth") as caught:
        read_with(tmp_path, [f"{index % 150 + 1}.25e{power}" for index in range(200)], target)
    assert "smaller unit" in caught.value.next


def test_zeros_are_no_small_numbers(tmp_path: Path) -> None:
    table = read_with(tmp_path, ["0.00"] * 100 + ["0"] * 100)
    assert "`dose` left out: it has the same value in every row" in table.notices


def test_an_outlier_counts_as_the_largest_and_costs_the_other_values_no_digits(tmp_path: Path) -> None:
    table = read_with(tmp_path, [f"{index % 150 / 1000:.3f}" for index in range(199)] + ["999999999"])
    column = table.columns[-1]
    assert isinstance(column, NumberColumn)
    assert column.digits == 3
    assert table.rows.values[-1, -1] == 2**31 - 1
    assert "`dose`: 1 of its values are beyond ±2147483.647 and count as that" in table.notices


def test_no_value_of_a_target_is_cut(tmp_path: Path) -> None:
    table = read_with(tmp_path, [f"{index % 150 / 1000:.3f}" for index in range(199)] + ["999999999"], "dose")
    assert table.rows.targets[-1] == 999_999_999
