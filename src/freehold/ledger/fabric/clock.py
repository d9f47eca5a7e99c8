"""The ledger's time on Fabric: one key beside the records, which a call of its own sets.

A proposal claims a time, but a block comes later, and whoever carries an envelope decides how much later. So no action
runs at what its proposal claims. The channel holds a clock; every action reads it together with its records and runs
at what it says. When the clock is set anew, whatever was endorsed before and is not ordered yet has read an old version
of the key and is invalid: an envelope cannot be kept for later.

    tick       sets the clock to the time of its proposal: a step of a second at least, and near the host's own clock
    execute    runs at the clock, unless that is too old

The key holds no `/`, which the key of every record does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from freehold.errors import Invalid

KEY: Final = "clock"
TICK: Final = "tick"
"""The function that sets it, and takes no argument."""
TICK_FIRST: Final = "tick-first"
"""The code of Unavailable when an action has to wait for a tick."""

STEP_LEAST: Final = 1_000
"""Milliseconds by which a tick moves the clock at least: so nobody makes others lose conflicts more often."""
AWAY_LARGEST: Final = 5_000
"""Milliseconds between a tick and a host's own clock."""
AGE_LARGEST: Final = 10_000
"""Milliseconds by which the clock may be behind a host's own when an action runs."""

Version: TypeAlias = tuple[int, int]
"""By which block, and at which place in it, a key was written."""

_TIME: Final = re.compile(rb"[1-9][0-9]{0,14}")


@dataclass(frozen=True, slots=True)
class Clock:
    """What the clock says, and which tick set it."""

    time: int = 0
    """Milliseconds; 0 before the first tick."""
    version: Version | None = None


def encode(time: int) -> bytes:
    """What is recorded: decimal digits."""
    return b"%d" % time


def decode(value: bytes) -> int:
    """The time that is recorded; Invalid for any spelling but the canonical one."""
    if _TIME.fullmatch(value) is None:
        raise Invalid(f"the clock says {value[:40]!a}, which is no time")
    return int(value)
