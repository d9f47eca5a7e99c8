"""SEAL and the oracle: the same words at every step, so that both are right or both are wrong."""

from __future__ import annotations

import numpy as np
import pytest

from freehold.learning.ciphers import oracle as plain
from freehold.learning.ciphers.oracle import OracleCipher
from freehold.learning.ciphers.seal import SealCipher
from freehold.learning.packing import PackedStatistics
from freehold.learning.parameters import DROPPED, MODULUS, PLAIN, PRIMES, ROOTS, N
from freehold.learning.residues import add, lift, lift_large, subtract
from freehold.learning.streams import Stream
from freehold.learning.tiles import tiling
from freehold.ports.cipher import Cipher, Integers, Product, Words

SECRET = Stream(b"s" * 32, 0).ternary(N)
EDGES = [0, 1, -1, 5, -5, 2**18, -(2**18), 2**38, -(2**38), PLAIN // 2 - 1, -PLAIN // 2]


def uniform(seed: bytes) -> Words:
    return np.stack([Stream(seed * 32, index).uniform(prime, N) for index, prime in enumerate(PRIMES)])


def message(values: list[int]) -> Integers:
    polynomial = np.zeros(N, np.int64)
    polynomial[: len(values)] = values
    polynomial[-1] = values[-1]
    return polynomial


@pytest.mark.parametrize("values", [[0], EDGES, [-1]])
def test_an_encryption_has_equal_words(values: list[int], seal: SealCipher, oracle: OracleCipher) -> None:
    errors = Stream(b"e" * 32, 0).errors(N)

    first = seal.key(SECRET).encrypt(uniform(b"a"), errors, message(values))

    assert (first == oracle.key(SECRET).encrypt(uniform(b"a"), errors, message(values))).all()


def test_products_have_equal_words(seal: SealCipher, oracle: OracleCipher) -> None:
    generator = np.random.default_rng(1)
    cut = tiling(64, 10)
    a = generator.integers(-(2**20), 2**20, (64, 64))
    a[:32, :25] = 0
    b = generator.integers(-(2**20), 2**20, (64, 10))
    zero = np.stack([uniform(b"z"), uniform(b"y")])
    inputs = np.stack([np.stack([uniform(bytes([1 + k])), uniform(bytes([9 + k]))]) for k in range(3)])
    blinds = [Stream(b"u" * 32, row).ternary(N) for row in range(2)]

    packed = PackedStatistics(cut, [(a, b)])
    mask = np.stack([uniform(b"m"), uniform(b"n")])

    def products(cipher: Cipher) -> list[Product]:
        return list(cipher.evaluator(zero, packed).products(inputs, blinds))

    first, second = products(seal), products(oracle)

    assert len(first) == len(second) == 2
    for one, other in zip(first, second, strict=True):
        assert (one.words() == other.words()).all()
        assert (one.divided(mask) == other.divided(mask)).all()


def test_a_division_has_equal_words_at_its_edges_too(seal: SealCipher, oracle: OracleCipher) -> None:
    half = DROPPED // 2
    edges = [0, 1, MODULUS - 1, half, half + 1, half - 1, MODULUS - half, MODULUS - half - 1, MODULUS // 2]
    edges += [k * DROPPED + delta + half for k in (1, 2, PRIMES[0] - 1) for delta in (-1, 0, 1)]
    pair = np.stack([uniform(b"c"), uniform(b"d")])
    pair[0][:, : len(edges)] = lift_large(edges)

    divided = [product.divided(subtract(pair, product.words())) for product in (some(seal), some(oracle))]

    assert (divided[0] == divided[1]).all()
    assert (divided[0] == in_residues(pair)).all()
    expected = [(value % MODULUS + half) // DROPPED % PRIMES[0] for value in edges]
    assert divided[0][0][: len(edges)].tolist() == expected


def some(cipher: Cipher) -> Product:
    """Any product."""
    packed = PackedStatistics(tiling(7, 2), [(np.eye(7, dtype=np.int64), np.ones((7, 2), np.int64))])
    zero = np.stack([uniform(b"z"), uniform(b"y")])
    return next(cipher.evaluator(zero, packed).products(zero[None], [SECRET]))


def test_decryption_gives_equal_values_and_noise(seal: SealCipher, oracle: OracleCipher) -> None:
    prime, places = PRIMES[0], [*range(len(EDGES)), N - 1]
    second = Stream(b"m" * 32, 0).uniform(prime, N)
    inner = plain.backward(plain.forward(second, prime) * plain.forward(SECRET, prime), prime)
    noise = [-260_000, 260_000, *range(-4, len(EDGES) - 5)]
    first = np.zeros(N, np.uint64)
    for place, value, error in zip(places, [*EDGES, EDGES[-1]], noise, strict=False):
        first[place] = (((prime * value + PLAIN // 2) >> 40) + error - inner[place]) % prime
    pair = np.stack([first, second])

    for cipher in (seal, oracle):
        values, found = cipher.key(SECRET).decrypt(pair, places[: len(EDGES)])
        assert values.tolist() == EDGES
        assert found.tolist() == noise[: len(EDGES)]


def test_the_transform_holds_values_at_the_odd_powers_of_the_root() -> None:
    polynomial = message([3, -1, 4, -1, 5])
    for prime, root in zip(PRIMES, ROOTS, strict=True):
        values = plain.forward(polynomial, prime)
        for index in (0, 1, 2, 4095, N - 1):
            point = pow(root, 2 * int(f"{index:013b}"[::-1], 2) + 1, prime)
            expected = sum(int(c) * pow(point, k, prime) for k, c in enumerate(polynomial) if c) % prime
            assert values[index] == expected
        assert (plain.backward(values, prime) == polynomial % prime).all()


def test_residues_add_and_subtract_as_whole_numbers_do() -> None:
    first, second = uniform(b"a"), uniform(b"b")
    whole_first, whole_second = plain.whole(first), plain.whole(second)

    assert (plain.whole(add(first, second)) == (whole_first + whole_second) % MODULUS).all()
    assert (plain.whole(subtract(first, second)) == (whole_first - whole_second) % MODULUS).all()
    assert (plain.whole(lift(SECRET)) == SECRET.astype(object) % MODULUS).all()


def in_residues(pair: Words) -> Words:
    """TRAINING-ANNEX §5, formula 4, prime by prime."""
    words = [[[int(word) for word in row] for row in half] for half in pair]
    for last in (2, 1):
        p = PRIMES[last]
        for half in words:
            rest = [(word + p // 2) % p for word in half.pop()]
            for index, prime in enumerate(PRIMES[:last]):
                inverse = pow(p, -1, prime)
                row = zip(half[index], rest, strict=True)
                half[index] = [(word + p // 2 - h) * inverse % prime for word, h in row]
    return np.array([half[0] for half in words], np.uint64)
