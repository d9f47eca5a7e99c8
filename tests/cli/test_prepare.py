"""`dataset prepare` as somebody types it: refused in five parts before anything starts, or a whole folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from freehold.cli.application import run
from freehold.learning.card import Card
from tests.learning.tables import patients, write_csv


def prepared(*arguments: str | Path) -> int:
    return run(["dataset", "prepare", *map(str, arguments), "--format", "json"])


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["--target", "outcom"], "no column 'outcom'"),
        (["--target", "outcome", "--subsets", "65"], "65 subsets"),
        (["--target", "outcome", "--replicas", "4"], "4 replicas"),
        (["--target", "outcome", "--group-min", "1"], "at least 1 subsets"),
        (["--target", "outcome", "--map", "rff-900"], "at least 5 are needed"),
        (["--target", "outcome", "--like", "nobody.json"], "nobody.json cannot be read"),
    ],
)
def test_a_refusal_says_what_to_change_and_that_nothing_was_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], what: str
) -> None:
    file = write_csv(tmp_path, *patients(240))

    assert prepared(file, *options, "--out", tmp_path / "new" / "out") == 4

    said = json.loads(capsys.readouterr().err)
    assert what in said["what"]
    assert said["next"]
    assert said["now"] == "nothing was written"
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_a_folder_in_use_is_refused_before_the_table_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine", "utf-8")

    assert prepared(tmp_path / "nowhere.csv", "--target", "outcome", "--out", tmp_path / "out") == 4
    assert "exists already" in json.loads(capsys.readouterr().err)["what"]


def test_a_link_that_leads_nowhere_is_not_written_through(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").symlink_to(tmp_path / "nowhere")
    file = write_csv(tmp_path, *patients(240))

    assert prepared(file, "--target", "outcome", "--out", tmp_path / "out") == 4
    assert "exists already" in json.loads(capsys.readouterr().err)["what"]


@pytest.mark.parametrize(
    "name", [b"na\xffme.csv", b"l" * 120 + b".csv", "tur\u202ened.csv".encode(), b"\xef\xbb\xbf.csv"]
)
def test_a_file_may_have_any_name(tmp_path: Path, name: bytes) -> None:
    file = write_csv(tmp_path, *patients(240))
    odd = tmp_path / os.fsdecode(name)
    file.rename(odd)

    assert prepared(odd, "--target", "outcome", "--out", tmp_path / "out") == 0
    assert Card.parse((tmp_path / "out" / "card.json").read_bytes()).title
