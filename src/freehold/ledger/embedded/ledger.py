"""The engine of one machine, in one process: whoever submits waits for the one thread that writes.

What is promised, and why it holds at each step, stands in `embedded.executor`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from freehold.errors import FreeholdError
from freehold.ledger import blocks
from freehold.ledger.embedded.execution import Execution, in_order
from freehold.ledger.embedded.executor import Answer, Clock, Executor
from freehold.ledger.embedded.file import Row
from freehold.ledger.embedded.writer import Writer
from freehold.ledger.frames import unframe
from freehold.ledger.history import History
from freehold.ports.ledger import Accepted, ActionProof, Block, EventPage, LedgerInfo, RecordProof
from freehold.ports.machine import Machine
from freehold.protocol.digests import sha256
from freehold.protocol.limits import ACTION_LARGEST


class EmbeddedLedger:
    """A ledger in one SQLite file; satisfies `ports.ledger.Engine` and is safe to use from many threads."""

    def __init__(self, executor: Executor, history: History) -> None:
        self._executor = executor
        self._file = executor.file
        self._history = history
        self._writer = Writer(self._record)

    @classmethod
    def open(
        cls, path: Path, machine: Machine, operator_seed: bytes, clock: Clock, *, execution: Execution = in_order
    ) -> EmbeddedLedger:
        """Opens the ledger in the file at `path`, or begins one there; raises what `Executor.open` raises."""
        history = History()
        executor = Executor.open(path, machine, operator_seed, clock, execution=execution, heard=history.append)
        return cls(executor, history)

    def submit(self, action: bytes) -> Accepted:
        """Sends a signed action and waits until it is durable; raises Refused, Unavailable or Broken."""
        (answer,) = self.submit_all([action])
        if isinstance(answer, FreeholdError):
            # One error may answer many actions: it must not collect the traceback of each.
            raise answer.with_traceback(None)
        return answer

    def submit_all(self, actions: Sequence[bytes]) -> list[Answer]:
        """Submits in the given order and waits once; the answer of each stands at its place."""
        return self.enqueue(actions).result()

    def enqueue(self, actions: Sequence[bytes]) -> Future[list[Answer]]:
        """Submits in the given order without waiting; Unavailable if there is no room for them."""
        return self._writer.enqueue(actions)

    def prove_action(self, digest: bytes) -> ActionProof:
        """That the action with this SHA-256 is recorded; Unavailable if it is not, so far."""
        info = self.info()
        return self._history.prove_action(digest, info.checkpoint, info.size)

    def prove_growth(self, old: int, new: int) -> tuple[bytes, ...]:
        """That the log of `new` actions begins with that of `old`."""
        return self._history.prove_growth(old, new)

    def prove_record(self, key: str) -> RecordProof:
        """What a record holds, or that there is none, against the newest block."""
        return self._executor.prove(key)

    def resolve(self, action: bytes) -> Accepted | None:
        """What became of exactly these bytes: None means that they are not recorded so far."""
        return self.find(sha256(action))

    def find(self, digest: bytes) -> Accepted | None:
        """The accepted action with this SHA-256, None if there is none so far."""
        return self._history.resolve(digest)

    def evaluate(self, query: str, arguments: Mapping[str, object]) -> Any:
        """Asks the rules about the newest durable state."""
        return self._executor.query(query, arguments)

    def events(self, after: int, *, to: str | None = None, wait: float = 0.0) -> EventPage:
        """Events above the cursor `after`, of one member if `to` is given, waiting up to `wait` seconds for one."""
        return self._history.events(after, to=to, wait=wait)

    def export(self, after: int, limit: int) -> Sequence[Block]:
        """At most `limit` blocks above the height `after`, ascending."""
        return [block_of(row) for row in self._file.rows(after, limit)]

    def seal(self, height: int) -> bytes:
        """Nothing: the operator signs each block."""
        return b""

    def info(self) -> LedgerInfo:
        """Which ledger this is and how far it has come, with a signed checkpoint of durable actions alone."""
        return self._executor.info()

    def close(self) -> None:
        """Records what still waits, sends followers away and closes the file."""
        self._writer.stop()
        self._history.close()
        self._executor.close()

    def _record(self, actions: Sequence[bytes]) -> list[Answer]:
        answers = self._executor.record(actions)
        # After the state, so that whoever hears of an event finds what it is about.
        done = [(each, answer) for each, answer in zip(actions, answers, strict=True) if isinstance(answer, Accepted)]
        if done:
            self._history.append([action for action, _ in done], [accepted for _, accepted in done])
        return answers


def block_of(row: Row) -> Block:
    """The stored block as it leaves the ledger."""
    body = row.body
    return Block(
        header=row.header,
        signature=row.signature,
        actions=tuple(unframe(body.actions, largest=ACTION_LARGEST, most=blocks.ACTIONS_LARGEST)),
        results=tuple(unframe(body.results, largest=blocks.RESULT_LARGEST, most=blocks.ACTIONS_LARGEST)),
    )
