"""Differential privacy: noise put into a subset's statistics once, before anything is asked of them.

The noise is discrete Gaussian, drawn in whole numbers from the package's secret under a label that names everything it
depends on: the dataset, the map, the weights, the part, the norm and the variances. So it is the same in every round,
every training and for every model owner, and whatever is computed from the noisy statistics discloses nothing more. The
variances must be in the label: the same random bytes at two variances would be two equations for the noise.

Sampler: Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy" (2020), on whole numbers only.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

import numpy as np

from freehold.learning.streams import Stream, key_of
from freehold.ports.cipher import Integers
from freehold.protocol import canonical
from freehold.protocol.digests import H, T, sha256


def part_digest(part: str, held: bytes) -> bytes:
    """The digest of the rows that statistics cover: `train` and `held` depend on the held byte of each row."""
    return sha256(T("part") + part.encode("ascii") + (b"" if part == "all" else held))


def statistics_label(dataset: bytes, map: bytes, weights: Sequence[int], part: bytes, noise: Sequence[int]) -> bytes:
    """The label of a subset's noise; `map` and `part` are digests (TRAINING-ANNEX §7)."""
    names = (sha256(canonical.encode(list(numbers))) for numbers in (weights, noise))
    return H("statistics", dataset, map, next(names), part, next(names))


def statistics_noise(
    secret: bytes, label: bytes, shape: tuple[int, int], variances: Sequence[int]
) -> tuple[Integers, Integers]:
    """The symmetric noise of A (D × D) and that of B (D × M), to be added before the shift."""
    features, outputs = shape
    key = key_of("stat-noise", secret, label)
    upper, lower = Stream(key, 0), Stream(key, 1)
    products = np.zeros((features, features), np.int64)
    for row in range(features):
        for column in range(row, features):
            products[row, column] = products[column, row] = gaussian(upper, variances[0])
    targets = [gaussian(lower, variances[1]) for _ in range(features * outputs)]
    return products, np.array(targets, np.int64).reshape(features, outputs)


def scale_rows(features: Integers, norm: int) -> Integers:
    """Rows of features whose Euclidean norm exceeds `norm`, shrunk below it toward zero: int64 (n, D)."""
    squares = np.einsum("ij,ij->i", features, features)
    root = np.sqrt(squares).astype(np.int64)
    # a float's square root may be one off; whole numbers decide
    root -= root * root > squares
    root += root * root < squares
    shrunk = np.sign(features) * (np.abs(features) * norm // np.maximum(root, 1)[:, None])
    return np.where((squares > norm * norm)[:, None], shrunk, features)


def gaussian(stream: Stream, variance: int) -> int:
    """A whole number drawn from the discrete Gaussian around 0 with parameter `variance` ≥ 1."""
    scale = isqrt(variance) + 1
    while True:
        candidate = _laplace(stream, scale)
        if _bernoulli_exp(stream, (abs(candidate) * scale - variance) ** 2, 2 * variance * scale * scale):
            return candidate


def _laplace(stream: Stream, scale: int) -> int:
    """A whole number with probability proportional to exp(−|x| / scale)."""
    while True:
        offset = stream.below(scale)
        if not _bernoulli_exp(stream, offset, scale):
            continue
        steps = 0
        while _bernoulli_exp(stream, 1, 1):
            steps += 1
        size = offset + scale * steps
        negative = stream.below(2) == 1
        if not (negative and size == 0):
            return -size if negative else size


def _bernoulli_exp(stream: Stream, numerator: int, denominator: int) -> bool:
    """True with probability exp(−numerator / denominator)."""
    while numerator > denominator:
        if not _bernoulli_exp(stream, 1, 1):
            return False
        numerator -= denominator
    turn = 1
    while stream.below(denominator * turn) < numerator:
        turn += 1
    return turn % 2 == 1
