"""The terminal of the tutorial behaves as a reader's own window does."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tutorial.terminal import Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A window that is closed in the end."""
    opened = Terminal(tmp_path, {"HOME": str(tmp_path), "PATH": os.environ["PATH"]})
    yield opened
    opened.closes()


def nothing(question: str, above: list[str]) -> None:
    """Answers no question."""


def test_what_is_typed_stays_and_a_failure_shows_in_the_code(terminal: Terminal) -> None:
    assert terminal.types("export WORD=there", 5.0, nothing) == (0, [])
    assert terminal.types("echo over \\\n  $WORD; false", 5.0, nothing) == (1, ["over there"])


def test_a_program_sees_a_person_and_gets_an_answer_to_each_question(terminal: Terminal) -> None:
    asks = "[ -t 0 ] && [ -t 2 ] && for n in 1 2; do read -p 'Sure? [y/N]: ' said; echo \"said $said\"; done"
    code, shown = terminal.types(asks, 5.0, lambda question, _: "y" if question.endswith("[y/N]: ") else None)
    assert (code, shown) == (0, ["Sure? [y/N]: y", "said y", "Sure? [y/N]: y", "said y"])


def test_a_closed_window_takes_along_what_was_left_running_in_it(terminal: Terminal, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "alive")
    window = Terminal(tmp_path, {"HOME": str(tmp_path), "PATH": os.environ["PATH"]})
    alive = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    window.types("(echo up; sleep 600) > alive &", 5.0, nothing)
    assert select.select([alive], [], [], 30.0)[0]
    assert os.read(alive, 3) == b"up\n"
    window.closes()
    # the last one who could write is gone: there is an end to read
    assert select.select([alive], [], [], 30.0)[0]
    assert os.read(alive, 1) == b""
    os.close(alive)
    assert terminal.types("echo here", 5.0, nothing) == (0, ["here"])
