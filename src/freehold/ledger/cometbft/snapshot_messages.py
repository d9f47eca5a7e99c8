"""The messages of ABCI 2.0 about snapshots, as `abci` has the others: what a node that joins is offered and given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from freehold.ledger.protobuf import (
    VARINT,
    bytes_field,
    fields,
    integer,
    message_field,
    number_field,
    octets,
    text,
    varint,
)


class Offered(IntEnum):
    """What becomes of a snapshot that was offered."""

    ACCEPT = 1
    REJECT = 3
    REJECT_FORMAT = 4
    REJECT_SENDER = 5


class Applied(IntEnum):
    """What becomes of a piece of a snapshot."""

    ACCEPT = 1
    RETRY = 3
    REJECT_SNAPSHOT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A snapshot as nodes tell each other of it."""

    height: int = 0
    format: int = 0
    chunks: int = 0
    hash: bytes = b""
    metadata: bytes = b""

    def encode(self) -> bytes:
        """The message."""
        numbers = number_field(1, self.height) + number_field(2, self.format) + number_field(3, self.chunks)
        return numbers + bytes_field(4, self.hash) + bytes_field(5, self.metadata)


@dataclass(frozen=True, slots=True)
class ListSnapshots:
    """Which snapshots are there?"""


@dataclass(frozen=True, slots=True)
class OfferSnapshot:
    """Others offer this snapshot: is it wanted?"""

    snapshot: Snapshot = Snapshot()
    agreed: bytes = b""
    """The `app_hash` at its height, from a header that the node's light client verified."""


@dataclass(frozen=True, slots=True)
class LoadSnapshotChunk:
    """A piece of a snapshot is wanted."""

    height: int = 0
    format: int = 0
    chunk: int = 0


@dataclass(frozen=True, slots=True)
class ApplySnapshotChunk:
    """A piece of the snapshot that was accepted."""

    index: int = 0
    chunk: bytes = b""
    sender: str = ""


Request: TypeAlias = ListSnapshots | OfferSnapshot | LoadSnapshotChunk | ApplySnapshotChunk


def write_request(request: Request) -> bytes:
    """The message of a request."""
    match request:
        case ListSnapshots():
            return message_field(12, b"")
        case OfferSnapshot(snapshot, agreed):
            return message_field(13, message_field(1, snapshot.encode()) + bytes_field(2, agreed))
        case LoadSnapshotChunk(height, kind, chunk):
            return message_field(14, number_field(1, height) + number_field(2, kind) + number_field(3, chunk))
        case ApplySnapshotChunk(index, piece, sender):
            return message_field(15, number_field(1, index) + bytes_field(2, piece) + bytes_field(3, sender.encode()))


def list_snapshots(snapshots: Sequence[Snapshot]) -> bytes:
    """The answer to ListSnapshots."""
    return message_field(13, b"".join(message_field(1, each.encode()) for each in snapshots))


def offer_snapshot(verdict: Offered) -> bytes:
    """The answer to OfferSnapshot."""
    return message_field(14, number_field(1, verdict))


def load_snapshot_chunk(chunk: bytes) -> bytes:
    """The answer to LoadSnapshotChunk; empty bytes say that there is none."""
    return message_field(15, bytes_field(1, chunk))


def apply_snapshot_chunk(verdict: Applied, *, again: Sequence[int] = (), banned: Sequence[str] = ()) -> bytes:
    """The answer to ApplySnapshotChunk: the pieces to fetch `again`, and whose snapshots and pieces to take no more."""
    senders = b"".join(message_field(3, each.encode()) for each in banned)
    # An unpacked field, which every reader of proto3 has to understand too; a zero must not be left out of a list.
    wanted = b"".join(varint(2 << 3 | VARINT) + varint(each) for each in again)
    return message_field(16, number_field(1, verdict) + wanted + senders)


def _read_offer(data: bytes) -> OfferSnapshot:
    found = dict(fields(data))
    offered = dict(fields(octets(found.get(1, b""))))
    snapshot = Snapshot(
        height=integer(offered.get(1, 0)),
        format=integer(offered.get(2, 0)),
        chunks=integer(offered.get(3, 0)),
        hash=octets(offered.get(4, b"")),
        metadata=octets(offered.get(5, b"")),
    )
    return OfferSnapshot(snapshot, octets(found.get(2, b"")))


def _read_load(data: bytes) -> LoadSnapshotChunk:
    found = dict(fields(data))
    return LoadSnapshotChunk(integer(found.get(1, 0)), integer(found.get(2, 0)), integer(found.get(3, 0)))


def _read_apply(data: bytes) -> ApplySnapshotChunk:
    found = dict(fields(data))
    return ApplySnapshotChunk(integer(found.get(1, 0)), octets(found.get(2, b"")), text(found.get(3, b"")))


READERS: Final[Mapping[int, Callable[[bytes], Request]]] = {
    12: lambda _: ListSnapshots(),
    13: _read_offer,
    14: _read_load,
    15: _read_apply,
}
"""By the number of the request's field; of a field that occurs several times the last counts, as protobuf has it."""
