"""What keeps the members of one cloud owner from being told together by when they act.

A cloud owner takes part with many members that nothing links in public but their common machine. That machine shows
itself in two ways. Its clock: an action claims a time, and a claim to the millisecond tells how far that clock is off,
so claimed times are rounded down. Its turns: a turn serves all members one after the other, so their actions stand in
one row on the ledger. Therefore a member can take its own time for whatever does not hurry: a pause that nobody else
can foretell, and that is the same after a restart, since it follows from the member's own key.

Neither hides anybody from whoever watches the connections, or from a machine that is switched off: all members of one
machine are silent together.
"""

from __future__ import annotations

from typing import Final

from freehold.agents.keys import MemberKeys
from freehold.protocol.digests import T, hkdf

_STEPS_OF_SKEW: Final = 4
"""A claimed time is a whole multiple of a quarter of the network's skew: less would show clocks, more cost lateness."""


def claimed_time(now: int, skew: int, *, at_least: int = 0) -> int:
    """The time (ms) that an action claims at `now`: rounded down, but `at_least` as soon as that has come.

    `at_least` is a time that everybody knows, after which the action is allowed; claiming it shows nothing.
    """
    coarse = now - now % max(1, skew // _STEPS_OF_SKEW)
    return max(coarse, at_least) if at_least <= now else coarse


def pace_of(keys: MemberKeys) -> bytes:
    """What a member's pauses follow from: as secret as its signing key, and the same after every restart."""
    return hkdf(keys.signing, T("pace"))


def pause(pace: bytes, subject: str, longest: int) -> int:
    """How long (ms) a member waits before it does something about `subject`: evenly from 0 to `longest`."""
    if not pace or longest <= 0:
        return 0
    return int.from_bytes(hkdf(pace, subject.encode("ascii")), "big") % (longest + 1)
