"""A terminal with a shell of its own: a command is typed at its prompt, questions are answered at the keyboard."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.tutorial.screen import Screen

_ROWS, _COLUMNS = 50, 220
"""Wide, so that no line is broken where a reader's window happens to end."""
_PROMPT: Final = re.compile(r"\x02(\d+)\x03")
"""The shell's prompt: the exit code of the command before it, between characters that nobody types."""
_SHELL: Final = ("bash", "--noprofile", "--norc", "--noediting", "-i")


class Terminal:
    """One window of the reader's."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._keyboard, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
        # whoever leads a session and opens a terminal is controlled by it: Ctrl-C and a closed window reach the shell
        opens = f'PS1="$1" PS2="" exec {" ".join(_SHELL)} <"$0" >"$0" 2>&1'
        self._process = subprocess.Popen(
            ["bash", "-c", opens, os.ttyname(inside), "\x02$?\x03"],
            cwd=folder,
            env={**environment, "TERM": "xterm"},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_hears_everything,
        )
        self._seen = ""
        self._wait(Screen(), 10.0, lambda question, shown: None)
        os.close(inside)

    def types(
        self, command: str, patience: float, answer: Callable[[str, list[str]], str | None]
    ) -> tuple[int, list[str]]:
        """Types a command; its exit code, and the lines that it left on the screen.

        `answer` is given each question with the lines above it, and says what to type, or None if it was no question.
        """
        screen = Screen()
        self._press(command + "\n")
        code = self._wait(screen, patience, answer)
        lines = screen.lines[1 + command.count("\n") :]
        while lines and not lines[-1]:
            lines.pop()
        return code, lines

    def closes(self) -> None:
        """Closes the window: everything that was started in it is told so."""
        os.close(self._keyboard)
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _press(self, keys: str) -> None:
        os.write(self._keyboard, keys.encode())

    def _wait(self, screen: Screen, patience: float, answer: Callable[[str, list[str]], str | None]) -> int:
        """Shows what comes until the next prompt; the exit code in it."""
        deadline = time.monotonic() + patience
        answered: tuple[int, str] | None = None
        while True:
            prompt = _PROMPT.search(self._seen)
            if prompt is not None:
                screen.show(self._seen[: prompt.start()])
                self._seen = self._seen[prompt.end() :]
                return int(prompt[1])
            self._show_but_a_prompt(screen)
            question = (len(screen.lines), screen.asked)
            if question != answered and (keys := answer(screen.asked, screen.lines)) is not None:
                answered = question
                self._press(keys + "\n")
            assert time.monotonic() < deadline, "nothing came for too long after:\n" + "\n".join(screen.lines)
            if select.select([self._keyboard], [], [], 0.1)[0]:
                self._seen += os.read(self._keyboard, 1 << 16).decode("utf-8", "replace")

    def _show_but_a_prompt(self, screen: Screen) -> None:
        """Shows what has come, except what may be the beginning of a prompt."""
        shown, mark, rest = self._seen.partition("\x02")
        screen.show(shown)
        self._seen = mark + rest


def _hears_everything() -> None:
    """Whoever starts the tests in the background hands down that Ctrl-C and a closed window are ignored."""
    for each in (signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_DFL)
