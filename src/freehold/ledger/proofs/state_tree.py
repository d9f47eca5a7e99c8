"""The state tree: 32 bytes that stand for every record there is, whichever engine holds them.

A record lies in one of 65,536 buckets, by the first two bytes of its key's SHA-256. Over the buckets stands a tree in
which every node has sixteen children, so four levels lead to the root:

    bucket = SHA-256(00 ‖ for each record, by key digest: SHA-256(key) ‖ SHA-256(value))
    node   = SHA-256(01 ‖ its sixteen children)

The root depends on the records alone, never on the order in which they came: equal state means equal root. A proof is a
whole bucket and the fifteen siblings of each node on its way up. It shows what one key holds, or that it holds nothing,
because a bucket that left a record out would hash to something else.

What a block would change is computed first and taken over once the block is durable, so a block that could not be
written leaves no trace here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from freehold.errors import Invalid

FANOUT: Final = 16
LEVELS: Final = 4
DIGEST: Final = 32
ENTRY: Final = 2 * DIGEST
BUCKET_LARGEST: Final = 4_096
"""Records in one bucket that a proof may show: 2^28 records fill a bucket to about this."""

_SPAN = FANOUT * DIGEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What some writes make of the tree: its root, the buckets they touch, and every node above these."""

    root: bytes
    buckets: Mapping[int, bytes]
    nodes: Sequence[Mapping[int, bytes]]
    """For each level from the buckets' digests up, the new digest at each place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateProof:
    """A bucket with all its entries (64 bytes each), and the siblings of each node above it, the lowest level first."""

    bucket: bytes
    siblings: tuple[bytes, ...]
    """Four of 15 digests each, 480 bytes, in order and without the node itself."""


class StateTree:
    """The tree over one state; grows with it."""

    def __init__(self, records: Mapping[str, bytes]) -> None:
        empty = bucket_digest(b"")
        self._buckets: dict[int, bytes] = {}
        self._levels: list[bytearray] = []
        """The digests of each level side by side: 65,536 buckets, then 4,096, 256 and 16 nodes."""
        for level in range(LEVELS):
            self._levels.append(bytearray(empty * FANOUT ** (LEVELS - level)))
            empty = node_digest(empty * FANOUT)
        self.root = empty
        self.apply(self.changed(records))

    def changed(self, writes: Mapping[str, bytes]) -> Change:
        """The tree with these records written, as what differs from the present one, which stays as it is."""
        buckets: dict[int, bytes] = {}
        for key, value in writes.items():
            name = sha256(key.encode("ascii")).digest()
            place = _place(name)
            found = buckets.get(place)
            if found is None:
                found = self._buckets.get(place, b"")
            buckets[place] = _with_entry(found, name, sha256(value).digest())
        fresh = {place: bucket_digest(bucket) for place, bucket in buckets.items()}
        nodes = [fresh]
        for level in self._levels:
            fresh = _parents(level, fresh)
            nodes.append(fresh)
        return Change(root=nodes.pop().get(0, self.root), buckets=buckets, nodes=nodes)

    def apply(self, change: Change) -> None:
        """Takes over a change that `changed` made of the present tree."""
        self._buckets.update(change.buckets)
        for level, fresh in zip(self._levels, change.nodes, strict=True):
            for place, digest in fresh.items():
                level[place * DIGEST : (place + 1) * DIGEST] = digest
        self.root = change.root

    def prove(self, key: str) -> StateProof:
        """The proof of what `key` holds, or that it holds nothing, against the present root."""
        place = bucket_place = _place(sha256(key.encode("ascii")).digest())
        siblings = []
        for level in self._levels:
            family = _family(level, place // FANOUT)
            own = place % FANOUT * DIGEST
            siblings.append(family[:own] + family[own + DIGEST :])
            place //= FANOUT
        return StateProof(bucket=self._buckets.get(bucket_place, b""), siblings=tuple(siblings))


def holds(proof: StateProof, key: str, value: bytes | None, root: bytes) -> bool:
    """Whether the state with this root holds `value` under `key`, or nothing if `value` is None.

    Raises Invalid if the proof has not the shape of one.
    """
    _require_shape(proof)
    name = sha256(key.encode("ascii")).digest()
    digest, place = bucket_digest(proof.bucket), _place(name)
    for siblings in proof.siblings:
        own = place % FANOUT * DIGEST
        digest = node_digest(siblings[:own] + digest + siblings[own:])
        place //= FANOUT
    if digest != root:
        return False
    entries = {proof.bucket[at : at + DIGEST]: proof.bucket[at + DIGEST : at + ENTRY] for at in _starts(proof.bucket)}
    return entries.get(name) == (None if value is None else sha256(value).digest())


def bucket_digest(bucket: bytes) -> bytes:
    """The digest of a bucket's entries, ascending by key digest."""
    return sha256(b"\x00" + bucket).digest()


def node_digest(children: bytes | bytearray) -> bytes:
    """The digest of a node: 16 children of 32 bytes each."""
    return sha256(b"\x01" + children).digest()


def _place(name: bytes) -> int:
    return name[0] << 8 | name[1]


def _starts(bucket: bytes) -> range:
    return range(0, len(bucket), ENTRY)


def _with_entry(bucket: bytes, name: bytes, value: bytes) -> bytes:
    """The bucket with this record in the place of the one of the same key, or between its neighbours."""
    low, high = 0, len(bucket) // ENTRY
    while low < high:
        middle = (low + high) // 2
        if bucket[middle * ENTRY : middle * ENTRY + DIGEST] < name:
            low = middle + 1
        else:
            high = middle
    at = low * ENTRY
    rest = at + ENTRY if bucket[at : at + DIGEST] == name else at
    return bucket[:at] + name + value + bucket[rest:]


def _parents(level: bytearray, fresh: Mapping[int, bytes]) -> dict[int, bytes]:
    """The nodes above the fresh digests of one level, over their old and fresh children."""
    families: dict[int, bytearray] = {}
    for place, digest in fresh.items():
        parent, own = divmod(place, FANOUT)
        family = families.get(parent)
        if family is None:
            family = families[parent] = bytearray(_family(level, parent))
        family[own * DIGEST : (own + 1) * DIGEST] = digest
    return {parent: node_digest(family) for parent, family in families.items()}


def _family(level: bytearray, parent: int) -> bytes:
    """The sixteen children of a node, side by side."""
    return bytes(level[parent * _SPAN : (parent + 1) * _SPAN])


def _require_shape(proof: StateProof) -> None:
    if len(proof.siblings) != LEVELS or any(len(each) != _SPAN - DIGEST for each in proof.siblings):
        raise Invalid(f"a state proof has {LEVELS} levels of {FANOUT - 1} siblings")
    if len(proof.bucket) % ENTRY or len(proof.bucket) > BUCKET_LARGEST * ENTRY:
        raise Invalid(f"a bucket holds at most {BUCKET_LARGEST} entries of {ENTRY} bytes")
    names = [proof.bucket[at : at + DIGEST] for at in _starts(proof.bucket)]
    if names != sorted(set(names)):
        raise Invalid("the entries of a bucket ascend by the digests of their keys, each once")
