"""The reference engine, and the test double: each action is a block of its own, in memory, signed by nobody.

It promises what `ports.ledger` promises but durability: there is one total order, a refusal leaves no trace, an action
is recorded at most once. Every other engine must give the same history for the same order.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from freehold.errors import FreeholdError, Unavailable
from freehold.ledger import blocks
from freehold.ledger.genesis import genesis_of
from freehold.ledger.history import History, accepted_of
from freehold.ledger.past import Past, RecordedState
from freehold.ledger.proofs.state_tree import StateTree
from freehold.ledger.state import State
from freehold.ports.ledger import Accepted, ActionProof, Block, EventPage, LedgerInfo, RecordProof
from freehold.ports.machine import Machine
from freehold.protocol.digests import sha256


class MemoryLedger:
    """A ledger that lives as long as its process; satisfies `ports.ledger.Engine`."""

    def __init__(self, machine: Machine, clock: Callable[[], int]) -> None:
        """`clock` tells the engine's time in milliseconds; a block's time never falls, whatever the clock does."""
        self._machine = machine
        self._clock = clock
        self._genesis = genesis_of(machine)
        self._state = State(self._genesis.records)
        self._tree = StateTree(self._genesis.records)
        self._history = History()
        self._blocks: list[Block] = []
        self._writes: list[tuple[int, Mapping[str, bytes]]] = []
        self._past = Past()
        self._recorded = RecordedState(
            state=self._state, past_blocks=self._past, written=lambda height: self._writes[height - 1]
        )
        self._tip = blocks.first_tip(self._genesis.network_id)
        self._turn = threading.Lock()

    def submit(self, action: bytes) -> Accepted:
        """Executes the action and records it; raises what the rules raise."""
        with self._turn:
            time = self._time()
            executed = self._machine.execute(self._state.read, action, time)
            contents = blocks.Contents.of([action], [executed])
            change = self._tree.changed(executed.writes)
            first = self._tip.log.size
            header, self._tip = blocks.next_block(self._tip, time, contents, contents.encode(), state=change.root)
            self._tree.apply(change)
            self._state.apply(executed.writes)
            self._writes.append((time, executed.writes))
            self._past.wrote(self._tip.height, executed.writes)
            self._blocks.append(Block(header=header, signature=b"", actions=(action,), results=(executed.result,)))
            (accepted,) = accepted_of(first, self._tip.height, time, [(executed.result, executed.events)])
            self._history.append([action], [accepted])
            return accepted

    def submit_all(self, actions: Sequence[bytes]) -> list[Accepted | FreeholdError]:
        """Submits one after the other; the answer of each stands at its place."""
        return [self._outcome(action) for action in actions]

    def enqueue(self, actions: Sequence[bytes]) -> Future[list[Accepted | FreeholdError]]:
        """Submits at once: there is no disk to wait for."""
        done: Future[list[Accepted | FreeholdError]] = Future()
        done.set_result(self.submit_all(actions))
        return done

    def prove_action(self, digest: bytes) -> ActionProof:
        """That an action is recorded; nobody signs the log."""
        return self._history.prove_action(digest, "", self._tip.log.size)

    def prove_growth(self, old: int, new: int) -> tuple[bytes, ...]:
        """That the log of `new` actions begins with that of `old`."""
        return self._history.prove_growth(old, new)

    def prove_record(self, key: str) -> RecordProof:
        """What a record holds, or that there is none, against the newest block, which nobody signs."""
        with self._turn:
            if not self._blocks:
                raise Unavailable("no block names a state yet", next="ask again after the first action", retry=False)
            (value,), proof, header = self._state.read([key]), self._tree.prove(key), self._blocks[-1].header
        return RecordProof(value=value, bucket=proof.bucket, siblings=proof.siblings, header=header, signature=b"")

    def resolve(self, action: bytes) -> Accepted | None:
        """What became of exactly these bytes."""
        return self.find(sha256(action))

    def find(self, digest: bytes) -> Accepted | None:
        """What became of the action with this SHA-256."""
        return self._history.resolve(digest)

    def evaluate(self, query: str, arguments: Mapping[str, object]) -> Any:
        """Asks the rules about the present state."""
        with self._turn:
            return self._machine.query(self._recorded, query, arguments)

    def events(self, after: int, *, to: str | None = None, wait: float = 0.0) -> EventPage:
        """Events with a position greater than `after`, of one member if `to` is given."""
        return self._history.events(after, to=to, wait=wait)

    def export(self, after: int, limit: int) -> Sequence[Block]:
        """At most `limit` blocks above the height `after`."""
        return self._blocks[after : after + limit]

    def seal(self, height: int) -> bytes:
        """Nothing: nobody signs here."""
        return b""

    def info(self) -> LedgerInfo:
        """Which ledger this is and how far it has come."""
        return LedgerInfo(
            network=self._genesis.network,
            operator="",
            height=self._tip.height,
            size=self._tip.log.size,
            time=self._time(),
            checkpoint="",
        )

    def _time(self) -> int:
        return max(self._clock(), self._tip.time)

    def _outcome(self, action: bytes) -> Accepted | FreeholdError:
        try:
            return self.submit(action)
        except FreeholdError as error:
            return error
