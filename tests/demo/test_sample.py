"""The rows that a newcomer tries Freehold with: all of the table, in two files, and nothing of theirs overwritten."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest

from freehold.demo.plan import BUILT_IN
from freehold.demo.sample import HELD_OUT, OFFERED, main, write_sample


def rows_of(text: str) -> list[tuple[str, ...]]:
    return [tuple(row) for row in csv.reader(text.splitlines())]


def test_every_row_is_in_one_of_the_files_and_each_class_in_both(tmp_path: Path) -> None:
    said = write_sample(tmp_path)
    whole = rows_of(resources.files("freehold.demo.data").joinpath(BUILT_IN).read_text("utf-8"))
    offered, held_out = (rows_of((tmp_path / name).read_text("utf-8")) for name in (OFFERED, HELD_OUT))
    assert offered[0] == held_out[0] == whole[0]
    assert Counter(offered[1:] + held_out[1:]) == Counter(whole[1:])
    assert said == {OFFERED: len(offered) - 1, HELD_OUT: len(held_out) - 1}
    assert {row[0] for row in offered[1:]} == {row[0] for row in held_out[1:]} == {"benign", "malignant"}


def test_the_same_rows_are_held_out_every_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_sample(tmp_path / name)
    assert (tmp_path / "one" / HELD_OUT).read_bytes() == (tmp_path / "two" / HELD_OUT).read_bytes()


@pytest.mark.parametrize("name", [OFFERED, HELD_OUT])
def test_a_file_that_is_there_already_stays_as_it_is(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text("mine")
    monkeypatch.setattr(sys, "argv", ["sample", str(tmp_path)])
    assert main() == 1
    assert (tmp_path / name).read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert f"{tmp_path / name} cannot be written: File exists." in capsys.readouterr().err
