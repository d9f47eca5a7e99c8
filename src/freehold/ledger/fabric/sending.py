"""The way of one action through Fabric, for all that are under way at the same time, in one event loop.

An action is planned, waits for the ledger's clock (`ticking`), is proposed, endorsed, submitted, and then awaited in
the peer's blocks. Sending may go wrong at any place:

    it lost a conflict      a new proposal, after a random while, a few times; at once, and as often as it happens, if
                            all that it lost against is a tick of the clock
    nobody knows            the same envelope again, and the question what became of it
    it was refused          the rules are asked here too: a refusal that they do not give comes from a peer that lags
                            behind, or lies, and it is tried again; so a refusal is always the word of one's own rules

Two envelopes of one action can never both be valid: the rules read the record that the action would make and refuse if
there is one, so this read stands in both envelopes, and what the first writes makes the second a conflict.
"""

from __future__ import annotations

import asyncio
import random
import time as wall
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from freehold.errors import Broken, FreeholdError, Unavailable
from freehold.ledger.embedded.writer import closed
from freehold.ledger.fabric.clock import STEP_LEAST, TICK_FIRST
from freehold.ledger.fabric.derived import EXECUTE, clock_read
from freehold.ledger.fabric.envelope import Endorsed, Place, propose
from freehold.ledger.fabric.follower import Follower
from freehold.ledger.fabric.gateway import Gateway
from freehold.ledger.fabric.identity import Identity
from freehold.ledger.fabric.patience import Patience
from freehold.ledger.fabric.planning import Order
from freehold.ledger.fabric.submitting import Submitter
from freehold.ledger.fabric.ticking import Ticker
from freehold.ledger.fabric.transactions import READ_CONFLICT, VALID
from freehold.ledger.lots import Outcome, Take
from freehold.ports.machine import Executed
from freehold.protocol.digests import sha256

UNDER_WAY_LARGEST: Final = 128
"""Actions that are with the peer at the same time; its own limit is 500 calls of each kind."""
CONFLICTS_LARGEST: Final = 5
_YOUNG_SECONDS: Final = STEP_LEAST / 1_000
"""No tick makes the clock younger than this."""


@dataclass(slots=True)
class _Way:
    """How far an action has come."""

    number: int
    action: bytes
    answer: Take
    sent: bool = False


class Sender:
    """Everything that is under way; used in its event loop alone."""

    def __init__(
        self,
        gateway: Gateway,
        follower: Follower,
        identity: Identity,
        place: Place,
        clock: Callable[[], int],
        patience: Patience,
    ) -> None:
        self._gateway = gateway
        self._follower = follower
        self._identity = identity
        self._place = place
        self._clock = clock
        self._patience = patience
        self._submitter = Submitter(gateway, patience)
        self._ticker = Ticker(gateway, self._submitter, follower, identity, place, clock, patience)
        self._order = Order()
        self._room = asyncio.Semaphore(UNDER_WAY_LARGEST)
        self._ways: dict[int, _Way] = {}
        self._undecided: dict[int, asyncio.Task[None]] = {}
        self._number = 0

    def begin(self, action: bytes, answer: Take) -> None:
        """Sends an action on its way; `answer` is told what became of it."""
        self._number += 1
        way = _Way(self._number, action, answer)
        self._ways[way.number] = way
        self._undecided[way.number] = asyncio.create_task(self._carry(way))

    def seen(self, codes: Sequence[tuple[str, int]]) -> None:
        """The peer's next block holds these transactions, with these codes."""
        self._submitter.seen(codes)

    async def close(self) -> None:
        """Ends everything, telling each sender what is known."""
        tasks = list(self._undecided.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._ticker.close()
        # A task that is cancelled before its first step never runs.
        for way in list(self._ways.values()):
            self._answer(way, closed())

    async def _carry(self, way: _Way) -> None:
        try:
            async with asyncio.timeout(self._patience.outcome):
                await self._turn(way)
                async with self._room:
                    outcome = await self._outcome(way)
        except TimeoutError:
            outcome = self._recorded(way) or _undecided(way, self._ticker.trouble)
        except asyncio.CancelledError:
            outcome = _unknown() if way.sent else closed()
        except Exception as error:
            outcome = Broken(f"sending an action failed: {type(error).__name__}: {error}"[:500], now="outcome unknown")
        self._answer(way, outcome)

    def _answer(self, way: _Way, outcome: Outcome) -> None:
        self._order.leave(way.number)
        del self._undecided[way.number], self._ways[way.number]
        way.answer(outcome)

    async def _turn(self, way: _Way) -> None:
        """Waits until no earlier action that is under way touches the same records."""
        while True:
            written = partial(self._order.written, way.number)
            trial = self._follower.trial(way.action, self._clock(), written)
            writes = trial.outcome.writes if isinstance(trial.outcome, Executed) else {}
            before = self._order.enter(way.number, trial.reads, writes)
            if not before:
                return
            await asyncio.wait([self._undecided[number] for number in before])

    async def _outcome(self, way: _Way) -> Outcome:
        conflicts = 0
        while True:
            endorsed = await self._endorsed(way)
            if not isinstance(endorsed, Endorsed):
                return endorsed
            way.sent = True
            code = await self._submitter.code(endorsed)
            known = self._recorded(way)
            if known is not None:
                return known
            if code == VALID:
                return Broken("the peer found an action valid that its block does not hold", now="outcome unknown")
            way.sent = False
            if code == READ_CONFLICT and clock_read(endorsed.envelope, self._place) != self._follower.clock.version:
                continue
            conflicts += 1
            if conflicts > CONFLICTS_LARGEST:
                return _lost(code)
            await asyncio.sleep(self._patience.conflict * 2**conflicts * random.random())  # noqa: S311

    async def _endorsed(self, way: _Way) -> Endorsed | Outcome:
        """A fresh envelope, or what is to be answered since there will be none."""
        agree_until = wall.monotonic() + self._patience.disagreement
        age = self._patience.clock
        while True:
            try:
                await self._ticker.fresh(age)
                proposal = propose(self._identity, self._place, [EXECUTE, way.action], self._clock())
                return await self._gateway.endorse(proposal)
            except Unavailable as trouble:
                if not trouble.retry:
                    return trouble
                if trouble.code == TICK_FIRST:
                    age = _YOUNG_SECONDS
            except FreeholdError as refused:
                known = self._recorded(way)
                if known is not None:
                    return known
                here = self._trial(way, self._follower.clock.time)
                if not isinstance(here, Executed):
                    if age == _YOUNG_SECONDS or not isinstance(self._trial(way, self._clock()), Executed):
                        return here
                    # The rules would take it now: it was the clock that was behind.
                    age = _YOUNG_SECONDS
                    continue
                if wall.monotonic() > agree_until:
                    return _disagreement(refused)
            await asyncio.sleep(self._patience.soon * random.uniform(0.2, 1.0))  # noqa: S311

    def _trial(self, way: _Way, time: int) -> Executed | FreeholdError:
        return self._follower.trial(way.action, time).outcome

    def _recorded(self, way: _Way) -> Outcome | None:
        return self._follower.history.resolve(sha256(way.action))


def _lost(code: int) -> Unavailable:
    return Unavailable(
        "others changed the same records each time first",
        why=f"Fabric's validation ended {CONFLICTS_LARGEST + 1} proposals, the last with code {code}",
        next="try again",
        now="nothing was recorded",
        retry_after=1.0,
    )


def _undecided(way: _Way, trouble: str) -> Unavailable:
    if way.sent:
        return _unknown()
    return Unavailable(
        "the network took no action for a while",
        why=trouble or "the peer or too many of the others do not answer",
        next="look after the peer, its chaincode and its connections, then try again",
        now="nothing was sent",
        retry_after=1.0,
    )


def _unknown() -> Unavailable:
    return Unavailable(
        "the network has not decided about the action",
        why="too few orderers take part, or this peer is cut off from them",
        next="ask later what became of it, or send it again",
        now="sent, outcome unknown",
        retry_after=1.0,
    )


def _disagreement(refused: FreeholdError) -> Unavailable:
    return Unavailable(
        "another organisation's peer refuses what the rules allow",
        why=f"it said: {refused.what}",
        next="compare versions and heights of the peers; try again",
        now="nothing was recorded",
        retry_after=1.0,
    )
