"""The engine of one machine, in two processes: this one checks signatures and tells members, the other one writes.

A signature costs as much as all rules together, and two processes use two cores where threads of one would wait for
each other. The front keeps what followers wait on; state, trees and file belong to the executor
(`embedded.service`). An action is in the history here only after its executor replied, and the executor replies
only after the disk: so nobody ever hears of what could still be lost.

If the executor is gone, what was sent has an unknown outcome, nothing more is taken, and what is known is still
told; the next start reads back what is on disk.
"""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import msgspec

from freehold.errors import Broken, FreeholdError, Invalid, Refused, Unavailable
from freehold.ledger import messages
from freehold.ledger.embedded.channel import About, Ask, Prove, Reply, Request, Submit, encoded, replies
from freehold.ledger.embedded.executor import Answer
from freehold.ledger.embedded.file import BlockFile
from freehold.ledger.embedded.ledger import block_of
from freehold.ledger.embedded.recovery import retell
from freehold.ledger.embedded.writer import WAITING_LARGEST, busy, closed
from freehold.ledger.history import History
from freehold.ports.ledger import Accepted, ActionProof, Block, EventPage, LedgerInfo, RecordProof
from freehold.protocol.digests import sha256
from freehold.protocol.envelope import check_signature
from freehold.transport.trouble import error_of

_GOODBYE_SECONDS = 30
_PROOF = msgspec.json.Decoder(messages.RecordProofMessage)
_INFO = msgspec.json.Decoder(messages.Info)

Take = Callable[[Reply | None], None]
"""Takes the reply to one request; None if there will be none."""


class FrontLedger:
    """A ledger whose executor is another process; satisfies `ports.ledger.Engine`, safe to use from many threads."""

    def __init__(
        self,
        path: Path,
        process: subprocess.Popen[bytes],
        connection: socket.socket,
        check: Callable[[bytes], None] = check_signature,
    ) -> None:
        """Waits until the executor has read its file at `path`; raises what kept it from doing so.

        `check` raises Refused for an action that the executor is not to see: it will check no signature again.
        """
        self._process = process
        self._connection = connection
        self._check = check
        self._incoming = replies(connection)
        self._outgoing: SimpleQueue[Request | None] = SimpleQueue()
        self._numbers = count(1)
        self._waiting: dict[int, Take] = {}
        self._outstanding = 0
        self._changing = threading.Lock()
        self._gone: FreeholdError | None = None
        self._when_lost: list[Callable[[], None]] = []
        self._history = History()
        try:
            self._greet()
            self._file = BlockFile.read(path)
            retell(self._file, self._history.append)
        except BaseException:
            self._end_process()
            raise
        self._threads = [
            threading.Thread(target=work, name=f"ledger-{name}", daemon=True)
            for name, work in (("sender", self._send), ("receiver", self._receive))
        ]
        for thread in self._threads:
            thread.start()

    @classmethod
    def start(cls, path: Path, program: Sequence[str], check: Callable[[bytes], None] = check_signature) -> FrontLedger:
        """Starts the executor: `program`, which gets the number of its end of the socket as its last argument.

        Raises what the executor's opening of the ledger raises.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen([*program, str(theirs.fileno())], pass_fds=[theirs.fileno()])  # noqa: S603
        return cls(path, process, ours, check)

    def submit(self, action: bytes) -> Accepted:
        """Sends a signed action and waits until it is durable; raises Refused, Unavailable or Broken."""
        (answer,) = self.submit_all([action])
        if isinstance(answer, FreeholdError):
            raise answer.with_traceback(None)
        return answer

    def submit_all(self, actions: Sequence[bytes]) -> list[Answer]:
        """Submits in the given order and waits once; the answer of each stands at its place."""
        return self.enqueue(actions).result()

    def enqueue(self, actions: Sequence[bytes]) -> Future[list[Answer]]:
        """Submits in the given order without waiting; Unavailable if there is no room for them."""
        refusals = [self._refusal(action) for action in actions]
        good = [action for action, refusal in zip(actions, refusals, strict=True) if refusal is None]
        future: Future[list[Answer]] = Future()

        def take(reply: Reply | None) -> None:
            outcomes = self._outcomes(good, reply)
            future.set_result([next(outcomes) if refusal is None else refusal for refusal in refusals])

        if not good:
            future.set_result([refusal for refusal in refusals if refusal is not None])
            return future
        with self._changing:
            if self._gone is None and self._outstanding + len(good) > WAITING_LARGEST:
                raise busy()
            self._request(lambda number: Submit(number, good), take)
            self._outstanding += len(good)
        return future

    def prove_action(self, digest: bytes) -> ActionProof:
        """That the action with this SHA-256 is recorded; Unavailable if it is not, so far."""
        # Replies come in order: what this checkpoint is about has entered the history before it.
        info = self.info()
        return self._history.prove_action(digest, info.checkpoint, info.size)

    def prove_growth(self, old: int, new: int) -> tuple[bytes, ...]:
        """That the log of `new` actions begins with that of `old`."""
        return self._history.prove_growth(old, new)

    def prove_record(self, key: str) -> RecordProof:
        """What a record holds, or that there is none, against the newest block."""
        return messages.record_proof_of(_PROOF.decode(self._told(lambda number: Prove(number, key))))

    def resolve(self, action: bytes) -> Accepted | None:
        """What became of exactly these bytes: None means that they are not recorded so far."""
        return self.find(sha256(action))

    def find(self, digest: bytes) -> Accepted | None:
        """The accepted action with this SHA-256, None if there is none so far."""
        return self._history.resolve(digest)

    def evaluate(self, query: str, arguments: Mapping[str, object]) -> Any:
        """Asks the rules about the newest durable state."""
        return msgspec.json.decode(self._told(lambda number: Ask(number, query, dict(arguments))))

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
        return messages.info_of(_INFO.decode(self._told(About)))

    @property
    def trouble(self) -> FreeholdError | None:
        """What keeps this ledger from taking anything, if something does."""
        return self._gone

    def when_lost(self, tell: Callable[[], None]) -> None:
        """Calls `tell`, in a thread of this ledger, if the executor ends without being asked to."""
        self._when_lost.append(tell)

    def close(self) -> None:
        """Lets the executor record what was sent, then ends it and sends followers away."""
        # Before the executor's: who closes last folds the log back, and this one may only read.
        self._file.close()
        with self._changing:
            self._gone = self._gone or closed()
            self._outgoing.put(None)
        for thread in self._threads:
            thread.join(_GOODBYE_SECONDS)
        self._history.close()
        self._end_process()

    def _greet(self) -> None:
        greeting = next(iter(self._incoming.take()), None)
        if greeting is None:
            raise Broken("the ledger's executor did not start", next="see what it wrote to the terminal or the log")
        if greeting.trouble is not None:
            raise error_of(greeting.trouble)

    def _told(self, request: Callable[[int], Request]) -> bytes:
        future: Future[Reply | None] = Future()
        with self._changing:
            self._request(request, future.set_result)
        reply = future.result()
        if reply is None:
            raise self._lost()
        if reply.trouble is not None:
            raise error_of(reply.trouble)
        return reply.json or b""

    def _request(self, request: Callable[[int], Request], take: Take) -> None:
        """Sends a request; in the lock, so that numbers leave in their order and none after the end."""
        if self._gone is not None:
            raise self._gone.with_traceback(None)
        number = next(self._numbers)
        self._waiting[number] = take
        self._outgoing.put(request(number))

    def _send(self) -> None:
        """The thread that sends: a full socket holds nobody else up. Nothing is put behind the None that ends it."""
        some: list[Request | None] = []
        while None not in some:
            some = [self._outgoing.get()]
            while not self._outgoing.empty():
                some.append(self._outgoing.get())
            with suppress(OSError):
                self._connection.sendall(encoded([each for each in some if each is not None]))
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)

    def _receive(self) -> None:
        """The thread that takes replies, until there are no more."""
        try:
            while some := self._incoming.take():
                for reply in some:
                    self._waiting.pop(reply.number)(reply)
        finally:
            # However it came to this: nobody waits for what cannot come.
            with self._changing:
                told = self._when_lost if self._gone is None else []
                self._gone = self._gone or self._lost()
                left, self._waiting = list(self._waiting.values()), {}
            self._outgoing.put(None)
            for take in left:
                take(None)
            for tell in told:
                tell()

    def _outcomes(self, actions: Sequence[bytes], reply: Reply | None) -> Any:
        """What became of the actions of one request, in their order; what is accepted enters the history."""
        with self._changing:
            self._outstanding -= len(actions)
        if reply is None or reply.answers is None:
            return iter([self._lost()] * len(actions))
        outcomes: list[Answer] = [_outcome(answer) for answer in reply.answers]
        done = [(each, it) for each, it in zip(actions, outcomes, strict=True) if isinstance(it, Accepted)]
        if done:
            self._history.append([action for action, _ in done], [accepted for _, accepted in done])
        return iter(outcomes)

    def _refusal(self, action: bytes) -> Refused | None:
        try:
            self._check(action)
        except Refused as refused:
            return refused
        return None

    def _lost(self) -> FreeholdError:
        return Unavailable(
            "the ledger's executor has ended",
            why="the process that writes was stopped or failed",
            next="start the node again: it reads back what is on disk; then ask what became of the action",
            now="sent, outcome unknown; what was recorded before is still told",
            retry=False,
        )

    def _end_process(self) -> None:
        self._connection.close()
        try:
            self._process.wait(_GOODBYE_SECONDS)
        except subprocess.TimeoutExpired:
            # Its disk does not answer. Whatever it holds is not acknowledged, and the file stands a kill at any moment.
            self._process.kill()
            self._process.wait()


def _outcome(answer: messages.Answer) -> Answer:
    if answer.error is not None:
        return error_of(answer.error)
    if answer.accepted is None:
        return Invalid("the executor's reply says nothing about an action")
    return messages.accepted_of(answer.accepted)
