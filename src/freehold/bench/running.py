"""One run of the benchmark as a command makes it: progress while it plays, and a folder with result and picture."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from freehold.bench.drawing import picture
from freehold.bench.measuring import Measured, chosen, document, measure
from freehold.demo.folder import Mark, cannot_write, output_folder
from freehold.terminal.live import Progress

RESULT: Final = "cheating.json"
PICTURE: Final = "cheating.svg"
SCHEMA: Final = "freehold/cheating/1"
MARK: Final = Mark(file=RESULT, schema=SCHEMA, maker="the cheating benchmark")
_BAR: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a run leaves behind."""

    measured: list[Measured]
    document: dict[str, Any]
    seconds: float


def run(names: Sequence[str], seeds: int, out: Path, progress: Progress) -> Finished:
    """Plays the attacks of these names, or all, and writes result and picture into `out`: both, or nothing.

    Raises Invalid for an unknown attack, or if something lies at `out` that is not an earlier result.
    """
    attacks = chosen(names)
    begun, shown = time.monotonic(), _Bar(progress, seeds * (len(attacks) + 1))
    with output_folder(out, MARK) as folder:
        with tempfile.TemporaryDirectory(prefix="freehold-bench-") as work:
            measured = measure(attacks, seeds, Path(work), shown.told)
        progress.drop("playing")
        made = document(measured, seeds)
        try:
            written = json.dumps({"schema": SCHEMA, **made}, indent=1)
            (folder / RESULT).write_text(written + "\n", "utf-8")
            (folder / PICTURE).write_text(picture(measured, seeds), "utf-8")
        except OSError as error:
            raise cannot_write(out, error) from None
    return Finished(measured=measured, document=made, seconds=time.monotonic() - begun)


class _Bar:
    """How many markets of how many have been played: a bar for who watches, a line for each seed in a log."""

    def __init__(self, progress: Progress, markets: int) -> None:
        self._progress = progress
        self._markets = markets
        self._played = 0
        self._seed = 0

    def told(self, attack: str, seed: int) -> None:
        """Another market begins."""
        progress, done = self._progress, self._played / self._markets
        self._played += 1
        if progress.in_place:
            filled = round(_BAR * done)
            bar = progress.ink.good(progress.symbols.bar * filled) + progress.symbols.rest * (_BAR - filled)
            name = progress.ink.strong("playing".ljust(8))
            progress.show("playing", f" {name} {bar} {done:4.0%}  seed {seed}, {attack}")
        elif seed != self._seed:
            self._seed = seed
            progress.say(f"seed {seed}")
