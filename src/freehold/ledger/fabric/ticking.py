"""Setting the ledger's clock, before something is sent and only then: a network that nobody uses writes nothing.

Actions that have not been endorsed yet wait for the tick, which takes as long as one block, since what is endorsed
before it may be ordered after it and be lost. All that wait here share one tick. Another node may tick at the same
time: then one of the two loses a conflict, or its host refuses a step of less than a second, and the clock is right
either way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from freehold.errors import FreeholdError, Unavailable
from freehold.ledger.fabric.derived import TICK
from freehold.ledger.fabric.envelope import Place, propose
from freehold.ledger.fabric.follower import Follower
from freehold.ledger.fabric.gateway import Gateway
from freehold.ledger.fabric.identity import Identity
from freehold.ledger.fabric.patience import Patience
from freehold.ledger.fabric.submitting import Submitter


class Ticker:
    """Keeps the clock young while something is sent; used in its event loop alone."""

    def __init__(
        self,
        gateway: Gateway,
        submitter: Submitter,
        follower: Follower,
        identity: Identity,
        place: Place,
        clock: Callable[[], int],
        patience: Patience,
    ) -> None:
        self._gateway = gateway
        self._submitter = submitter
        self._follower = follower
        self._identity = identity
        self._place = place
        self._clock = clock
        self._patience = patience
        self._ticking: asyncio.Task[None] | None = None
        self.trouble = ""
        """What kept the last attempt from being endorsed."""

    def age(self) -> float:
        """Seconds by which the ledger's clock is behind this machine's."""
        return (self._clock() - self._follower.clock.time) / 1_000

    async def fresh(self, age: float) -> None:
        """Waits until the ledger's clock is at most so many seconds old; raises what will not pass."""
        while self.age() > age:
            if self._ticking is None or self._ticking.done():
                self._ticking = asyncio.create_task(self._tick())
            # Whoever gives up waiting does not take the tick from the others.
            await asyncio.shield(self._ticking)

    async def close(self) -> None:
        """Ends a tick that is under way."""
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)

    async def _tick(self) -> None:
        proposal = propose(self._identity, self._place, [TICK], self._clock())
        try:
            endorsed = await self._gateway.endorse(proposal)
        except FreeholdError as trouble:
            self.trouble = trouble.what
            if isinstance(trouble, Unavailable) and not trouble.retry:
                raise
            # Another node's tick may be on its way to this one.
            await asyncio.sleep(self._patience.soon)
            return
        self.trouble = ""
        await self._submitter.code(endorsed)
