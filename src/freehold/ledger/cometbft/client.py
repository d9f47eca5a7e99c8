"""The engine that a node of Freehold serves: actions go to the node of CometBFT, outcomes come from the application.

Sending may go wrong at any place and is simply done again: an action that waits is not taken twice, and one that was
recorded is refused. So an action whose outcome is not known after a while is sent again by itself, through restarts of
node and application, until its time is up; then its sender learns that the outcome is unknown.

An action that is recorded already is not sent at all. What the rules say to it is what every engine answers.
"""

from __future__ import annotations

import threading
import time as wall
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from freehold.errors import Broken, FreeholdError, Invalid, Refused, Unavailable
from freehold.ledger import blocks, messages
from freehold.ledger.cometbft.application import RECORD
from freehold.ledger.cometbft.bundle import MARK, bundle
from freehold.ledger.cometbft.configuration import Settings
from freehold.ledger.cometbft.light import LightEndpoint, trusted
from freehold.ledger.cometbft.replica import Replica
from freehold.ledger.cometbft.rpc import BATCH, Rpc, Taken
from freehold.ledger.cometbft.seal import chain_id
from freehold.ledger.cometbft.sealing import seal_of
from freehold.ledger.cometbft.seats import Seats
from freehold.ledger.cometbft.supervisor import Pair, Program
from freehold.ledger.cometbft.waiting import Waiting, groups_of
from freehold.ledger.embedded.writer import WAITING_LARGEST, busy, closed
from freehold.ledger.genesis import genesis_of
from freehold.ledger.lots import Lot, Outcome
from freehold.ledger.state import State
from freehold.ports.ledger import Accepted, ActionProof, Block, EventPage, LedgerInfo, RecordProof
from freehold.ports.machine import Machine
from freehold.protocol import canonical
from freehold.protocol.digests import sha256
from freehold.protocol.limits import ACTION_LARGEST

_PROOF: Final = msgspec.json.Decoder(messages.RecordProofMessage)
FILE: Final = "application.sqlite"
_START_SECONDS: Final = 60.0
_AGAIN_SECONDS: Final = 3.0
"""After this time without an outcome an action is sent again: the node may have forgotten it in a restart."""
_SOON_SECONDS: Final = 0.2
_OVERTOOK_SECONDS: Final = 0.05
_OUTCOME_SECONDS: Final = 30.0


class CometLedger:
    """A validator's ledger; satisfies `ports.ledger.Engine`, safe to use from many threads."""

    def __init__(
        self, pair: Pair, folder: Path, machine: Machine, clock: Callable[[], int], seats: Seats | None = None
    ) -> None:
        """Waits until the pair, which has been started, answers."""
        self.pair = pair
        self._machine = machine
        self._clock = clock
        genesis = genesis_of(machine)
        self._network, self._chain = genesis.network, chain_id(genesis.network_id)
        founders = None if seats is None else seats.validators(State(genesis.records).read)
        self._founders = sorted(key.hex() for key in founders or ())
        self._waiting: dict[bytes, Waiting] = {}
        self._changed = threading.Condition()
        self._stopped = False
        self._rpc = Rpc(pair.rpc_socket)
        self._light: LightEndpoint | None = None
        try:
            self._await(self._rpc.status)
            self._replica: Replica = self._await(
                lambda: Replica(folder / FILE, pair.bell_socket, machine, self._take_outcomes, seats)
            )
        except BaseException:
            self._rpc.close()
            raise
        self._thread = threading.Thread(target=self._send, name="ledger-sender", daemon=True)
        self._thread.start()

    @classmethod
    def start(
        cls,
        cometbft: Path,
        folder: Path,
        settings: Settings,
        program: Program,
        machine: Machine,
        clock: Callable[[], int],
        seats: Seats | None = None,
    ) -> CometLedger:
        """Starts application and node in a folder that `configuration` has prepared."""
        pair = Pair(cometbft, folder, settings, program)
        pair.start()
        try:
            ledger = cls(pair, folder, machine, clock, seats)
        except BaseException:
            pair.stop()
            raise
        try:
            if settings.light:
                ledger._light = LightEndpoint(settings.light, pair.rpc_socket)
        except BaseException:
            ledger.close()
            raise
        return ledger

    def submit(self, action: bytes) -> Accepted:
        """Sends a signed action and waits until it is decided and durable here."""
        (answer,) = self.submit_all([action])
        if isinstance(answer, FreeholdError):
            raise answer.with_traceback(None)
        return answer

    def submit_all(self, actions: Sequence[bytes]) -> list[Accepted | FreeholdError]:
        """Submits in the given order and waits once; the answer of each stands at its place."""
        return self.enqueue(actions).result()

    def enqueue(self, actions: Sequence[bytes]) -> Future[list[Accepted | FreeholdError]]:
        """Submits in the given order without waiting; Unavailable if there is no room for them."""
        lot = Lot(len(actions))
        with self._changed:
            if self._stopped:
                raise closed()
            if self.pair.trouble is not None:
                raise self.pair.trouble.with_traceback(None)
            if len(self._waiting) + len(actions) > WAITING_LARGEST:
                raise busy()
            now, digests = wall.monotonic(), [sha256(action) for action in actions]
            for place, action in enumerate(actions):
                take = lot.taker(place)
                outcome = self._known(action)
                if outcome is not None:
                    take(outcome)
                    continue
                new = Waiting(action, now + _OUTCOME_SECONDS, now, digests, place)
                waits = self._waiting.setdefault(digests[place], new)
                waits.takers.append(take)
            self._changed.notify_all()
        return lot.future

    def prove_action(self, digest: bytes) -> ActionProof:
        """That the action with this SHA-256 is recorded; Unavailable if it is not, so far."""
        return self._replica.history.prove_action(digest, "", self._replica.told)

    def prove_growth(self, old: int, new: int) -> tuple[bytes, ...]:
        """That the log of `new` actions begins with that of `old`."""
        return self._replica.history.prove_growth(old, new)

    def prove_record(self, key: str) -> RecordProof:
        """What a record holds, or that there is none, against the newest block, whose digest is the `app_hash` that the
        validators signed."""
        answer = self._rpc.query(RECORD, key.encode("ascii", "replace"))
        return messages.record_proof_of(_PROOF.decode(answer))

    def resolve(self, action: bytes) -> Accepted | None:
        """What became of exactly these bytes: None means that they are not recorded so far."""
        return self.find(sha256(action))

    def find(self, digest: bytes) -> Accepted | None:
        """The accepted action with this SHA-256, None if there is none so far."""
        return self._replica.history.resolve(digest)

    def evaluate(self, query: str, arguments: Mapping[str, object]) -> Any:
        """Asks the rules about the newest state that is decided and durable here."""
        return self._replica.query(query, arguments)

    def events(self, after: int, *, to: str | None = None, wait: float = 0.0) -> EventPage:
        """Events above the cursor `after`, of one member if `to` is given, waiting up to `wait` seconds for one."""
        return self._replica.history.events(after, to=to, wait=wait)

    def export(self, after: int, limit: int) -> Sequence[Block]:
        """At most `limit` blocks above the height `after`, ascending."""
        return [blocks.unsigned_block(each.header, each.body) for each in self._replica.file.blocks(after, limit)]

    def info(self) -> LedgerInfo:
        """Which ledger this is and how far it has come. No operator signs: the validators do, in CometBFT's headers."""
        replica = self._replica
        return LedgerInfo(
            network=self._network,
            operator="",
            height=replica.height,
            size=replica.size,
            time=self._now(),
            checkpoint="",
        )

    def seal(self, height: int) -> bytes:
        """What the validators signed about the block at this height; empty if the records do not say who they are."""
        if not self._founders:
            return b""
        changed = [each for each in self._replica.handovers if each <= height]
        decided = [self._decided(each) for each in (*changed, height)]
        digest = blocks.block_digest(self._replica.file.blocks(height - 1, 1)[0].header)
        seal = seal_of(self._rpc, decided[-1], decided[:-1], chain=self._chain, founders=self._founders, digest=digest)
        return canonical.encode(seal)

    @property
    def trouble(self) -> FreeholdError | None:
        """What keeps this ledger from taking anything, if something does."""
        return self.pair.trouble

    def when_lost(self, tell: Callable[[], None]) -> None:
        """Calls `tell`, in a thread of this ledger, if application and node cannot be kept running."""
        self.pair.when_lost(tell)

    def behind(self) -> int:
        """How many blocks the most advanced of the connected nodes is ahead; Unavailable without an answer.

        One or two are normal; a number that stays while the others go on is a node that is stuck.
        """
        return max(0, self._rpc.height_of_peers() - self._rpc.height())

    def trusted_header(self) -> tuple[int, str]:
        """Height and hash of the newest header of this node: what to tell the operator of a node that is to join with a
        snapshot, over a channel that nobody else can write to."""
        return trusted(self._rpc)

    def close(self) -> None:
        """Takes nothing more, ends node and application, and tells whoever waits that the outcome is unknown."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()
        if self._light is not None:
            self._light.close()
        self.pair.stop()
        self._replica.close()
        self._rpc.close()
        self._give_up(list(self._waiting))

    def _decided(self, height: int) -> int:
        """In which of CometBFT's blocks the block at a height was made."""
        found = self._replica.file.blocks(height - 1, 1) if height > 0 else []
        place = (
            self._replica.file.place(sha256(blocks.unsigned_block(found[0].header, found[0].body).actions[-1]))
            if found
            else None
        )
        if place is None:
            raise Unavailable(
                f"this node does not know what the validators signed about block {height}",
                why="there is no such block" if not found else "it joined with a snapshot, and this block was before",
                next="ask the node of an operator who has all blocks",
                retry=False,
            )
        return place.height

    def _now(self) -> int:
        return max(self._clock(), self._replica.time)

    def _known(self, action: bytes) -> FreeholdError | None:
        """What can be said of an action without sending it."""
        if len(action) > ACTION_LARGEST:
            return Refused("malformed", f"an action has at most {ACTION_LARGEST} bytes, this one {len(action)}")
        if action.startswith(MARK):
            # Nobody's signed action begins so, and it would be taken for several.
            return Refused("malformed", "an action begins with the key that signed it")
        if self._replica.history.resolve(sha256(action)) is None:
            return None
        refusal = self._replica.refusal(action, self._now())
        return refusal or Broken("the rules would take an action that is recorded already", now="nothing was sent")

    def _await(self, ask: Callable[[], Any]) -> Any:
        deadline = wall.monotonic() + _START_SECONDS
        while True:
            try:
                return ask()
            except Unavailable:
                if self.pair.trouble is not None:
                    raise self.pair.trouble from None
                if wall.monotonic() > deadline:
                    raise
                wall.sleep(0.02)

    def _send(self) -> None:
        """The thread that sends, and sends again."""
        while True:
            with self._changed:
                due = self._due()
                while not due and not self._stopped:
                    self._changed.wait(_SOON_SECONDS if self._waiting else None)
                    self._give_up([digest for digest, each in self._waiting.items() if each.until < wall.monotonic()])
                    due = self._due()
                if self._stopped:
                    return
            groups = groups_of(due)
            for at in range(0, len(groups), BATCH):
                self._broadcast(groups[at : at + BATCH])

    def _due(self) -> list[Waiting]:
        """What is to be sent now, in the order of its arrival."""
        now = wall.monotonic()
        return [each for each in self._waiting.values() if each.due <= now]

    def _broadcast(self, groups: Sequence[Sequence[Waiting]]) -> None:
        """Sends groups of actions, each as one transaction."""
        answers = [Taken.FULL] * len(groups)
        for group in groups:
            for each in group:
                each.group = group
        with suppress(Unavailable, Invalid):
            answers = self._rpc.broadcast([bundle([each.action for each in group]) for group in groups])
        now = wall.monotonic()
        for group, answer in zip(groups, answers, strict=True):
            for each in group:
                # Whoever was told something meanwhile knows better when it is to come again.
                if each.group is not group:
                    continue
                each.due = now + (_AGAIN_SECONDS if answer is Taken.WAITS else _SOON_SECONDS)

    def _take_outcomes(self, outcomes: Sequence[tuple[bytes, Outcome]]) -> None:
        for digest, outcome in outcomes:
            with self._changed:
                if isinstance(outcome, Refused) and self._overtook(digest):
                    continue
                waits = self._waiting.pop(digest, None)
            if waits is None:
                continue
            self._go_on_without(waits)
            first, *others = waits.takers
            first(outcome)
            # Whoever sent the same bytes while they waited hears what every engine says to a recorded action.
            again = outcome if not others or isinstance(outcome, FreeholdError) else self._known(waits.action)
            for take in others:
                take(again or outcome)

    def _go_on_without(self, answered: Waiting) -> None:
        """If an action was turned away, so was what was sent in one transaction with it, and it comes again without it.
        If it was decided, so were they, and they are answered before they could come again."""
        for each in answered.group:
            each.group = ()
            each.due = min(each.due, wall.monotonic() + _OVERTOOK_SECONDS)

    def _overtook(self, digest: bytes) -> bool:
        """Whether an action was refused before one that was submitted ahead of it was decided: on its way from node to
        node it overtook the other, which it may need. Then the refusal says nothing, and it is sent again."""
        waits = self._waiting.get(digest)
        if waits is None or not any(each in self._waiting for each in waits.lot[: waits.place]):
            return False
        waits.due, waits.group = wall.monotonic() + _OVERTOOK_SECONDS, ()
        return True

    def _give_up(self, digests: Sequence[bytes]) -> None:
        unknown = Unavailable(
            "the network has not decided about the action",
            why="too few validators take part, or this node is cut off from them",
            next="ask later what became of it, or send it again",
            now="sent, outcome unknown",
            retry_after=1.0,
        )
        self._take_outcomes([(digest, unknown) for digest in digests])
