"""The log of everything accepted, as the Merkle tree of RFC 6962 (section 2.1).

A leaf is one accepted action with its result. A root of 32 bytes then stands for the whole history: nothing in it can
be altered, left out or slipped in without another root. Only the right edge is kept, one digest for each full subtree,
so a log of any length is a few digests, and a value: appending gives a new one and leaves the old as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256


def entry(action: bytes, result: bytes) -> bytes:
    """The leaf of one accepted action: the action's length as u32 big-endian, the action, its result."""
    return len(action).to_bytes(4, "big") + action + result


def leaf_hash(leaf: bytes) -> bytes:
    """RFC 6962's hash of a leaf: 32 bytes."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962's hash of an inner node: 32 bytes."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Log:
    """A log of `size` leaves; `edge` holds the roots of its full subtrees, the largest first."""

    size: int = 0
    edge: tuple[bytes, ...] = ()

    def extended(self, leaves: Iterable[bytes]) -> Log:
        """The log with these leaves behind its own."""
        size, edge = self.size, list(self.edge)
        for leaf in leaves:
            node = leaf_hash(leaf)
            complete = size
            while complete & 1:
                node = node_hash(edge.pop(), node)
                complete >>= 1
            edge.append(node)
            size += 1
        return Log(size, tuple(edge))

    def root(self) -> bytes:
        """The 32 bytes that stand for all leaves."""
        if not self.edge:
            return sha256(b"").digest()
        *lefts, node = self.edge
        for left in reversed(lefts):
            node = node_hash(left, node)
        return node
