"""What a node knows about its own condition: whether writes succeed, whether it is stopping, whether the clock jumped.

Nobody writes to the ledger merely to find out: what members' actions met is remembered for a while.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from freehold.errors import Broken, FreeholdError, Unavailable
from freehold.node.lines import Lines
from freehold.ports.ledger import Accepted, Engine

REMEMBERED_SECONDS = 30.0
"""How long a failed write counts if nobody tried again."""
JUMP_SECONDS = 1.0
"""What the clock may drift between two looks before it counts as a jump."""


class Condition:
    """The condition of one node."""

    def __init__(self, engine: Engine, lines: Lines, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._lines = lines
        self._clock = clock
        self._trouble: tuple[str, float] | None = None
        self._offset: float | None = None
        self.stopping = False
        self.accepted = self.refused = self.failed = self.jumps = 0

    def reason(self) -> str | None:
        """Why writes are not possible; None if nothing is known against them."""
        if self.stopping:
            return "the node is stopping"
        gone = getattr(self._engine, "trouble", None)
        if isinstance(gone, FreeholdError):
            return gone.what
        if self._trouble is not None and self._clock() - self._trouble[1] < REMEMBERED_SECONDS:
            return self._trouble[0]
        return None

    def outcomes(self, outcomes: Sequence[Accepted | FreeholdError]) -> None:
        """What became of some actions."""
        recorded = sum(isinstance(each, Accepted) for each in outcomes)
        troubles = [each for each in outcomes if isinstance(each, Unavailable | Broken)]
        self.accepted += recorded
        self.refused += len(outcomes) - recorded - len(troubles)
        if troubles:
            self.trouble(troubles[0])
        elif recorded and self._trouble is not None:
            self._trouble = None
            self._lines.tell("writes resumed")

    def trouble(self, error: FreeholdError) -> None:
        """The ledger could not record something."""
        self.failed += 1
        if self._trouble is None or self._trouble[0] != error.what:
            self._lines.tell("writes fail", level="error", what=error.what, why=error.why, next=error.next)
        self._trouble = (error.what, self._clock())

    def look_at_clock(self, wall: float, steady: float) -> None:
        """Compares the clock of the machine with one that only goes forward."""
        offset = wall - steady
        if self._offset is not None and abs(offset - self._offset) > JUMP_SECONDS:
            self.jumps += 1
            self._lines.tell(
                "clock jumped",
                level="error",
                seconds=round(offset - self._offset, 3),
                next="keep the clock right (NTP): actions whose time differs from the ledger's are refused",
            )
        self._offset = offset
