"""The log with all of its inner nodes, for whoever has to prove things about it.

`proofs.log.Log` keeps the right edge alone, which is enough to make blocks. Proofs need the nodes inside: they lie
level by level, each complete subtree's root at its place, 64 bytes for each leaf in all. Any proof, at the present size
or at any earlier one, then takes a few steps for each level.
"""

from __future__ import annotations

from hashlib import sha256

from freehold.errors import Invalid
from freehold.ledger.proofs.log import node_hash

_DIGEST = 32


class GrowingLog:
    """A log of leaf hashes; grows only."""

    def __init__(self) -> None:
        self._levels: list[bytearray] = [bytearray()]

    @property
    def size(self) -> int:
        """Leaves."""
        return len(self._levels[0]) // _DIGEST

    def append(self, leaf: bytes) -> None:
        """Puts a leaf hash (32 bytes) behind the others, and every subtree that it completes."""
        node, level, place = leaf, 0, self.size
        self._levels[0] += node
        while place & 1:
            node = node_hash(self._node(level, place - 1), node)
            place, level = place >> 1, level + 1
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += node

    def leaf(self, index: int) -> bytes:
        """The leaf hash at a place."""
        return self._node(0, index)

    def root(self, size: int) -> bytes:
        """The root over the first `size` leaves."""
        self._require(0, size)
        return self._root(0, size) if size else sha256(b"").digest()

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The path from the leaf at `index` to the root over the first `size` leaves; Invalid if it is not there."""
        self._require(0, size)
        if not 0 <= index < size:
            raise Invalid(f"there is no action {index} among the first {size}")
        path: list[bytes] = []
        start = 0
        while size > 1:
            split = _largest_power_below(size)
            if index < split:
                path.append(self._root(start + split, size - split))
                size = split
            else:
                path.append(self._root(start, split))
                start, index, size = start + split, index - split, size - split
        return path[::-1]

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the first `new` leaves begin with the first `old`; Invalid unless 0 < old ≤ new ≤ size."""
        self._require(old, new)
        if old == 0:
            raise Invalid("every log begins with nothing: there is nothing to prove")
        path: list[bytes] = []
        start, known = 0, True
        while old != new:
            split = _largest_power_below(new)
            if old <= split:
                path.append(self._root(start + split, new - split))
                new = split
            else:
                path.append(self._root(start, split))
                start, old, new, known = start + split, old - split, new - split, False
        if not known:
            path.append(self._root(start, new))
        return path[::-1]

    def _root(self, start: int, size: int) -> bytes:
        """Over `size` leaves from `start`, which is a multiple of the largest power of two in `size`."""
        if size & (size - 1) == 0:
            return self._node(size.bit_length() - 1, start // size)
        split = _largest_power_below(size)
        return node_hash(self._root(start, split), self._root(start + split, size - split))

    def _node(self, level: int, place: int) -> bytes:
        return bytes(self._levels[level][place * _DIGEST : (place + 1) * _DIGEST])

    def _require(self, old: int, new: int) -> None:
        if not 0 <= old <= new <= self.size:
            raise Invalid(f"the log has {self.size} actions: there is no proof about {old} and {new}")


def _largest_power_below(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1
