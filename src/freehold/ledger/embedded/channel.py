"""What travels between the two processes of a node: requests one way, replies the other, each a length and
MessagePack.

Both ends are one program on one machine, over a socket pair that nobody else can open: nothing here comes from a
stranger but the actions and questions inside, which are bounded before they are sent.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from freehold.ledger.frames import LENGTH, frame
from freehold.ledger.messages import Answer
from freehold.transport.trouble import Trouble

_PIECE = 2**20


class Submit(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """Record these actions, whose size and signature have been checked."""

    number: int
    actions: list[bytes]


class Ask(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """Ask the rules."""

    number: int
    query: str
    arguments: dict[str, Any]


class About(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """Say which ledger this is and how far it has come."""

    number: int


class Prove(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """Prove what a record holds."""

    number: int
    key: str


Request: TypeAlias = Submit | Ask | About | Prove


class Reply(msgspec.Struct, frozen=True, array_like=True):
    """The reply to the request of the same number: one of the three."""

    number: int
    answers: list[Answer] | None = None
    """To `Submit`, one for each action."""
    json: bytes | None = None
    """To all others: JSON, since an answer is made for it."""
    trouble: Trouble | None = None


M = TypeVar("M")
_ENCODER = msgspec.msgpack.Encoder()


class Incoming(Generic[M]):
    """The messages that arrive at one end."""

    def __init__(self, connection: socket.socket, decoder: msgspec.msgpack.Decoder[M]) -> None:
        self._connection = connection
        self._decoder = decoder
        self._rest = bytearray()

    def take(self) -> list[M]:
        """Every message that has arrived whole, at least one; none once the other end is closed or gone."""
        while True:
            if found := self._whole():
                return found
            try:
                piece = self._connection.recv(_PIECE)
            except ConnectionError:
                return []
            if not piece:
                return []
            self._rest += piece

    def _whole(self) -> list[M]:
        found, at, size = [], 0, len(self._rest)
        while at + LENGTH <= size:
            start = at + LENGTH
            end = start + int.from_bytes(self._rest[at:start], "big")
            if end > size:
                break
            found.append(self._decoder.decode(self._rest[start:end]))
            at = end
        del self._rest[:at]
        return found


def requests(connection: socket.socket) -> Incoming[Request]:
    """What arrives at the executor's end."""
    return Incoming(connection, msgspec.msgpack.Decoder(Request))


def replies(connection: socket.socket) -> Incoming[Reply]:
    """What arrives at the front's end."""
    return Incoming(connection, msgspec.msgpack.Decoder(Reply))


def encoded(messages: Sequence[Request | Reply]) -> bytes:
    """The messages as they travel."""
    return frame(_ENCODER.encode(each) for each in messages)
