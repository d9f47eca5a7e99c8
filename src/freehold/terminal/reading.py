"""How much of a large file has been read: for those who watch, nothing for a log."""

from collections.abc import Callable
from typing import Final

from freehold.terminal.live import Progress

_BAR: Final = 24


def shown_on(progress: Progress) -> Callable[[float], None]:
    """Shows the share of a file, 0 … 1, that has been read by now; nothing once all of it has."""

    def told(share: float) -> None:
        if share >= 1:
            progress.drop("reading")
        elif progress.in_place:
            filled = round(_BAR * share)
            bar = progress.ink.good(progress.symbols.bar * filled) + progress.symbols.rest * (_BAR - filled)
            progress.show("reading", f" {progress.ink.strong('reading'.ljust(10))} {bar} {share:4.0%}")

    return told
