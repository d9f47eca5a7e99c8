"""Prints what became of each planted bug."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TextIO

from tests.planted.patches import Bug
from tests.planted.trial import Verdict


def as_text(verdict: Verdict) -> str:
    """Two or three lines: how it went, the mistake, and what caught it or why nothing did."""
    mark = "caught" if verdict.is_caught else "MISSED"
    lines = [f"{mark}  {verdict.bug.name}  ({verdict.seconds:.1f} s)", f"        {verdict.bug.mistake}"]
    if verdict.caught_by is not None:
        lines.append(f"        by {verdict.caught_by}")
    if verdict.trouble:
        lines.append(f"        {verdict.trouble}")
    return "\n".join(lines)


def total(verdicts: Sequence[Verdict]) -> str:
    """The last line."""
    return f"caught {sum(verdict.is_caught for verdict in verdicts)} of {len(verdicts)}"


def as_json(verdicts: Sequence[Verdict]) -> str:
    """The same for a program."""
    bugs = [
        {
            "name": verdict.bug.name,
            "mistake": verdict.bug.mistake,
            "caught": verdict.is_caught,
            "caught_by": verdict.caught_by,
            "seconds": round(verdict.seconds, 1),
            "trouble": verdict.trouble,
        }
        for verdict in verdicts
    ]
    return json.dumps(
        {"bugs": bugs, "caught": sum(verdict.is_caught for verdict in verdicts), "of": len(verdicts)}, indent=2
    )


class Progress:
    """One line that changes, on a terminal; nothing anywhere else."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream

    def checks(self, bugs: Sequence[Bug]) -> None:
        """The named tests are run without any bug."""
        tests = {test for bug in bugs for test in bug.caught_by}
        self._show(f"{len(tests)} tests without any bug …")

    def begins(self, place: int, bugs: Sequence[Bug]) -> None:
        """The bug at `place` is being tried."""
        self._show(f"{place + 1} of {len(bugs)}: {bugs[place].name} …")

    def clear(self) -> None:
        """Takes the line away."""
        self._show("")

    def _show(self, text: str) -> None:
        if self._stream.isatty():
            self._stream.write(f"\r\x1b[K{text[:100]}")
            self._stream.flush()
