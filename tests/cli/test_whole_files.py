"""A file that a command leaves behind is the old one or the new one, whoever reads it and whatever happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold.cli.files import write_whole
from freehold.errors import Unavailable


def test_whoever_reads_a_file_while_it_is_replaced_reads_all_of_the_old_one(tmp_path: Path) -> None:
    place = tmp_path / "made on the way" / "predictions.csv"
    write_whole(place, b"old " * 100_000)

    with place.open("rb") as reader:
        begun = reader.read(4)
        write_whole(place, b"new")
        assert begun + reader.read() == b"old " * 100_000

    assert place.read_bytes() == b"new"
    assert [each.name for each in place.parent.iterdir()] == ["predictions.csv"]


def test_what_cannot_be_written_leaves_nothing_beside_its_place(tmp_path: Path) -> None:
    (tmp_path / "evidence.json").mkdir()

    with pytest.raises(Unavailable, match="cannot be written"):
        write_whole(tmp_path / "evidence.json", b"data")

    assert [each.name for each in tmp_path.iterdir()] == ["evidence.json"]
