"""The polynomials that follow from public seeds, so that they need not travel and nobody can choose them."""

from __future__ import annotations

import numpy as np

from freehold.learning.parameters import PRIMES, N
from freehold.learning.streams import Stream, key_of
from freehold.learning.training import Training
from freehold.learning.wire import Input
from freehold.ports.cipher import Words
from freehold.protocol.digests import H


def zero_words(training: Training) -> Words:
    """z1, the second polynomial of the training's public zero: (3, N) words in NTT order, from the draw alone."""
    secret = H("zero", training.couple, training.draw_seed)
    return _uniform(key_of("zero-a", secret, training.couple))


def input_words(seed: bytes, context: bytes) -> Words:
    """a, the second polynomial of an input: (3, N) words in NTT order."""
    return _uniform(key_of("input-a", seed, context))


def pairs_of(parsed: Input) -> Words:
    """The (K, 2, 3, N) words of a whole input object."""
    pairs = np.empty((len(parsed.seeds), 2, len(PRIMES), N), np.uint64)
    for index, seed in enumerate(parsed.seeds):
        pairs[index, 0] = parsed.words[index]
        pairs[index, 1] = input_words(seed, parsed.context)
    return pairs


def _uniform(key: bytes) -> Words:
    return np.stack([Stream(key, index).uniform(prime, N) for index, prime in enumerate(PRIMES)])
