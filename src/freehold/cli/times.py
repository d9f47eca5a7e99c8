"""Times as people read and write them; inside, everything is whole milliseconds."""

import re
from datetime import UTC, datetime
from typing import Final

from freehold.cli.exits import Usage

_UNITS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_WRITTEN: Final = re.compile(r"([0-9]{1,12})\s*(ms|s|m|h|d)?")


def duration(text: str, option: str) -> int:
    """Milliseconds from text such as `10m`, `2d` or `250` (milliseconds); Usage, naming the option, otherwise."""
    written = _WRITTEN.fullmatch(text.strip())
    if written is None:
        raise Usage(
            f"{text[:40]!r} is not a time.",
            why=f"{option} takes a whole number and a unit: ms, s, m, h or d",
            next=f"write it like {option} 10m",
            now="nothing was done",
        )
    return int(written.group(1)) * _UNITS[written.group(2) or "ms"]


def in_units(milliseconds: int) -> str:
    """A length of time in its two largest units: `1 d 3 h`, `4 min 10 s`, `250 ms`."""
    if milliseconds < 1_000:
        return f"{max(0, milliseconds)} ms"
    parts = []
    rest = milliseconds // 1_000
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def moment(milliseconds: int, now: int) -> str:
    """A deadline with the time that is left: `Tue 24 Nov 14:10 UTC (1 d 3 h)`."""
    try:
        when = datetime.fromtimestamp(milliseconds / 1_000, UTC).strftime("%a %d %b %H:%M:%S UTC")
    except (OverflowError, OSError, ValueError):
        return "without end"
    left = milliseconds - now
    return f"{when} ({in_units(left)})" if left > 0 else f"{when} (over)"


def date(milliseconds: int) -> str:
    """A moment of the past: `24 Nov 2026 14:10:05 UTC`."""
    try:
        return datetime.fromtimestamp(milliseconds / 1_000, UTC).strftime("%d %b %Y %H:%M:%S UTC")
    except (OverflowError, OSError, ValueError):
        return f"{milliseconds} ms after 1970"
