"""The tutorial, typed as it is printed: a terminal for each name at a prompt, one market, every line compared."""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from tests.tutorial.page import Reader, Step, steps_of
from tests.tutorial.terminal import Terminal

PAGE: Final = Path(__file__).parents[2] / "docs" / "tutorial.md"
PORT: Final = "7430"
"""The port of the page; a machine that runs tests may use it for something else, so another one is typed."""
PATIENCE: Final = 60.0
"""Seconds for one command."""
SOON: Final = 15.0
"""Seconds until the market has done what the page shows next."""
LOOKS: Final = ("freehold status", "freehold inbox", "cat ", "tail ", "grep ")
"""Commands that change nothing: who sees too early what an agent has not done yet looks again."""


class Desk:
    """Somebody with four terminals and the page beside them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._terminals: dict[str, Terminal] = {}
        self._reader = Reader()
        self._port = _free_port()

    def does(self, step: Step, *, may_fail: bool) -> None:
        """Types one command of the page, and compares what is shown."""
        command = self._reader.types(step.command).replace(PORT, self._port)
        expected = [line.replace(PORT, self._port) for line in step.shown]
        until = time.monotonic() + SOON
        while True:
            code, shown = self._terminal(step.who).types(command, PATIENCE, partial(_answer, step))
            if self._reader.sees(expected, shown):
                break
            if not command.startswith(LOOKS) or time.monotonic() > until:
                pytest.fail(_difference(step, command, shown))
            time.sleep(0.2)
        assert may_fail or code == 0, f"line {step.line}: `{command}` ended with {code}, which the page does not say"

    def has_stopped_everything(self) -> bool:
        """Whether nothing that was left running in a terminal runs still."""
        return all(not each.types("jobs", PATIENCE, lambda *_: None)[1] for each in self._terminals.values())

    def _terminal(self, who: str) -> Terminal:
        if who not in self._terminals:
            self._terminals[who] = terminal = Terminal(self._folder, _environment(self._folder))
            self._stack.callback(terminal.closes)
        return self._terminals[who]


@contextmanager
def a_desk(folder: Path) -> Iterator[Desk]:
    """A desk whose windows are all closed in the end."""
    with ExitStack() as stack:
        yield Desk(folder, stack)


@pytest.mark.processes
def test_the_tutorial_tells_the_truth(tmp_path: Path) -> None:
    steps = steps_of(PAGE)
    with a_desk(tmp_path) as desk:
        for step, after in zip(steps, [*steps[1:], None], strict=True):
            # a command may fail where the page asks for its exit code next
            desk.does(step, may_fail=after is not None and after.command == "echo $?")
        assert desk.has_stopped_everything(), "the page leaves something running"


def _environment(folder: Path) -> dict[str, str]:
    """A terminal of somebody who has installed Freehold and nothing of it configured."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    programs = os.path.dirname(sys.executable)
    return {"HOME": str(folder), "LANG": "C.UTF-8", **kept, "PATH": f"{programs}:{kept.get('PATH', '/usr/bin:/bin')}"}


def _answer(step: Step, question: str, above: list[str]) -> str | None:
    """What the page answers to a question, or a word of the sheet that the reader has just written."""
    if word := re.fullmatch(r"Word (\d+): ", question):
        sheet: dict[str, str] = dict(re.findall(r"(\d+) ([a-z]+)", "\n".join(above)))
        return sheet[word[1]]
    if not question.endswith("[y/N]: "):
        return None
    given = [line.rpartition("[y/N]: ")[2] for line in step.shown if "[y/N]: " in line]
    assert given, f"line {step.line}: `{step.command}` asks, and the page does not say so:\n{question}"
    return given[0]


def _difference(step: Step, command: str, shown: list[str]) -> str:
    said = "\n".join(["the page says:", *step.shown, "", "the terminal shows:", *shown])
    return f"line {step.line} of {PAGE.name}: {step.who}$ {command}\n{said}"


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])
