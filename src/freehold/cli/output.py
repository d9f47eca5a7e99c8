"""One result, two ways to write it: text for people, one JSON document for programs; nothing else is on stdout."""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from freehold.terminal.colors import Choice, Ink, wants_color
from freehold.terminal.live import Progress
from freehold.terminal.symbols import symbols_for


class Output:
    """Where a command's result and progress go, and in which form."""

    def __init__(self, format: str = "text", color: Choice = "auto", *, quiet: bool = False) -> None:
        self.json = format == "json"
        self._color: Choice = color
        self._quiet = quiet
        self.ink = Ink(on=not self.json and wants_color(sys.stdout, color))
        self.symbols = symbols_for(sys.stdout)

    def result(self, schema: str, document: Mapping[str, Any], text: Callable[[], str]) -> None:
        """Writes the result: the document under `freehold/<schema>/1`, or its text."""
        print(json.dumps({"schema": f"freehold/{schema}/1", **document}) if self.json else text(), flush=True)

    def progress(self) -> Progress:
        """Progress on stderr, silent if asked to be."""
        return Progress(sys.stderr, color=self._color, quiet=self._quiet)


def short(identifier: str) -> str:
    """The eight characters of an id that screens show; a prefix of six is enough to name it again."""
    return identifier[:8]
