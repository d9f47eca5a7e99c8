"""Progress: a block of lines that changes in place on a terminal, one line per change elsewhere.

A log file must not fill with redrawn tables, and a person must not scroll through a hundred lines that say the same;
so what is shown is a set of named lines, and each medium gets them in its own way.
"""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from freehold.terminal.colors import Choice, Ink, wants_color
from freehold.terminal.symbols import symbols_for

if TYPE_CHECKING:
    from rich.live import Live


class Progress:
    """Shows named lines on a stream, normally stderr; use it as a context so that the cursor is given back."""

    def __init__(self, stream: TextIO | None = None, *, color: Choice = "auto", quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._lines: dict[str, str] = {}
        self._live: Live | None = None
        self.ink = Ink(on=wants_color(self._stream, color))
        self.symbols = symbols_for(self._stream)
        self.in_place = self._stream.isatty() and not quiet

    def __enter__(self) -> "Progress":
        if self.in_place:
            # half of the cost of a short command would be this import, so only a terminal pays for it
            from rich.console import Console
            from rich.live import Live

            console = Console(file=self._stream, highlight=False, no_color=not self.ink.on)
            self._live = Live(console=console, refresh_per_second=10, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def say(self, line: str) -> None:
        """A line that stays: it scrolls up above the lines that change."""
        if self._quiet:
            return
        if self._live is not None:
            from rich.text import Text

            self._live.console.print(Text.from_ansi(line))
        else:
            print(line, file=self._stream, flush=True)

    def show(self, name: str, line: str) -> None:
        """The present text of the line `name`; unchanged text is not written again."""
        if self._quiet or self._lines.get(name) == line:
            return
        self._lines[name] = line
        if self._live is not None:
            self._draw()
        else:
            print(line, file=self._stream, flush=True)

    def drop(self, name: str) -> None:
        """Takes the line `name` away: what it told of is over and leaves nothing to read."""
        if self._lines.pop(name, None) is not None and self._live is not None:
            self._draw()

    def _draw(self) -> None:
        if self._live is not None:
            from rich.text import Text

            self._live.update(Text.from_ansi("\n".join(self._lines.values())))
            # where no line is left, none may stay behind either
            self._live.transient = not self._lines

    def settle(self) -> None:
        """Keeps the changing lines as they are, above whatever is shown next."""
        if self._live is not None and self._lines:
            from rich.text import Text

            kept = list(self._lines.values())
            self._lines.clear()
            self._draw()
            for line in kept:
                self._live.console.print(Text.from_ansi(line))
        self._lines.clear()
