"""A cloud owner's steps one by one, so that a test can leave one out or change the order.

They are the product's own parts; `test_careless` shows that all of them in their order are the product's answer.
What a model owner does with its key stands here too, since an attacker decrypts whatever it likes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from freehold.learning.masks import MaskKeys, PairKey, RoundMasks
from freehold.learning.packing import PackedStatistics
from freehold.learning.parameters import PRIMES, N
from freehold.learning.residues import add
from freehold.learning.streams import Stream, key_of
from freehold.ports.cipher import Cipher, Integers, Key, Product, Words
from tests.learning.cases import COUPLE, KEY_SEED, Case

NOTHING = np.zeros(N, np.int64)


class CloudOwner:
    """One subset of a case whose products fill one polynomial, under one label."""

    def __init__(
        self, case: Case, index: int, label: bytes, cipher: Cipher, pairs: Sequence[PairKey] | None = None
    ) -> None:
        """`pairs` are the keys of its masks if it does not look whether any two subsets have one mask key."""
        part = case.statistics[index]
        self._matrix = PackedStatistics(case.training.tiling, [(part.a, part.b)])
        self._cipher = cipher
        if pairs is None:
            pairs = MaskKeys(case.secrets[index], case.group[index]).pairs(case.group, label)
        self.masks = RoundMasks(case.secrets[index], pairs, label)
        self.places = self._matrix.places(0).tolist()

    def product(self, zero: Words, inputs: Words, blind: Integers | None = None) -> Product:
        """Step 4 of TRAINING, blinded with its own u unless another is given, and with −B added."""
        blinds = self.masks.blinds(1) if blind is None else [blind]
        return next(self._cipher.evaluator(zero, self._matrix).products(inputs, blinds))

    def noise(self, places: Sequence[int]) -> Words:
        """Step 5: errors for c1, flooding for c0 at `places`."""
        result = np.zeros((2, 3, N), np.uint64)
        result[0][:, places] = self.masks.floods(0, len(places))
        result[1] = self.masks.errors(0)
        return result

    def mask(self, places: Sequence[int]) -> Words:
        """Step 6: masks for c1, and for c0 at `places`."""
        drawn = self.masks.residues(0, len(places))
        result = np.zeros((2, 3, N), np.uint64)
        result[0][:, places] = drawn[:, N:]
        result[1] = drawn[:, :N]
        return result

    def hidden(self, product: Product, places: Sequence[int]) -> Words:
        """Steps 5 to 7: the (2, N) words of which c0 at `places` and c1 are sent; c0 elsewhere is 0."""
        divided = product.divided(add(self.noise(places), self.mask(places)))
        result = np.zeros_like(divided)
        result[0][places] = divided[0][places]
        result[1] = divided[1]
        return result


def total(pairs: Sequence[Words], primes: Sequence[int] = PRIMES) -> Words:
    """What a model owner adds up."""
    result = pairs[0]
    for pair in pairs[1:]:
        result = add(result, pair, primes)
    return result


def key(cipher: Cipher) -> Key:
    """The model owner's key."""
    return cipher.key(Stream(key_of("key-s", KEY_SEED, COUPLE), 0).ternary(N))


def matrix_of(polynomial: Sequence[int], features: int) -> Integers:
    """A read off the block polynomial of a case whose whole A fits in one block."""
    block = np.array([int(value) for value in polynomial[: features * features]], object).reshape(features, features)
    return block[:, ::-1]
