"""What a terminal shows in the end, when programs have moved its cursor about."""

from __future__ import annotations

import re
from typing import Final

_PIECE: Final = re.compile(
    r"\x1b\[(?P<numbers>[0-9;?]*)(?P<letter>[A-Za-z])|(?P<control>[\r\n\b\a])|(?P<text>[^\x1b\r\n\b\a]+)"
)


class Screen:
    """A screen as long as it needs to be; it knows the few movements that a line of progress makes."""

    def __init__(self) -> None:
        self._lines: list[str] = [""]
        self._row = 0
        self._column = 0
        self._rest = ""

    @property
    def lines(self) -> list[str]:
        """What stands there, without blanks at the ends of lines."""
        return [line.rstrip() for line in self._lines]

    @property
    def asked(self) -> str:
        """The text before the cursor: a question, if a program waits for an answer."""
        return self._lines[self._row][: self._column]

    def show(self, text: str) -> None:
        """Shows what a program wrote; an escape that is not whole yet waits for its end."""
        text = self._rest + text
        place = 0
        while piece := _PIECE.match(text, place):
            self._do(piece)
            place = piece.end()
        self._rest = text[place:]
        assert len(self._rest) < 16, f"an escape that this screen does not know: {self._rest[:16]!r}"

    def _do(self, piece: re.Match[str]) -> None:
        if piece["text"]:
            line = self._lines[self._row].ljust(self._column)
            self._lines[self._row] = line[: self._column] + piece["text"] + line[self._column + len(piece["text"]) :]
            self._column += len(piece["text"])
        elif piece["control"] == "\n":
            self._row += 1
            if self._row == len(self._lines):
                self._lines.append("")
        elif piece["control"] == "\r":
            self._column = 0
        elif piece["control"] == "\b":
            self._column = max(0, self._column - 1)
        elif piece["letter"]:
            self._move(piece["letter"], piece["numbers"])

    def _move(self, letter: str, numbers: str) -> None:
        if letter == "A":
            self._row = max(0, self._row - int(numbers or "1"))
        elif letter == "K":
            line = self._lines[self._row]
            self._lines[self._row] = "" if numbers == "2" else line[: self._column]
        # colours, and hiding and showing the cursor, leave the text as it is
        else:
            assert letter in "mhl", f"a movement that this screen does not know: {numbers}{letter}"
