"""The reader of the tutorial is itself no fool: it takes what may differ, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tutorial.page import Reader, steps_of
from tests.tutorial.screen import Screen

WHOLE = "7c1e04b9" + 56 * "0"
MINE = "aaaa1111" + 56 * "2"


def test_a_page_is_read_as_who_types_what_and_what_is_shown(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Try\n\n```console\nme$ echo \\\n  a\na\nyou$ true\n```\n\n```text\nme$ not this\n```\n")
    first, second = steps_of(page)
    assert (first.line, first.who, first.command, first.shown) == (4, "me", "echo \\\n  a", ("a",))
    assert (second.line, second.who, second.command, second.shown) == (7, "you", "true", ())


@pytest.mark.parametrize(
    ("expected", "shown"),
    [
        (["a", "b"], ["a", "b  "]),
        (["took … s"], ["took 1.2 s"]),
        (["a", "…", "z"], ["a", "b", "c", "z"]),
        (["a", "…", "z"], ["a", "z"]),
        (["7c1e04b9 joins", "7c1e04b9 leaves"], ["aaaa1111 joins", "aaaa1111 leaves"]),
        (["in all 7c1e04b9…"], [f"in all {MINE}"]),
    ],
)
def test_what_may_differ_is_taken(expected: list[str], shown: list[str]) -> None:
    assert Reader().sees(expected, shown)


@pytest.mark.parametrize(
    ("expected", "shown"),
    [
        (["a"], ["b"]),
        (["a"], []),
        ([], ["a warning"]),
        (["a", "b"], ["b", "a"]),
        (["took … s"], ["took 1.2 ms"]),
        (["a", "…", "z"], ["a", "b"]),
        (["7c1e04b9 joins", "7c1e04b9 leaves"], ["aaaa1111 joins", "bbbb1111 leaves"]),
        (["7c1e04b9 joins", "41d0a7c2 leaves"], ["aaaa1111 joins", "aaaa1111 leaves"]),
        ([WHOLE], ["aaaa1111"]),
    ],
)
def test_anything_else_is_a_lie(expected: list[str], shown: list[str]) -> None:
    reader = Reader()
    assert not reader.sees(expected, shown)
    assert reader.ids == {}


def test_a_reader_types_its_own_ids_and_none_that_nothing_has_shown() -> None:
    reader = Reader()
    assert reader.sees([f"network {WHOLE}"], [f"network {MINE}"])
    assert reader.types(f"join {WHOLE} as 7c1e04b9") == f"join {MINE} as aaaa1111"
    with pytest.raises(AssertionError, match="nothing has shown"):
        reader.types("train 41d0a7c2")
    assert reader.sees(["training 41d0a7c2"], ["training bbbb2222"])
    with pytest.raises(AssertionError, match="only the beginning"):
        reader.types("audit 41d0a7c2" + 56 * "0")


def test_a_screen_keeps_what_stands_in_the_end() -> None:
    screen = Screen()
    screen.show("round 1\r\x1b[2K\x1b[1mround 2\x1b[0m\r\nbelow\r\x1b[1A\x1b")
    screen.show("[2Kround 3\r\n\r\nWord 7: ")
    assert screen.lines == ["round 3", "below", "Word 7:"]
    assert screen.asked == "Word 7: "
