"""What a member needs from a ledger: send an action, learn what became of it, ask, follow, and take the proof home.

An action is recorded at most once and for good; what `submit` returns has survived a power loss. If it raises
Unavailable the outcome may be unknown (its `now` says which): `resolve` tells it later, and sending the same bytes
again is harmless, since a recorded action sent again is refused. Events come in one total order, each at least once.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from freehold.errors import FreeholdError
from freehold.protocol.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """An action that is recorded for good."""

    position: int
    """Its leaf in the log of accepted actions, from 0."""
    height: int
    """Its block, from 1."""
    time: int
    """The engine's time at which it was executed, in milliseconds: its block's time."""
    id: str
    """The asset that it created or moved."""
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """One event of an accepted action."""

    position: int
    """Its place in the total order of all events, from 1."""
    height: int
    time: int
    name: str
    subject: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Some events after a cursor, ascending by position; an empty page means that there was nothing yet."""

    events: tuple[RecordedEvent, ...]
    cursor: int
    """What to give as the next `after`; it may lie beyond the last event if the rest was for others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block as it leaves the ledger: enough to replay and check it."""

    header: bytes
    """Canonical JSON {events, height, previous, root, size, state, time, writes}."""
    signature: bytes
    """The operator's Ed25519 signature over T(block) ‖ header, 64 bytes."""
    actions: tuple[bytes, ...]
    results: tuple[bytes, ...]
    """One canonical result for each action."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerInfo:
    """Which ledger this is and how far it has come."""

    network: bytes
    """The canonical network record."""
    operator: str
    """The operator's Ed25519 public key, hex; empty if nobody signs."""
    height: int
    """The newest block; 0 if there is none."""
    size: int
    """Accepted actions in the log."""
    time: int
    """The engine's present time, milliseconds."""
    checkpoint: str
    """C2SP signed note (tlog-checkpoint) over the log of accepted actions; empty if nobody signs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionProof:
    """That an action is recorded: its leaf is in the log of a signed checkpoint."""

    accepted: Accepted
    size: int
    """Of the log that the checkpoint is about."""
    path: tuple[bytes, ...]
    """RFC 6962's audit path, 32 bytes each."""
    checkpoint: str
    """Signed note; empty if nobody signs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordProof:
    """What a record holds, or that there is none, against the state root in the newest block."""

    value: bytes | None
    bucket: bytes
    """The entries of the record's bucket in the state tree, 64 bytes each."""
    siblings: tuple[bytes, ...]
    """Of each node above the bucket, 480 bytes each, the lowest first."""
    header: bytes
    """Of the newest block."""
    signature: bytes
    """The operator's over that header; empty if nobody signs."""


class Ledger(Protocol):
    """A ledger as its members see it."""

    def submit(self, action: bytes) -> Accepted:
        """Sends a signed action and waits until it is durable.

        Raises Refused (a rule said no, nothing is recorded) or Unavailable (`now` says whether the outcome is unknown).
        """
        ...

    def resolve(self, action: bytes) -> Accepted | None:
        """What became of exactly these bytes: None means that they are not recorded so far."""
        ...

    def evaluate(self, query: str, arguments: Mapping[str, object]) -> Any:
        """Asks the rules about the newest durable state; never ordered, never recorded."""
        ...

    def events(self, after: int, *, to: str | None = None, wait: float = 0.0) -> EventPage:
        """Events with a position greater than `after`, of one member if `to` is given.

        Waits up to `wait` seconds for the first. At least once: an event at or before `after` may come again.
        """
        ...

    def export(self, after: int, limit: int) -> Sequence[Block]:
        """At most `limit` blocks above the height `after`, ascending; empty at the end."""
        ...

    def info(self) -> LedgerInfo:
        """Which ledger this is and how far it has come."""
        ...

    def seal(self, height: int) -> bytes:
        """What several operators together signed about the block at this height and everything before it, as canonical
        JSON of the engine's own form; empty where one operator signs each block, or nobody does.

        Raises Unavailable as long as too few have signed, and for a height that there is not.
        """
        ...


class Engine(Ledger, Protocol):
    """A ledger that a node can serve: it takes a request's actions in one go, and knows an action by its digest."""

    def submit_all(self, actions: Sequence[bytes]) -> list[Accepted | FreeholdError]:
        """Submits in the given order and waits once; the answer of each stands at its place."""
        ...

    def enqueue(self, actions: Sequence[bytes]) -> Future[list[Accepted | FreeholdError]]:
        """Submits in the given order without waiting for the disk; Unavailable if there is no room for them."""
        ...

    def prove_action(self, digest: bytes) -> ActionProof:
        """That the action with this SHA-256 is recorded; Unavailable if it is not, so far."""
        ...

    def prove_growth(self, old: int, new: int) -> tuple[bytes, ...]:
        """RFC 6962's proof that the log of `new` actions begins with that of `old`; Invalid for sizes it never had."""
        ...

    def prove_record(self, key: str) -> RecordProof:
        """What the record `kind/id` holds, or that there is none; Unavailable before the first block."""
        ...

    def find(self, digest: bytes) -> Accepted | None:
        """What became of the action with this SHA-256 (32 bytes): None means that it is not recorded so far."""
        ...
