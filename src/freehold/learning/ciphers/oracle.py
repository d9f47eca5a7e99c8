"""The cipher once more, in plain integers: slow, short, and the judge of the fast one.

Every formula of TRAINING-ANNEX §5 stands here as it is written there, on Python's whole numbers (NumPy only holds them
in arrays). Nothing is shared with SEAL but the parameters, so equal words mean that both are right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from freehold.learning.parameters import DROPPED, MODULUS, PLAIN, PLAIN_BITS, PRIMES, ROOTS, N
from freehold.ports.cipher import Integers, Matrix, Words

Numbers = npt.NDArray[np.object_]
"""Python integers."""


class OracleCipher:
    """`ports.cipher.Cipher` in plain integers."""

    def key(self, secret: Integers) -> OracleKey:
        """The key whose secret polynomial has these N ternary coefficients."""
        return OracleKey(secret)

    def evaluator(self, zero: Words, matrix: Matrix) -> OracleEvaluator:
        """An evaluator of `matrix` under the training's (2, 3, N) encryption of zero in NTT order."""
        return OracleEvaluator(zero, matrix)


class OracleKey:
    """`ports.cipher.Key` in plain integers."""

    def __init__(self, secret: Integers) -> None:
        self._secret = secret

    def encrypt(self, uniform: Words, errors: Integers, message: Integers) -> Words:
        """c0 = −uniform·s + errors + scaled message: (3, N) words in NTT order."""
        plain = _numbers(errors) + scaled(message)
        return np.stack(
            [
                words_of(forward(plain, prime) - _numbers(uniform[index]) * forward(self._secret, prime), prime)
                for index, prime in enumerate(PRIMES)
            ]
        )

    def decrypt(self, pair: Words, places: Sequence[int]) -> tuple[Integers, Integers]:
        """The values of a (2, N) pair modulo the first prime at `places`, and the noise around them."""
        prime = PRIMES[0]
        product = backward(forward(pair[1], prime) * forward(self._secret, prime), prime)
        values, noise = [], []
        for place in places:
            inner = (int(pair[0][place]) + product[place]) % prime
            value = (2 * inner * PLAIN + prime) // (2 * prime) % PLAIN
            values.append(value - PLAIN if value >= PLAIN // 2 else value)
            distance = (inner - (prime * values[-1] + PLAIN // 2 >> PLAIN_BITS)) % prime
            noise.append(distance - prime if distance > prime // 2 else distance)
        return np.array(values, np.int64), np.array(noise, np.int64)


class OracleEvaluator:
    """`ports.cipher.Evaluator` in plain integers."""

    def __init__(self, zero: Words, matrix: Matrix) -> None:
        self._zero = zero
        self._matrix = matrix

    def products(self, inputs: Words, blinds: Iterable[Integers]) -> Iterator[OracleProduct]:
        """For each row of blocks: Σ input·block + zero·blind + scaled constant."""
        for row, blind in enumerate(blinds):
            factors = [(self._zero, blind)]
            for column, pair in enumerate(inputs):
                block = self._matrix.block(row, column)
                if block is not None:
                    factors.append((pair, block))
            yield OracleProduct(self._product(factors, scaled(self._matrix.constant(row))))

    def _product(self, factors: list[tuple[Words, Integers]], constant: Numbers) -> Words:
        result = np.empty((2, len(PRIMES), N), np.uint64)
        for index, prime in enumerate(PRIMES):
            transformed = [forward(polynomial, prime) for _, polynomial in factors]
            for half in (0, 1):
                products = (_numbers(p[half, index]) * t for (p, _), t in zip(factors, transformed, strict=True))
                result[half, index] = words_of(backward(sum(products), prime) + (0 if half else constant), prime)
        return result


class OracleProduct:
    """`ports.cipher.Product` in plain integers."""

    def __init__(self, pair: Words) -> None:
        self._pair = pair

    def words(self) -> Words:
        """The pair itself: (2, 3, N) words in coefficient order."""
        return self._pair

    def divided(self, mask: Words) -> Words:
        """The pair plus the mask, divided by the last two primes and rounded: (2, N) words modulo the first."""
        # both primes are odd, so two rounded divisions, one after the other, are one by their product
        masked = [(whole(words) + whole(more)) % MODULUS for words, more in zip(self._pair, mask, strict=True)]
        return np.stack([words_of((numbers + DROPPED // 2) // DROPPED, PRIMES[0]) for numbers in masked])


def forward(polynomial: Integers | Words | Numbers, prime: int) -> Numbers:
    """The negacyclic NTT: the value at ψ^(2·brv(j)+1) stands at index j."""
    values = _numbers(polynomial) % prime
    powers = _powers(prime)
    length = 1
    while length < N:
        parts = values.reshape(length, 2, -1)
        turned = parts[:, 1] * powers[length : 2 * length, None] % prime
        values = np.stack([parts[:, 0] + turned, parts[:, 0] - turned], axis=1) % prime
        length *= 2
    result: Numbers = values.reshape(N)
    return result


def backward(values: Numbers, prime: int) -> Numbers:
    """The coefficients of the polynomial whose transform is `values`."""
    powers = _powers(prime)
    length = N
    while length > 1:
        length //= 2
        parts = values.reshape(length, 2, -1)
        # 1/ψ^k = −ψ^(N−k): the table in reverse, with the sign on the difference
        turned = (parts[:, 1] - parts[:, 0]) * powers[length : 2 * length][::-1, None]
        values = np.stack([parts[:, 0] + parts[:, 1], turned], axis=1) % prime
    result: Numbers = values.reshape(N) * pow(N, -1, prime) % prime
    return result


def whole(words: Words) -> Numbers:
    """The numbers 0 … q − 1 whose residues are the (3, n) words."""
    total = np.zeros(words.shape[1], object)
    for index, prime in enumerate(PRIMES):
        cofactor = MODULUS // prime
        total += _numbers(words[index]) * (cofactor * pow(cofactor, -1, prime))
    result: Numbers = total % MODULUS
    return result


def scaled(message: Integers) -> Numbers:
    """⌊(q·m + t/2) / t⌋ for every signed m."""
    result: Numbers = (_numbers(message) * MODULUS + PLAIN // 2) >> PLAIN_BITS
    return result


def words_of(values: Numbers, prime: int) -> Words:
    """Numbers of any size and sign as residues."""
    residues: Words = (values % prime).astype(np.uint64)
    return residues


def _numbers(values: Integers | Words | Numbers) -> Numbers:
    return values.astype(object)


@cache
def _powers(prime: int) -> Numbers:
    """ψ^brv(i) at index i."""
    root, bits = ROOTS[PRIMES.index(prime)], (N - 1).bit_length()
    return np.array([pow(root, int(f"{i:0{bits}b}"[::-1], 2), prime) for i in range(N)], object)
