"""A peer that keeps to Fabric's protocol, without Fabric: it simulates each transaction and commits what was answered.

Like a real one it drops a second request of a transaction while the first is open, shows a transaction nothing of what
that writes itself, and takes writes only of those that were answered with status 200.
"""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from types import TracebackType

from freehold.ledger.fabric import messages
from freehold.ledger.fabric.conversation import Chaincode, Conversation
from freehold.ledger.fabric.messages import ChaincodeEvent, ChaincodeMessage, Kind, Skills

PACKAGE = "market_1:abc"
CHANNEL, CHAINCODE = "channel", "market"
V2_5 = Skills()
V3_1 = Skills(reads=1_000, writes=1_000)


@dataclass(frozen=True, slots=True)
class Completed:
    """What a transaction came to."""

    status: int
    message: str
    payload: bytes
    event: ChaincodeEvent | None


class Peer:
    """One peer and its only stream; a thread of its own hears what the chaincode says."""

    def __init__(self, chaincode: Chaincode, skills: Skills = V3_1, state: dict[str, bytes] | None = None) -> None:
        self.state: dict[str, bytes] = dict(state or {})
        self.asked: Counter[Kind] = Counter()
        self.registered: list[str] = []
        self.silent = False
        """It stops answering."""
        self.open: dict[str, Future[Completed]] = {}
        self._writes: dict[str, dict[str, bytes]] = {}
        self._said: SimpleQueue[bytes | None] = SimpleQueue()
        self._workers = ThreadPoolExecutor(8)
        self.conversation = Conversation(PACKAGE, chaincode, self._workers, self._said.put)
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()
        self.conversation.receive(ChaincodeMessage(kind=Kind.REGISTERED).encode())
        payload = b"" if skills == V2_5 else messages.skills(skills)
        self.conversation.receive(ChaincodeMessage(kind=Kind.READY, payload=payload).encode())

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.conversation.close()
        self._said.put(None)
        self._thread.join()
        self._workers.shutdown()

    def begin(self, name: str, function: str, *arguments: bytes, time: int = 0) -> Future[Completed]:
        """Begins a transaction, by a proposal that claims a time."""
        self.open[name], self._writes[name] = Future(), {}
        message = ChaincodeMessage(
            kind=Kind.TRANSACTION,
            payload=messages.call(function, arguments),
            transaction=name,
            channel=CHANNEL,
            proposal=messages.proposal(time, CHANNEL, CHAINCODE, [function.encode(), *arguments]),
        )
        self.conversation.receive(message.encode())
        return self.open[name]

    def call(self, function: str, *arguments: bytes, time: int = 0) -> Completed:
        """What a transaction comes to."""
        return self.begin(f"transaction {len(self.open)}", function, *arguments, time=time).result(10)

    def _listen(self) -> None:
        while (data := self._said.get()) is not None:
            message = messages.read_message(data)
            self.asked[Kind(message.kind)] += 1
            if message.kind == Kind.REGISTER:
                self.registered.append(messages.read_registration(message.payload))
            elif message.kind == Kind.COMPLETED:
                self._complete(message)
            elif message.kind != Kind.KEEPALIVE and not self.silent:
                self._answer(message)

    def _answer(self, message: ChaincodeMessage) -> None:
        match message.kind:
            case Kind.GET_STATE:
                payload = self.state.get(messages.read_get_state(message.payload), b"")
            case Kind.GET_STATE_MULTIPLE:
                keys = messages.read_get_states(message.payload, 1_000)
                payload = messages.states([self.state.get(key, b"") for key in keys])
            case Kind.PUT_STATE:
                key, value = messages.read_put_state(message.payload)
                self._writes[message.transaction][key] = value
                payload = b""
            case Kind.WRITE_BATCH_STATE:
                self._writes[message.transaction] |= messages.read_put_states(message.payload, 1_000)
                payload = b""
            case _:
                raise AssertionError(f"a peer knows no {message.kind}")
        answer = ChaincodeMessage(
            kind=Kind.RESPONSE, payload=payload, transaction=message.transaction, channel=message.channel
        )
        self.conversation.receive(answer.encode())

    def _complete(self, message: ChaincodeMessage) -> None:
        status, words, payload = messages.read_response(message.payload)
        if status == messages.OK:
            self.state |= self._writes.pop(message.transaction)
        self.open[message.transaction].set_result(Completed(status, words, payload, message.event))
