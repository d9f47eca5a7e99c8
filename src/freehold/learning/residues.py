"""Numbers modulo the three primes, stored as the last two axes (prime, coefficient) of uint64 words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from freehold.learning.parameters import PRIMES
from freehold.ports.cipher import Integers, Words


def lift(integers: Integers, primes: Sequence[int] = PRIMES) -> Words:
    """Signed integers below 2^49 in size as residues: (n,) becomes (primes, n)."""
    moduli = np.array(primes, np.int64)[:, None]
    return np.where(integers < 0, integers + moduli, integers).astype(np.uint64)


def lift_large(integers: Sequence[int], primes: Sequence[int] = PRIMES) -> Words:
    """Integers of any size as residues: n of them become (primes, n)."""
    return np.array([[value % prime for value in integers] for prime in primes], np.uint64).reshape(len(primes), -1)


def add(first: Words, second: Words, primes: Sequence[int] = PRIMES) -> Words:
    """The sum of two arrays of residues."""
    # a wrapped difference is larger than any residue, so the smaller of the two is the residue
    total = first + second
    result: Words = np.minimum(total, total - np.array(primes, np.uint64)[:, None])
    return result


def subtract(first: Words, second: Words, primes: Sequence[int] = PRIMES) -> Words:
    """The difference of two arrays of residues."""
    difference = first - second
    result: Words = np.minimum(difference, difference + np.array(primes, np.uint64)[:, None])
    return result
