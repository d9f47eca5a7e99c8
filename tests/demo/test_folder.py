"""The folder of a demo appears whole, or not at all, and never in the place of somebody's work."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from freehold.demo.folder import SCHEMA, SUMMARY, output_folder
from freehold.errors import Invalid, Unavailable


def finished(folder: Path, text: str = "new") -> None:
    (folder / SUMMARY).write_text(json.dumps({"schema": SCHEMA, "text": text}))


def everything(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_it_appears_when_it_is_whole(tmp_path: Path) -> None:
    with output_folder(tmp_path / "deep" / "out") as folder:
        finished(folder)
        assert not (tmp_path / "deep" / "out").exists()
    assert everything(tmp_path / "deep") == {"out"}
    assert everything(tmp_path / "deep" / "out") == {SUMMARY}


@pytest.mark.parametrize("trouble", [ValueError, KeyboardInterrupt])
def test_trouble_leaves_nothing(tmp_path: Path, trouble: type[BaseException]) -> None:
    def fails() -> None:
        with output_folder(tmp_path / "made" / "on the way" / "out") as folder:
            finished(folder)
            raise trouble

    with pytest.raises(trouble):
        fails()
    assert everything(tmp_path) == set()


def test_an_earlier_one_is_replaced_only_by_a_whole_one(tmp_path: Path) -> None:
    with output_folder(tmp_path / "out") as folder:
        finished(folder, "old")
        (folder / "more").write_text("old")
    with pytest.raises(ValueError, match="no"), output_folder(tmp_path / "out") as folder:
        raise ValueError("no")
    assert "old" in (tmp_path / "out" / SUMMARY).read_text()
    with output_folder(tmp_path / "out") as folder:
        finished(folder, "new")
    assert everything(tmp_path) == {"out"}
    assert everything(tmp_path / "out") == {SUMMARY}
    assert "new" in (tmp_path / "out" / SUMMARY).read_text()


@pytest.mark.parametrize("content", ['{"schema": "something else"}', "no json", "[]", None])
def test_somebody_s_work_is_not_touched(tmp_path: Path, content: str | None) -> None:
    theirs = tmp_path / "out"
    theirs.mkdir()
    (theirs / "thesis.txt").write_text("mine")
    if content is not None:
        (theirs / SUMMARY).write_text(content)
    before = everything(theirs)
    with pytest.raises(Invalid, match="not made by a demo"), output_folder(theirs):
        pytest.fail("nothing may start")
    assert everything(theirs) == before


def test_a_file_in_its_place_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(Invalid), output_folder(tmp_path / "out"):
        pytest.fail("nothing may start")


def test_a_place_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable), output_folder(tmp_path / "file" / "out"):
        pytest.fail("nothing may start")


def test_a_disk_that_would_be_full_is_told_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=2**20))
    with pytest.raises(Unavailable, match="1 MiB are free") as caught, output_folder(tmp_path / "on the way" / "out"):
        pytest.fail("nothing may start")
    assert caught.value.now == "nothing was started"
    assert everything(tmp_path) == set()
