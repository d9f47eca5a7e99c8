"""Whether a stream gets colour, and the few colours there are."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TextIO, TypeAlias

Choice: TypeAlias = Literal["auto", "always", "never"]

RESET: Final = "\x1b[0m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ink:
    """Paints text, or leaves it as it is; red and green never carry meaning."""

    on: bool

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}{RESET}" if self.on and text else text

    def strong(self, text: str) -> str:
        """What the eye should find first."""
        return self._paint(text, "1")

    def dim(self, text: str) -> str:
        """What stays in the background."""
        return self._paint(text, "2")

    def good(self, text: str) -> str:
        """Accepted, done: blue."""
        return self._paint(text, "38;5;33")

    def warn(self, text: str) -> str:
        """Out-voted, refused: orange."""
        return self._paint(text, "38;5;172")

    def vote(self, symbol: str, state: str) -> str:
        """A vote's symbol in the colour of its state."""
        if state == "accepted":
            return self.good(symbol)
        if state == "rejected":
            return self.warn(symbol)
        return self.dim(symbol)


def wants_color(stream: TextIO, choice: Choice = "auto", environment: Mapping[str, str] | None = None) -> bool:
    """Whether `stream` gets colour: the option decides, then NO_COLOR, FORCE_COLOR, TERM=dumb, then the terminal."""
    environment = os.environ if environment is None else environment
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return environment.get("TERM") != "dumb" and stream.isatty()
