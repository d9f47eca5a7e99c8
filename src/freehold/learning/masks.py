"""Everything that a subset draws for one round: what hides it from the model owner, and cancels in the group's sum.

Three layers, each against something else. The *blind* u multiplies the training's public zero, so that nobody divides
an answer's c1 by the input's and reads the data off. *Errors* and *flooding* drown what the noise of a product says of
the statistics. *Masks* between every two subsets of a group are uniform and cancel in the sum, so that one answer alone
is noise, even for whoever holds the key. All of it follows from the package's secret, the mask keys of the ledger and
the round's label: replicas draw it alike, and another input, round or training draws it anew.

Masks hide only what their two subsets alone can draw. A data owner that publishes a copy of another's mask key, in a
dataset of its own, would make the masks of a third subset meet themselves with the other sign; so no two subsets of a
group may share one secret with anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from freehold.errors import Invalid
from freehold.learning.parameters import PRIMES, N
from freehold.learning.residues import lift, lift_large
from freehold.learning.streams import Stream, key_of
from freehold.learning.training import Participant
from freehold.ports.cipher import Integers, Words
from freehold.protocol import packages, sealing
from freehold.protocol.digests import DIGEST_BYTES
from freehold.protocol.identifiers import DatasetId

_TRACE_INDEX = 65535
"""The stream of a pair from which the trace's mask comes; the held part's is the one before."""
_ANYBODY = bytes(DIGEST_BYTES)
"""The private key of nobody in particular."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairKey:
    """The key of the masks that two subsets share in one round; the smaller one adds, the other subtracts."""

    key: bytes
    adds: bool


def require_apart(mask_keys: Sequence[bytes]) -> None:
    """Check, from the public keys alone, that no two of them share one secret with everybody; Invalid otherwise."""
    # equal bytes are not enough: X25519 takes no notice of points of small order, by which copies can differ
    if len({sealing.x25519(_ANYBODY, key) for key in mask_keys}) < len(mask_keys):
        raise _copied()


def _copied() -> Invalid:
    return Invalid(
        "two subsets have one mask key",
        why="what masks a third subset from either of them is the same, and may cancel in that subset's answer alone",
        next="do not train on these datasets together; one of them copies the other's keys",
    )


class MaskKeys:
    """The private mask key of one subset, and the secrets that it shares with others."""

    def __init__(self, package_secret: bytes, me: Participant) -> None:
        if len(package_secret) != DIGEST_BYTES:
            raise Invalid(f"a package's secret has {DIGEST_BYTES} bytes, not {len(package_secret)}")
        dataset = DatasetId(me.dataset.hex())
        if packages.mask_public(package_secret, dataset, me.index) != me.mask_key:
            raise Invalid(
                "the package does not give the mask key on the ledger",
                why="its replicas would not agree on their masks with other subsets",
                next="do not join; tell the data owner",
            )
        self._me = me
        self._private = packages.mask_private(package_secret, dataset, me.index)
        self._shared: dict[bytes, bytes] = {}

    def pairs(self, group: Sequence[Participant], label: bytes) -> list[PairKey]:
        """The key of every pair with another subset of `group` under `label`."""
        others = [other for other in group if other.place != self._me.place]
        if len({self._secret(other.mask_key) for other in others}) < len(others):
            raise _copied()
        return [
            PairKey(key=key_of("mask", self._secret(other.mask_key), label), adds=self._me.place < other.place)
            for other in others
        ]

    def envelope(self, sealing_key: bytes, label: bytes) -> bytes:
        """The key of the masks that only the holder of `sealing_key` strips."""
        return key_of("envelope", self._secret(sealing_key), label)

    def _secret(self, public: bytes) -> bytes:
        if public not in self._shared:
            self._shared[public] = sealing.x25519(self._private, public)
        return self._shared[public]


class RoundMasks:
    """What one subset draws under one round label."""

    def __init__(self, package_secret: bytes, pairs: Sequence[PairKey], label: bytes) -> None:
        self._pairs = tuple(pairs)
        self._blind = key_of("rerand-u", package_secret, label)
        self._error = key_of("rerand-e1", package_secret, label)
        self._flood = key_of("rerand-e0", package_secret, label)

    def blinds(self, rows: int) -> Iterator[Integers]:
        """The ternary polynomial u of every row of blocks."""
        return (Stream(self._blind, row).ternary(N) for row in range(rows))

    def errors(self, row: int) -> Words:
        """(3, N) residues to add to c1."""
        return lift(Stream(self._error, row).errors(N))

    def floods(self, row: int, places: int) -> Words:
        """(3, places) residues to add to c0 where it is sent."""
        return lift_large(Stream(self._flood, row).floods(places))

    def residues(self, row: int, places: int) -> Words:
        """(3, N + places) residues to add to c1, then to c0 where it is sent; they sum to zero over the group."""
        return np.stack([self._sum(3 * row + index, prime, N + places) for index, prime in enumerate(PRIMES)])

    def trace(self, pair: int) -> int:
        """The mask of the trace of a pair of statistics (0, or 1 for the held one), modulo 2^64."""
        return int(self.words(_TRACE_INDEX - pair, 1)[0])

    def words(self, index: int, count: int) -> Words:
        """`count` masks modulo 2^64 from the pairs' streams of one index; they sum to zero over the group."""
        total = np.zeros(count, np.uint64)
        for pair in self._pairs:
            drawn = Stream(pair.key, index).words(count)
            total = total + drawn if pair.adds else total - drawn
        return total

    def _sum(self, index: int, prime: int, count: int) -> Words:
        total, modulus = np.zeros(count, np.uint64), np.uint64(prime)
        # one reduction for as many residues as fit in 64 bits beside a reduced one
        room = (2**64 - 1) // prime - 1
        for added, pair in enumerate(self._pairs, start=1):
            drawn = Stream(pair.key, index).uniform(prime, count)
            total += drawn if pair.adds else modulus - drawn
            if added % room == 0:
                total %= modulus
        return total % modulus
