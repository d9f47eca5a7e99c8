"""Proofs about the log (RFC 6962, sections 2.1.1 and 2.1.2; checks of RFC 9162, sections 2.1.3.2 and 2.1.4.2).

Inclusion: this leaf stands at this place of the log with this root. Consistency: the log with this root only grew out
of the log with that one. Both are lists of at most 2·log2(size) digests.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from freehold.ledger.proofs.log import node_hash


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, straight from the definition: slow, and what the quick log is tested against."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    split = _largest_power_below(len(leaves))
    return node_hash(root(leaves[:split]), root(leaves[split:]))


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The path from leaf hash `index` to the root over all of `leaves`."""
    if len(leaves) < 2:
        return []
    split = _largest_power_below(len(leaves))
    if index < split:
        return [*inclusion(leaves[:split], index), root(leaves[split:])]
    return [*inclusion(leaves[split:], index - split), root(leaves[:split])]


def consistency(leaves: Sequence[bytes], old: int) -> list[bytes]:
    """The proof that the log of all `leaves` begins with its own first `old` ones, 0 < old ≤ len(leaves)."""
    return _subproof(leaves, old, known=True)


def _subproof(leaves: Sequence[bytes], old: int, *, known: bool) -> list[bytes]:
    if old == len(leaves):
        return [] if known else [root(leaves)]
    split = _largest_power_below(len(leaves))
    if old <= split:
        return [*_subproof(leaves[:split], old, known=known), root(leaves[split:])]
    return [*_subproof(leaves[split:], old - split, known=False), root(leaves[:split])]


def includes(path: Sequence[bytes], leaf: bytes, index: int, size: int, claimed: bytes) -> bool:
    """Whether `path` shows that the leaf hash stands at `index` of the log of `size` leaves with root `claimed`."""
    if not 0 <= index < size:
        return False
    place, last, node = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and node == claimed


def grew(proof: Sequence[bytes], old: int, old_root: bytes, new: int, new_root: bytes) -> bool:
    """Whether `proof` shows that the log of `new` leaves begins with the log of `old`, for 0 < old ≤ new."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _largest_power_below(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1
