"""The conversation between one peer and its chaincode, without the wire.

    chaincode   REGISTER      which package I run
    peer        REGISTERED
    peer        READY         from v3.1 on also: how many reads and writes I take at once
    peer        TRANSACTION   a call, with the proposal of the client that made it; many run at the same time
    chaincode   GET_STATE, …  one request of a transaction at a time: the peer drops a second and would never answer
    peer        RESPONSE      or ERROR
    chaincode   COMPLETED     status, message, payload and at most one event

The peer is the operator's own, but what it passes on was written by strangers; and a peer of another line, or somebody
who found the port, may say anything. Whoever leaves the order above is Invalid and is hung up on. A call that cannot be
read is answered with a refusal, since a stranger wrote it. A transaction sees what was recorded before it, never what
it writes itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Final, Protocol, TypeAlias

import msgspec

from freehold.errors import Broken, FreeholdError, Invalid, Unavailable
from freehold.ledger.fabric import messages
from freehold.ledger.fabric.messages import Call, ChaincodeEvent, ChaincodeMessage, Kind, Skills
from freehold.ports.state_view import Read
from freehold.transport.trouble import trouble_of

CALL_SECONDS: Final = 20.0
"""How long a call may take, and the peer over one request of it. A peer gives up after 30 s (`executetimeout`), and may
then begin another call under the same name: an answer that came later would be taken for that call's."""
BATCH_LARGEST: Final = 1_000
"""Keys of one request, whatever the peer allows."""
RUNNING_LARGEST: Final = 4_096
"""Transactions of one peer that run or wait; its own limit (`endorserService`) is lower."""
_WORDS_LARGEST: Final = 300
"""Characters of each part of a refusal: a gateway passes it on in the trailers of a call, which have little room."""

Send: TypeAlias = Callable[[bytes], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a call comes to: writes, and what is said about it."""

    payload: bytes
    writes: Mapping[str, bytes] = field(default_factory=dict)
    event: ChaincodeEvent | None = None


class Chaincode(Protocol):
    """What is called: a function of the call and of what is recorded."""

    def __call__(self, call: Call, read: Read) -> Answer:
        """The answer; raises FreeholdError if the peer is not to endorse."""
        ...


class Conversation:
    """One stream. `receive` is called from one thread; transactions run in the threads of `workers`."""

    def __init__(self, package: str, chaincode: Chaincode, workers: Executor, send: Send) -> None:
        """`send` may be called from every thread."""
        self._chaincode = chaincode
        self._workers = workers
        self._send = send
        self._expected: Kind | None = Kind.REGISTERED
        self._skills = Skills()
        self._lock = threading.Lock()
        self._running: dict[tuple[str, str], Transaction] = {}
        self._over = False
        send(ChaincodeMessage(kind=Kind.REGISTER, payload=messages.registration(package)).encode())

    def receive(self, data: bytes) -> None:
        """Takes what the peer says; Invalid if it leaves the order, and then the stream is to be closed."""
        message = messages.read_message(data)
        if message.kind == Kind.KEEPALIVE:
            self._send(data)
        elif self._expected is not None:
            self._greeted(message)
        elif message.kind in (Kind.RESPONSE, Kind.ERROR):
            with self._lock:
                transaction = self._running.get((message.channel, message.transaction))
            # One that gave up waiting may be answered still.
            if transaction is not None:
                transaction.answered(message)
        elif message.kind in (Kind.TRANSACTION, Kind.INIT):
            self._begin(message)
        else:
            raise Invalid(f"the peer says something of the unknown kind {message.kind}")

    def close(self) -> None:
        """The stream is over: whatever waits for the peer waits no longer."""
        with self._lock:
            self._over = True
            running, self._running = list(self._running.values()), {}
        for transaction in running:
            transaction.answered(None)

    def _greeted(self, message: ChaincodeMessage) -> None:
        if message.kind != self._expected:
            raise Invalid(f"the peer says {message.kind} before it is ready")
        if message.kind == Kind.READY:
            announced = messages.read_skills(message.payload)
            self._skills = Skills(
                reads=min(announced.reads, BATCH_LARGEST), writes=min(announced.writes, BATCH_LARGEST)
            )
        self._expected = Kind.READY if message.kind == Kind.REGISTERED else None

    def _begin(self, message: ChaincodeMessage) -> None:
        name = (message.channel, message.transaction)
        transaction = Transaction(message, self._skills, self._send)
        try:
            call = _call(message)
        except Invalid as error:
            # A stranger wrote it. It is read here, so that nothing large waits for its turn.
            self._send(transaction.refused(error))
            return
        with self._lock:
            # A client may send its proposal twice, or two under one name.
            fits = not self._over and name not in self._running and len(self._running) < RUNNING_LARGEST
            if fits:
                self._running[name] = transaction
        if not fits:
            busy = Unavailable("the same call runs already, or too many wait", next="try again", retry_after=0.5)
            self._send(transaction.refused(busy))
            return
        self._workers.submit(self._run, name, call, transaction)

    def _run(self, name: tuple[str, str], call: Call, transaction: Transaction) -> None:
        try:
            completed = self._answered(call, transaction)
        except FreeholdError as trouble:
            completed = transaction.refused(trouble)
        except Exception as error:
            completed = transaction.refused(Broken(f"the chaincode failed: {type(error).__name__}"))
        with self._lock:
            present = self._running.pop(name, None) is transaction
        if present:
            self._send(completed)

    def _answered(self, call: Call, transaction: Transaction) -> bytes:
        answer = self._chaincode(call, transaction.read)
        transaction.write(answer.writes)
        transaction.in_time()
        return transaction.completed(answer)


class Transaction:
    """One call that runs: its requests to the peer, one after the other."""

    def __init__(self, message: ChaincodeMessage, skills: Skills, send: Send) -> None:
        self._channel = message.channel
        self._name = message.transaction
        self._skills = skills
        self._send = send
        self._until = time.monotonic() + CALL_SECONDS
        self._asked = False
        self._answers: SimpleQueue[ChaincodeMessage | None] = SimpleQueue()

    def answered(self, message: ChaincodeMessage | None) -> None:
        """The peer's answer, or None if there will never be one."""
        # An answer to nothing would pass for the answer to the next request.
        if message is None or self._asked:
            self._asked = False
            self._answers.put(message)

    def read(self, keys: Sequence[str]) -> list[bytes | None]:
        """What is recorded under each key; satisfies `ports.state_view.Read`."""
        values: list[bytes] = []
        for some in _batches(keys, self._skills.reads):
            if len(some) == 1:
                values.append(self._ask(Kind.GET_STATE, messages.get_state(some[0])))
            else:
                payload = self._ask(Kind.GET_STATE_MULTIPLE, messages.get_states(some))
                values.extend(messages.read_states(payload, len(some)))
        return [value or None for value in values]

    def write(self, writes: Mapping[str, bytes]) -> None:
        """Hands the peer what is to be written."""
        if not all(writes.values()):
            raise Broken("an empty value would delete the record")
        for some in _batches(list(writes), self._skills.writes):
            if len(some) == 1:
                self._ask(Kind.PUT_STATE, messages.put_state(some[0], writes[some[0]]))
            else:
                self._ask(Kind.WRITE_BATCH_STATE, messages.put_states({key: writes[key] for key in some}))

    def in_time(self) -> None:
        """Raises Unavailable if the peer may have given up meanwhile."""
        if time.monotonic() > self._until:
            raise Unavailable("the call took too long", next="try again", now="nothing was endorsed")

    def completed(self, answer: Answer) -> bytes:
        """The message that the peer is to endorse."""
        payload = messages.response(messages.OK, payload=answer.payload)
        return self._message(Kind.COMPLETED, payload, answer.event)

    def refused(self, trouble: FreeholdError) -> bytes:
        """The message with which the peer is told not to endorse, and its client why."""
        return self._message(Kind.COMPLETED, messages.response(messages.REFUSED, message=said(trouble)))

    def _ask(self, kind: Kind, payload: bytes) -> bytes:
        self.in_time()
        self._asked = True
        self._send(self._message(kind, payload))
        try:
            answer = self._answers.get(timeout=CALL_SECONDS)
        except Empty:
            answer = None
        if answer is None:
            raise Unavailable("the peer does not answer its chaincode", next="try again", now="nothing was endorsed")
        if answer.kind == Kind.ERROR:
            why = answer.payload[:_WORDS_LARGEST].decode(errors="replace")
            raise Unavailable("the peer could not read or write its state", why=why, now="nothing was endorsed")
        return answer.payload

    def _message(self, kind: Kind, payload: bytes, event: ChaincodeEvent | None = None) -> bytes:
        message = ChaincodeMessage(
            kind=kind, payload=payload, transaction=self._name, channel=self._channel, event=event
        )
        return message.encode()


def _call(message: ChaincodeMessage) -> Call:
    if message.kind == Kind.INIT:
        raise Invalid("this chaincode has nothing to initialise")
    return messages.read_call(message)


def _batches(keys: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for at in range(0, len(keys), size):
        yield keys[at : at + size]


def said(trouble: FreeholdError) -> str:
    """The trouble as a peer passes it on to its client: JSON of `transport.trouble`, with fewer words."""
    whole = trouble_of(trouble)
    short = {part: getattr(whole, part)[:_WORDS_LARGEST] for part in ("what", "why", "next", "now")}
    return msgspec.json.encode(msgspec.structs.replace(whole, **short)).decode()
