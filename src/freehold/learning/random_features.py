"""Random Fourier features in integers: cosines of random projections, from a table of 4096 signed bytes.

The frequencies of feature j are sums of twelve uniform 16-bit numbers, which is as near to a normal distribution as
kernels ask for and takes neither a logarithm nor a root. Angles are counted in 2^20ths of a turn. The table is
⌊127·cos(2π(i + 1/2)/4096) + 1/2⌋, computed here with integers alone and compared with its published digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from freehold.errors import Broken
from freehold.learning.streams import Stream, key_of
from freehold.protocol.digests import sha256

_ENTRIES: Final = 4096
_DIGEST: Final = "8a25b9bfae795c7281f3a0ab14099053769aaf7d6ce3fefb5875752cd5879af1"
_TURN: Final = 1 << 20
_UNIFORMS: Final = 12
_UNIFORMS_MEAN: Final = 393_210
# π · 2^128, floored; enough that no entry of the table is near a rounding edge
_PRECISION: Final = 128
_PI: Final = 1069028584064966747859680373161870783301


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomFeatures:
    """Frequencies int64 (columns × count) and phases int64 (count) in 2^20ths of a turn."""

    frequencies: npt.NDArray[np.int64]
    phases: npt.NDArray[np.int64]

    def cosines(self, plain: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The cosine features of plain features: int64 rows × count in −127 … 127."""
        # |products| ≤ 1000 · 127 · 6 · 2^20 < 2^53: exact in floating point, and fast there
        angles = (plain.astype(np.float64) @ self.frequencies.astype(np.float64)).astype(np.int64) + self.phases
        cosines: npt.NDArray[np.int64] = cosine_table()[(angles % _TURN) >> 8].astype(np.int64)
        return cosines


def draw(seed: bytes, count: int, width: int, columns: int) -> RandomFeatures:
    """`count` random features over `columns` plain features with frequencies of deviation `width`."""
    key = key_of("rff", seed, bytes(32))
    frequencies = np.empty((columns, count), dtype=np.int64)
    phases = np.empty(count, dtype=np.int64)
    for feature in range(count):
        stream = Stream(key, feature)
        uniforms = np.frombuffer(stream.read(2 * _UNIFORMS * columns), dtype="<u2").reshape(columns, _UNIFORMS)
        centred = uniforms.astype(np.int64).sum(axis=1) - _UNIFORMS_MEAN
        frequencies[:, feature] = (2 * width * centred + 65536) // (2 * 65536)
        phases[feature] = int.from_bytes(stream.read(3), "little") & (_TURN - 1)
    return RandomFeatures(frequencies=frequencies, phases=phases)


@cache
def cosine_table() -> npt.NDArray[np.int8]:
    """The 4096 entries of the cosine table; Broken if they differ from the published digest."""
    one = 1 << _PRECISION
    step = _PI // (_ENTRIES // 2)
    turn_cos, turn_sin = _cosine(step), _sine(step)
    cosine, sine = _cosine(step // 2), _sine(step // 2)
    entries = []
    for _ in range(_ENTRIES):
        entries.append((2 * 127 * cosine + one) // (2 * one))
        cosine, sine = (
            (cosine * turn_cos - sine * turn_sin) >> _PRECISION,
            (sine * turn_cos + cosine * turn_sin) >> _PRECISION,
        )
    table = np.array(entries, dtype=np.int8)
    if sha256(table.tobytes()).hex() != _DIGEST:
        raise Broken("the cosine table differs from its published digest")
    table.flags.writeable = False
    return table


def _cosine(angle: int) -> int:
    return _series(1 << _PRECISION, angle, 0)


def _sine(angle: int) -> int:
    return _series(angle, angle, 1)


def _series(first: int, angle: int, power: int) -> int:
    """Σ ± angle^k / k! from the term `first` of power `power` on, every second power: a small angle's series."""
    total, term, sign = first, first, 1
    while term:
        power, sign = power + 2, -sign
        term = (term * angle * angle >> 2 * _PRECISION) // (power * (power - 1))
        total += sign * term
    return total
