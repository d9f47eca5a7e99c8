"""The streams of TRAINING-ANNEX §2 once more, one number at a time, as the page writes them."""

from __future__ import annotations

import hashlib


class ReferenceStream:
    """SHAKE-128(T(stream) ‖ key ‖ u64 index), read forward."""

    def __init__(self, key: bytes, index: int) -> None:
        tag = hashlib.sha256(b"freehold/1/stream").digest()
        # far more than any test reads
        self._bytes = hashlib.shake_128(tag + key + index.to_bytes(8, "big")).digest(1 << 20)
        self._at = 0

    def read(self, size: int) -> bytes:
        self._at += size
        return self._bytes[self._at - size : self._at]

    def below(self, bound: int) -> int:
        bits = len(bin(bound - 1)) - 2 if bound > 1 else 0
        while True:
            number = int.from_bytes(self.read(-(-bits // 8)), "little") % (1 << bits)
            if number < bound:
                return number

    def ternary(self) -> int:
        while True:
            (byte,) = self.read(1)
            if byte != 255:
                return byte % 3 - 1

    def errors(self, count: int) -> list[int]:
        data = self.read(42 * count // 8)
        bits = "".join(f"{byte:08b}" for byte in data)
        half = 21 * count
        ones = [bits[start : start + 21].count("1") for start in range(0, 2 * half, 21)]
        return [first - second for first, second in zip(ones[:count], ones[count:], strict=True)]

    def flood(self) -> int:
        return int.from_bytes(self.read(14), "little") % (1 << 108) - (1 << 107)
