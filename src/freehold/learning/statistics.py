"""What a subset says in a training: A = FᵀF and B = FᵀY, exact integers, shortened by the training's shift.

The products run in floating point, where they are fast, and are exact there: every partial sum stays far below 2^53,
so the result depends neither on the order of additions nor on the machine. 65,536 rows at a time are added up into
64-bit integers; the least significant bits go once, at the end, by an arithmetic shift that rounds halves up
(TRAINING-ANNEX §3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from freehold.errors import Invalid
from freehold.learning.card import Card, ClassTarget
from freehold.learning.constants import rounded
from freehold.learning.maps import FeatureMap
from freehold.learning.rows import Rows
from freehold.learning.training import LARGEST_WEIGHT, Statistics

Integers = npt.NDArray[np.int64]

_ROWS_AT_A_TIME: Final = 65_536
_CELLS_AT_A_TIME: Final = 2**23
_WEIGHT_STEPS: Final = 8
"""Steps of a balanced weight for the most frequent class, before the common divisor is taken out."""


def statistics(
    features: Integers,
    targets: Integers,
    weights: Integers | None,
    shift: int,
    noise: tuple[Integers, Integers] | None = None,
) -> Statistics:
    """A and B of features (rows × D) and targets (rows × M), both within ±127; weights 1 … 255 per row, or none.

    `noise` is added before the shift: E (D × D, symmetric) and E' (D × M).
    """
    sums = _Sums(features.shape[1], targets.shape[1])
    for start in range(0, len(features), _ROWS_AT_A_TIME):
        piece = slice(start, start + _ROWS_AT_A_TIME)
        sums.add(features[piece], targets[piece], None if weights is None else weights[piece])
    return sums.shifted(shift, noise)


def subset_statistics(
    rows: Rows,
    feature_map: FeatureMap,
    weights: Sequence[int],
    shift: int,
    noise: tuple[Integers, Integers] | None = None,
) -> Statistics:
    """A and B of a subset's rows under a map, with one weight per class or none, some rows at a time."""
    sums = _Sums(feature_map.dimension, feature_map.outputs)
    per_class = np.asarray(weights, dtype=np.int64)
    size = max(1, min(_ROWS_AT_A_TIME, _CELLS_AT_A_TIME // feature_map.dimension))
    for start in range(0, len(rows), size):
        piece = rows.take(slice(start, start + size))
        row_weights = per_class[piece.targets] if len(per_class) else None
        sums.add(feature_map.features(piece.values), feature_map.targets(piece.targets), row_weights)
    return sums.shifted(shift, noise)


def balanced_weights(cards: Sequence[Card]) -> tuple[int, ...]:
    """One whole weight per class, so that every class counts about alike; () when all counts are equal."""
    if not isinstance(cards[0].target, ClassTarget):
        raise Invalid("only classes can be weighted", next="leave the weights out for a numeric target")
    counts = _class_counts(cards)
    largest = max(counts)
    weights = [max(1, min(LARGEST_WEIGHT, rounded(_WEIGHT_STEPS * largest, count))) for count in counts]
    divisor = int(np.gcd.reduce(weights))
    weights = [weight // divisor for weight in weights]
    return () if set(weights) == {1} else tuple(weights)


def weighted_rows(cards: Sequence[Card], weights: Sequence[int]) -> int:
    """W: the rows of all the cards, each counted with its class's weight; every row once without weights."""
    if not weights:
        return sum(card.rows for card in cards)
    return sum(count * weight for count, weight in zip(_class_counts(cards), weights, strict=True))


def _class_counts(cards: Sequence[Card]) -> list[int]:
    targets = [card.target for card in cards if isinstance(card.target, ClassTarget)]
    return [sum(counts) for counts in zip(*(target.counts for target in targets), strict=True)]


class _Sums:
    """Σ w·F_a·F_b and Σ w·F_a·Y_c so far."""

    def __init__(self, dimension: int, outputs: int) -> None:
        self._products = np.zeros((dimension, dimension), dtype=np.int64)
        self._targets = np.zeros((dimension, outputs), dtype=np.int64)

    def add(self, features: Integers, targets: Integers, weights: Integers | None) -> None:
        # 65,536 · 255 · 127² < 2^39: exact in floating point
        left = features.astype(np.float64)
        weighted = left if weights is None else left * weights.astype(np.float64)[:, None]
        self._products += (weighted.T @ left).astype(np.int64)
        self._targets += (weighted.T @ targets.astype(np.float64)).astype(np.int64)

    def shifted(self, shift: int, noise: tuple[Integers, Integers] | None) -> Statistics:
        half = (1 << shift) >> 1
        extra_products, extra_targets = noise if noise is not None else (0, 0)
        return Statistics(
            a=(self._products + extra_products + half) >> shift,
            b=(self._targets + extra_targets + half) >> shift,
        )
