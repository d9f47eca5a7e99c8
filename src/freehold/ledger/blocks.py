"""What a block is, and the one way from a block to the next.

A block is the accepted actions that became durable together. Its header, canonical JSON,

    {"events", "height", "previous", "root", "size", "state", "time", "writes"}

names the block before it by digest (the first names the network), the size and RFC 6962 root of the log of all actions
and results so far, the engine's time, the digests of what the rules made of the actions (their events and the records
that they wrote), and the root of the state tree over all records as the block leaves them. The operator signs
T(block) ‖ header; the SHA-256 of the same bytes is the block's digest.

Headers are never checked field by field. Whoever holds the block before and the contents computes the header that must
follow, by the same function that the engine used, and compares the bytes: `next_block`. Only the time is free, and it
never falls.

The state tree grows beside the chain, because it changes only once a block is durable: whoever makes or follows a block
asks the tree what the block's writes would make of it, and tells `next_block` the root.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from freehold.errors import Invalid
from freehold.ledger.frames import frame, unframe
from freehold.ledger.proofs.log import Log, entry
from freehold.ports.ledger import Block
from freehold.ports.machine import Executed
from freehold.protocol import canonical, limits, signatures
from freehold.protocol.digests import T
from freehold.protocol.events import Event

HEADER_LARGEST = 1_024
ACTIONS_LARGEST = 512
"""Actions of one block."""
RESULT_LARGEST = 1_024
_EVENTS_LARGEST = 64 * 2**20
_WRITES_LARGEST = ACTIONS_LARGEST * limits.WRITES_PER_CALL


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The header of a block; digests in hex, time in milliseconds."""

    events: str
    height: int
    previous: str
    root: str
    size: int
    state: str
    time: int
    writes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tip:
    """Where a chain of blocks has come to."""

    height: int
    digest: str
    """Of the newest block; the network id before the first."""
    time: int
    log: Log


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What a block holds beside its header, each part as the bytes that are hashed and stored."""

    actions: bytes
    results: bytes
    events: bytes
    writes: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a body says: one result and one list of events for each action, and every record as the block leaves it."""

    actions: tuple[bytes, ...]
    results: tuple[bytes, ...]
    events: tuple[tuple[Event, ...], ...]
    writes: Mapping[str, bytes]

    @classmethod
    def of(cls, actions: Sequence[bytes], effects: Sequence[Executed]) -> Contents:
        """The contents of a block of these actions with their effects; a later write to a key replaces the earlier."""
        writes: dict[str, bytes] = {}
        for each in effects:
            writes.update(each.writes)
        return cls(
            actions=tuple(actions),
            results=tuple(each.result for each in effects),
            events=tuple(each.events for each in effects),
            writes=writes,
        )

    def encode(self) -> Body:
        """The bytes that are hashed and stored."""
        events = [[{"name": e.name, "subject": e.subject, "to": e.to} for e in some] for some in self.events]
        return Body(
            actions=frame(self.actions),
            results=frame(self.results),
            events=canonical.encode(events),
            writes=frame(part for key in sorted(self.writes) for part in (key.encode("ascii"), self.writes[key])),
        )


def first_tip(network_id: str) -> Tip:
    """The chain before its first block."""
    return Tip(height=0, digest=network_id, time=0, log=Log())


def next_block(tip: Tip, time: int, contents: Contents, body: Body, *, state: bytes) -> tuple[bytes, Tip]:
    """The header of the block that follows `tip` with these contents, and the tip after it.

    `state` is the root of the state tree with these contents written.
    """
    log = tip.log.extended(entry(*pair) for pair in zip(contents.actions, contents.results, strict=True))
    header = canonical.encode(
        Header(
            events=hashlib.sha256(body.events).hexdigest(),
            height=tip.height + 1,
            previous=tip.digest,
            root=log.root().hex(),
            size=log.size,
            state=state.hex(),
            time=time,
            writes=hashlib.sha256(body.writes).hexdigest(),
        )
    )
    return header, Tip(height=tip.height + 1, digest=block_digest(header), time=time, log=log)


def follow(tip: Tip, header: bytes, contents: Contents, body: Body, *, state: bytes) -> Tip:
    """The tip after a block that somebody else made; Invalid if it is not the one that follows with these contents.

    `state` is the root of the state tree with these contents written.
    """
    time = parse_header(header).time
    if time < tip.time:
        raise Invalid(f"block {tip.height + 1}: its time is before that of the block before it")
    expected, after = next_block(tip, time, contents, body, state=state)
    if expected != header:
        raise Invalid(f"block {tip.height + 1}: {_first_difference(expected, header)} is not what its contents give")
    return after


def parse_header(data: bytes) -> Header:
    """The header that `data` writes; Invalid for any spelling but the canonical one."""
    header: Header = canonical.decode_record(data, _HEADER, largest=HEADER_LARGEST)
    return header


def block_digest(header: bytes) -> str:
    """The digest by which the next block names this one."""
    return hashlib.sha256(T("block") + header).hexdigest()


def sign_header(header: bytes, operator_seed: bytes) -> bytes:
    """The operator's 64-byte signature."""
    return signatures.sign(operator_seed, T("block") + header)


def check_signature(height: int, header: bytes, signature: bytes, operator: bytes) -> None:
    """Invalid unless the operator (32-byte public key) signed this header."""
    if not signatures.verify(operator, T("block") + header, signature):
        raise Invalid(f"block {height}: its header is not signed by the operator")


def unsigned_block(header: bytes, body: Body) -> Block:
    """A stored block as it leaves a ledger on which no operator signs it."""
    return Block(
        header=header,
        signature=b"",
        actions=tuple(unframe(body.actions, largest=limits.ACTION_LARGEST, most=ACTIONS_LARGEST)),
        results=tuple(unframe(body.results, largest=RESULT_LARGEST, most=ACTIONS_LARGEST)),
    )


def decode_body(body: Body) -> Contents:
    """What stored bytes say; Invalid if they are no body of a block."""
    actions = unframe(body.actions, largest=limits.ACTION_LARGEST, most=ACTIONS_LARGEST)
    results = unframe(body.results, largest=RESULT_LARGEST, most=ACTIONS_LARGEST)
    events = _decode_events(body.events)
    writes = unframe(body.writes, largest=limits.RECORD_LARGEST, most=2 * _WRITES_LARGEST)
    if not len(actions) == len(results) == len(events) or len(writes) % 2:
        raise Invalid("a block has one result and one list of events for each action, and pairs of keys and values")
    try:
        keys = [key.decode("ascii") for key in writes[::2]]
    except UnicodeDecodeError:
        raise Invalid("keys of records are ASCII") from None
    return Contents(
        actions=tuple(actions),
        results=tuple(results),
        events=events,
        writes=dict(zip(keys, writes[1::2], strict=True)),
    )


class _StoredEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    subject: str
    to: str


_HEADER = msgspec.json.Decoder(Header)
_EVENTS = msgspec.json.Decoder(tuple[tuple[_StoredEvent, ...], ...])


def _decode_events(data: bytes) -> tuple[tuple[Event, ...], ...]:
    stored = canonical.decode_record(data, _EVENTS, largest=_EVENTS_LARGEST)
    return tuple(tuple(Event(name=e.name, subject=e.subject, to=e.to) for e in some) for some in stored)


def _first_difference(expected: bytes, found: bytes) -> str:
    ours, theirs = parse_header(expected), parse_header(found)
    for name in Header.__struct_fields__:
        if getattr(ours, name) != getattr(theirs, name):
            return f"its field '{name}'"
    return "its header"
