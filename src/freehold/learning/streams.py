"""Random numbers that two replicas draw alike, and that never run out.

A stream is SHAKE-128 of a key and an index, read forward. A sampler that rejects a number reads the next one, so it
consumes exactly what it needs and never fails; the next sampler on the same stream continues behind it. Numbers in a
stream are little-endian. Everything is integer arithmetic: no floating point decides what is drawn.
"""

from __future__ import annotations

import hashlib

import numpy as np

from freehold.errors import Invalid
from freehold.learning.parameters import ERROR_BITS, FLOOD_BITS
from freehold.ports.cipher import Integers, Words
from freehold.protocol.digests import T, hkdf, u64

_FLOOD_BYTES = (FLOOD_BITS + 7) // 8


def key_of(purpose: str, secret: bytes, label: bytes) -> bytes:
    """The key of one purpose under one label: HKDF(secret, T(purpose) ‖ label), 32 bytes."""
    return hkdf(secret, T(purpose) + label)


class Stream:
    """SHAKE-128(T(stream) ‖ key ‖ index), read from its beginning on."""

    __slots__ = ("_at", "_known", "_shake")

    def __init__(self, key: bytes, index: int) -> None:
        self._shake = hashlib.shake_128(T("stream") + key + u64(index))
        self._known = b""
        self._at = 0

    def read(self, size: int) -> bytes:
        """The next `size` bytes."""
        begin, end = self._at, self._at + size
        if end > len(self._known):
            # hashlib squeezes from the start every time: doubling keeps many small reads linear
            self._known = self._shake.digest(max(end, 2 * len(self._known)))
        self._at = end
        return self._known if begin == 0 and end == len(self._known) else self._known[begin:end]

    def below(self, bound: int) -> int:
        """A uniform number 0 … bound − 1; below 1 reads nothing."""
        if bound < 1:
            raise Invalid(f"no number lies below {bound} and above −1")
        bits = (bound - 1).bit_length()
        while True:
            number = int.from_bytes(self.read((bits + 7) // 8), "little") & ((1 << bits) - 1)
            if number < bound:
                return number

    def uniform(self, bound: int, count: int) -> Words:
        """`count` numbers as `below(bound)` draws them one by one, for 1 < bound ≤ 2^63: uint64."""
        bits = (bound - 1).bit_length()
        width = (bits + 7) // 8
        mask, limit = np.uint64((1 << bits) - 1), np.uint64(bound)
        drawn = [np.empty(0, np.uint64)]
        missing = count
        while missing:
            # the padding lets the last number be read as a whole word
            data = self.read(missing * width) + bytes(8 - width)
            numbers = np.ndarray((missing,), "<u8", data, strides=(width,)) & mask
            good = numbers < limit
            drawn.append(numbers if good.all() else numbers[good])
            missing -= len(drawn[-1])
        return np.concatenate(drawn)

    def words(self, count: int) -> Words:
        """`count` numbers of 8 bytes: uint64."""
        return np.frombuffer(self.read(8 * count), "<u8").astype(np.uint64)

    def ternary(self, count: int) -> Integers:
        """`count` numbers −1, 0, 1, one byte each; the byte 255 is rejected: int64."""
        drawn = [np.empty(0, np.uint8)]
        missing = count
        while missing:
            data = np.frombuffer(self.read(missing), np.uint8)
            drawn.append(data[data < 255])
            missing -= len(drawn[-1])
        return (np.concatenate(drawn) % 3).astype(np.int64) - 1

    def errors(self, count: int) -> Integers:
        """`count` centred binomial numbers −21 … 21 from 42·count bits, `count` a multiple of 4: int64."""
        if count % 4:
            raise Invalid(f"{count} errors do not fill whole bytes")
        bits = np.unpackbits(np.frombuffer(self.read(2 * ERROR_BITS * count // 8), np.uint8))
        # einsum adds short rows several times faster than sum; 21 ones fit in a byte
        ones = np.einsum("ijk->ij", bits.reshape(2, count, ERROR_BITS)).astype(np.int64)
        difference: Integers = ones[0] - ones[1]
        return difference

    def floods(self, count: int) -> list[int]:
        """`count` uniform numbers −2^107 … 2^107 − 1."""
        data = self.read(_FLOOD_BYTES * count)
        mask, half = (1 << FLOOD_BITS) - 1, 1 << (FLOOD_BITS - 1)
        starts = range(0, len(data), _FLOOD_BYTES)
        return [(int.from_bytes(data[at : at + _FLOOD_BYTES], "little") & mask) - half for at in starts]
