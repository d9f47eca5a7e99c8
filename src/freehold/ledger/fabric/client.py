"""The engine that a node of Freehold serves: actions go through the own peer's gateway, outcomes come with its blocks.

Three things run beside whoever asks: a thread that follows the peer's blocks (`deliver`), one with an event loop in
which every action that is under way is carried (`sending`), and gRPC's own. What is asked is answered from what was
read of the blocks, never by the peer.

An action that is recorded already is not sent at all. What the rules say to it is what every engine answers.
"""

from __future__ import annotations

import asyncio
import threading
import time as wall
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from freehold.errors import Broken, FreeholdError, Refused, Unavailable
from freehold.ledger.blocks import block_digest, unsigned_block
from freehold.ledger.embedded.writer import WAITING_LARGEST, busy, closed
from freehold.ledger.fabric.deliver import Following, PeerBlocks, Source
from freehold.ledger.fabric.endorsements import endorsers_of
from freehold.ledger.fabric.envelope import Place
from freehold.ledger.fabric.follower import Follower
from freehold.ledger.fabric.gateway import Access, Gateway, PeerGateway
from freehold.ledger.fabric.identity import Identity
from freehold.ledger.fabric.patience import Patience
from freehold.ledger.fabric.sealing import Sealer
from freehold.ledger.fabric.sending import Sender
from freehold.ledger.genesis import genesis_of
from freehold.ledger.lots import Lot, Outcome, Take
from freehold.ports.ledger import Accepted, ActionProof, Block, EventPage, LedgerInfo, RecordProof
from freehold.ports.machine import Executed, Machine
from freehold.protocol.digests import sha256
from freehold.protocol.limits import ACTION_LARGEST

_SOON_SECONDS: Final = 0.05
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The own organisation's peer, as the engine needs it."""

    identity: Identity
    place: Place
    authorities: Mapping[str, bytes]
    """Whose endorsements count, by organisation; PEM."""
    blocks: Source
    gateway: Callable[[], Gateway]
    """Makes the way to the gateway, in the event loop in which it is used."""

    @classmethod
    def at(cls, access: Access, clock: Callable[[], int]) -> Peer:
        """The peer at an address."""
        return cls(
            identity=access.identity,
            place=access.place,
            authorities=access.authorities,
            blocks=PeerBlocks(access, clock),
            gateway=lambda: PeerGateway(access),
        )


class FabricLedger:
    """The ledger behind one organisation's peer; satisfies `ports.ledger.Engine`, safe to use from many threads."""

    def __init__(
        self, peer: Peer, file: Path, machine: Machine, clock: Callable[[], int], patience: Patience | None = None
    ) -> None:
        """Waits until everything is read that the peer has now; Unavailable if it does not answer."""
        self._clock = clock
        self._waiting: dict[bytes, list[Take]] = {}
        self._turn = threading.Lock()
        self._stopped = False
        self._blocks = peer.blocks
        self._sealer = Sealer(peer.blocks, machine)
        self._when_lost: list[Callable[[], None]] = []
        endorsers = endorsers_of(genesis_of(machine).network, peer.place, peer.authorities)
        self._follower = Follower(file, peer.place, machine, endorsers, self._take_codes)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ledger-sender", daemon=True)
        self._thread.start()
        patience = patience or Patience()
        self._gateway, self._sender = self._in_loop(self._sending(peer, patience))
        self._following = Following(
            peer.blocks, self._follower.take, lambda: self._follower.cursor.next, self._tell_lost
        )
        try:
            self._catch_up(peer.blocks, patience.start)
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(cls, access: Access, file: Path, machine: Machine, clock: Callable[[], int]) -> FabricLedger:
        """The ledger behind a running peer, read into a file of its own."""
        return cls(Peer.at(access, clock), file, machine, clock)

    def submit(self, action: bytes) -> Accepted:
        """Sends a signed action and waits until it is valid in a block of the peer."""
        (answer,) = self.submit_all([action])
        if isinstance(answer, FreeholdError):
            raise answer.with_traceback(None)
        return answer

    def submit_all(self, actions: Sequence[bytes]) -> list[Accepted | FreeholdError]:
        """Submits and waits once; those that build on one another take effect in the given order."""
        return self.enqueue(actions).result()

    def enqueue(self, actions: Sequence[bytes]) -> Future[list[Accepted | FreeholdError]]:
        """Submits without waiting; Unavailable if there is no room for them."""
        lot = Lot(len(actions))
        with self._turn:
            if self._stopped:
                raise closed()
            if self.trouble is not None:
                raise self.trouble.with_traceback(None)
            if len(self._waiting) + len(actions) > WAITING_LARGEST:
                raise busy()
            for place, action in enumerate(actions):
                take, digest = lot.taker(place), sha256(action)
                outcome = self._known(action)
                if outcome is not None:
                    take(outcome)
                elif digest in self._waiting:
                    self._waiting[digest].append(take)
                else:
                    self._waiting[digest] = [take]
                    self._loop.call_soon_threadsafe(self._sender.begin, action, partial(self._answer, action))
        return lot.future

    def prove_action(self, digest: bytes) -> ActionProof:
        """That the action with this SHA-256 is recorded; Unavailable if it is not, so far."""
        return self._follower.history.prove_action(digest, "", self._follower.told)

    def prove_growth(self, old: int, new: int) -> tuple[bytes, ...]:
        """That the log of `new` actions begins with that of `old`."""
        return self._follower.history.prove_growth(old, new)

    def prove_record(self, key: str) -> RecordProof:
        """What a record holds, or that there is none, against the newest block."""
        return self._follower.prove_record(key)

    def resolve(self, action: bytes) -> Accepted | None:
        """What became of exactly these bytes: None means that they are not recorded so far."""
        return self.find(sha256(action))

    def find(self, digest: bytes) -> Accepted | None:
        """The accepted action with this SHA-256, None if there is none so far."""
        return self._follower.history.resolve(digest)

    def evaluate(self, query: str, arguments: Mapping[str, object]) -> Any:
        """Asks the rules about the newest state that was read of the peer's blocks."""
        return self._follower.query(query, arguments)

    def events(self, after: int, *, to: str | None = None, wait: float = 0.0) -> EventPage:
        """Events above the cursor `after`, of one member if `to` is given, waiting up to `wait` seconds for one."""
        return self._follower.history.events(after, to=to, wait=wait)

    def export(self, after: int, limit: int) -> Sequence[Block]:
        """At most `limit` blocks above the height `after`, ascending."""
        return [unsigned_block(each.header, each.body) for each in self._follower.file.blocks(after, limit)]

    def seal(self, height: int) -> bytes:
        """What was endorsed and ordered up to the block at this height; empty if the network record names nobody."""
        if not self._sealer.can:
            return b""
        stored = self._follower.file.blocks(height - 1, 1) if height > 0 else []
        if not stored:
            raise Unavailable(f"there is no block {height}", retry=False)
        return self._sealer.seal(height, block_digest(stored[0].header), self._follower.cursor.next)

    def info(self) -> LedgerInfo:
        """Which ledger this is and how far it has come. No operator signs: the organisations' peers endorse."""
        follower = self._follower
        return LedgerInfo(
            network=follower.network,
            operator="",
            height=follower.height,
            size=follower.size,
            time=self._now(),
            checkpoint="",
        )

    @property
    def trouble(self) -> FreeholdError | None:
        """What keeps this ledger from going on, if something does."""
        return self._following.trouble

    def when_lost(self, tell: Callable[[], None]) -> None:
        """Calls `tell`, in a thread of this ledger, once it cannot go on; at once if it cannot already."""
        with self._turn:
            lost = self.trouble is not None
            if not lost:
                self._when_lost.append(tell)
        if lost:
            tell()

    def behind(self) -> int:
        """How many of Fabric's blocks the orderers are ahead of what was read here; Unavailable without an answer.

        One or two are normal; a number that stays while the others go on is a peer, or a node, that is stuck.
        """
        return max(0, self._blocks.ordered() + 1 - self._follower.cursor.next)

    def close(self) -> None:
        """Takes nothing more, ends what is under way, and tells whoever waits what is known."""
        with self._turn:
            self._stopped = True
        self._following.close()
        self._in_loop(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._follower.close()

    async def _sending(self, peer: Peer, patience: Patience) -> tuple[Gateway, Sender]:
        gateway = peer.gateway()
        return gateway, Sender(gateway, self._follower, peer.identity, peer.place, self._now, patience)

    async def _end(self) -> None:
        await self._sender.close()
        await self._gateway.close()

    def _in_loop(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _catch_up(self, blocks: Source, seconds: float) -> None:
        """Waits until everything is read that the peer has now."""
        newest = _newest(blocks, self._follower.cursor.next, seconds)
        while self._follower.cursor.next <= newest:
            if self.trouble is not None:
                raise self.trouble
            wall.sleep(_SOON_SECONDS)

    def _tell_lost(self) -> None:
        with self._turn:
            listening, self._when_lost = self._when_lost, []
        for tell in listening:
            tell()

    def _now(self) -> int:
        return max(self._clock(), self._follower.time)

    def _known(self, action: bytes) -> FreeholdError | None:
        """What can be said of an action without sending it."""
        if len(action) > ACTION_LARGEST:
            return Refused("malformed", f"an action has at most {ACTION_LARGEST} bytes, this one {len(action)}")
        if self.resolve(action) is None:
            return None
        outcome = self._follower.trial(action, self._now()).outcome
        if not isinstance(outcome, Executed):
            return outcome
        return Broken("the rules would take an action that is recorded already", now="nothing was sent")

    def _take_codes(self, codes: Sequence[tuple[str, int]]) -> None:
        # The loop is closed after the follower has stopped, and before that it takes whatever comes.
        self._loop.call_soon_threadsafe(self._sender.seen, codes)

    def _answer(self, action: bytes, outcome: Outcome) -> None:
        with self._turn:
            first, *others = self._waiting.pop(sha256(action))
        first(outcome)
        # Whoever sent the same bytes while they waited hears what every engine says to a recorded action.
        again = outcome if not others or isinstance(outcome, FreeholdError) else self._known(action)
        for take in others:
            take(again or outcome)


def _newest(blocks: Source, known: int, seconds: float) -> int:
    """The number of a peer's newest block, once it has as many as are known of it; Unavailable if it has not soon."""
    deadline = wall.monotonic() + seconds
    while True:
        try:
            newest = blocks.newest()
            trouble = Unavailable(
                f"the peer holds {newest + 1} blocks, and {known} were read of it before",
                why="it has not caught up with the orderers yet, or its ledger was set back",
                next="try again once it has",
            )
            if newest + 1 >= known:
                return newest
        except Unavailable as error:
            trouble = error
        if wall.monotonic() > deadline:
            raise trouble
        wall.sleep(_SOON_SECONDS)
