"""Ridge regression from a few exact products: every column that was ever asked for is one basis.

The model owner knows B = Σ B_i, the trace of A = Σ A_i, and A·Q for the integer directions Q of all rounds, all exact.
In the span of Q it can solve for every ridge λ at once: with the eigenvalues θ of A restricted to the span (the Ritz
values), w = Q(QᵀAQ + λQᵀQ)⁻¹QᵀB is a division in their coordinates. So λ costs no round, and neither does its choice:
generalized cross-validation needs the residual, which the same numbers give, and the effective degrees of freedom,
Σθ/(θ + λ) over the Ritz values, the D − r eigenvalues never seen taken equal so that all add up to the trace.

The next directions are the residuals of the M outputs, freed from what the basis spans: one block of a Krylov space a
round. Nothing here is voted on, so this is floating point; only the directions are rounded, to integers whose sizes
add up to at most 2^18 in a column, so that no product can wrap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from freehold.errors import Invalid
from freehold.learning.card import Card, ClassTarget
from freehold.learning.maps import ONE, STEPS, FeatureMap
from freehold.learning.parameters import LARGEST_DIRECTION
from freehold.learning.statistics import weighted_rows
from freehold.learning.training import shift_of

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

RIDGES: Final = tuple(10.0 ** (quarter / 4) for quarter in range(-24, 5))
"""The ridges tried, relative to the mean eigenvalue of A."""
_MOST_FREEDOM: Final = 0.95
"""Of the rows: beyond it generalized cross-validation divides by nearly nothing."""
_NEGLIGIBLE: Final = 1e-7
"""A residual of which so little is new is rounding, not a direction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """The public facts that a solver needs, all from cards and map."""

    dimension: int
    outputs: int
    rows: int
    """Rows of all datasets, each once: what cross-validation counts."""
    energy: int
    """Σ w·Y² over all rows and outputs, before the shift."""
    shift: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PathPoint:
    """One ridge of a training: its score by generalized cross-validation and its effective degrees of freedom."""

    ridge: float
    score: float
    freedom: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """The weights (D × M) of the chosen ridge, and the whole path."""

    weights: Floats
    ridge: float
    path: tuple[PathPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the rounds have shown: directions Q (D × r), A·Q (D × r), B (D × M), the trace of A; all integers."""

    directions: Integers
    products: Integers
    targets: Integers
    trace: int


def problem_of(cards: Sequence[Card], feature_map: FeatureMap, weights: Sequence[int] = ()) -> Problem:
    """The problem of training `feature_map` on the datasets of `cards` with one weight per class, or none."""
    weighted = weighted_rows(cards, weights)
    # a class's target is 64 in one output; a standardized number has the mean square of its 32 steps
    square = ONE**2 if isinstance(cards[0].target, ClassTarget) else STEPS**2
    return Problem(
        dimension=feature_map.dimension,
        outputs=feature_map.outputs,
        rows=sum(card.rows for card in cards),
        energy=square * weighted,
        shift=shift_of(weighted),
    )


def solve(problem: Problem, known: Known, ridge: float | None = None) -> Solution:
    """The weights by the best ridge of the path, or by `ridge` (relative to the mean eigenvalue of A)."""
    scale = max(known.trace, 1) / problem.dimension
    if known.directions.shape[1] == 0:
        # only B and the trace are known: A could be any matrix of that trace, and is taken to be the even one
        weights = known.targets / (2 * scale)
        return Solution(weights=weights, ridge=1.0, path=())
    span = _Span(known)
    path = tuple(_score(problem, known, span, candidate, scale) for candidate in RIDGES)
    chosen = ridge if ridge is not None else min(path, key=lambda point: point.score).ridge
    return Solution(weights=span.weights(chosen * scale), ridge=chosen, path=path)


def next_directions(problem: Problem, known: Known) -> Integers:
    """The M integer directions of the next round (D × M): zero columns once the basis spans everything."""
    solution = solve(problem, known)
    if known.directions.shape[1]:
        span = _Span(known)
        scale = max(known.trace, 1) / problem.dimension
        residuals = known.targets - span.image(solution.ridge * scale) - solution.ridge * scale * solution.weights
        basis, _ = np.linalg.qr(span.directions)
    else:
        residuals = known.targets.astype(np.float64)
        basis = np.zeros((problem.dimension, 0))
    found = np.zeros((problem.dimension, problem.outputs))
    for column in range(min(problem.outputs, problem.dimension - basis.shape[1])):
        fresh = _fresh(residuals[:, column], basis)
        basis = np.column_stack([basis, fresh])
        found[:, column] = fresh
    return _whole(found)


class _Span:
    """The span of the known directions in the coordinates of its Ritz vectors."""

    def __init__(self, known: Known) -> None:
        norms = np.linalg.norm(known.directions.astype(np.float64), axis=0)
        self.directions: Floats = known.directions / norms
        self._products: Floats = known.products / norms
        # whitening: the directions are independent but, being rounded, not orthogonal
        gram = self.directions.T @ self.directions
        restricted = self.directions.T @ self._products
        white = np.linalg.inv(np.linalg.cholesky(gram))
        values, vectors = np.linalg.eigh(white @ ((restricted + restricted.T) / 2) @ white.T)
        self.ritz_values: Floats = values.clip(0)
        self._coordinates: Floats = white.T @ vectors
        self.targets: Floats = self._coordinates.T @ (self.directions.T @ known.targets)

    def _solved(self, ridge: float) -> Floats:
        solved: Floats = self._coordinates @ (self.targets / (self.ritz_values[:, None] + ridge))
        return solved

    def weights(self, ridge: float) -> Floats:
        """w (D × M) for a ridge in units of A."""
        weights: Floats = self.directions @ self._solved(ridge)
        return weights

    def image(self, ridge: float) -> Floats:
        """A·w (D × M), from the exact products."""
        image: Floats = self._products @ self._solved(ridge)
        return image


def _score(problem: Problem, known: Known, span: _Span, candidate: float, scale: float) -> PathPoint:
    ridge = candidate * scale
    values = span.ritz_values
    solved = span.targets / (values[:, None] + ridge)
    energy = problem.energy / 2**problem.shift
    residual = energy - 2 * float(np.sum(span.targets * solved)) + float(np.sum(values[:, None] * solved * solved))
    unseen = problem.dimension - len(values)
    rest = max(0.0, known.trace - float(values.sum())) / unseen if unseen else 0.0
    freedom = float(np.sum(values / (values + ridge))) + unseen * rest / (rest + ridge)
    share = min(_MOST_FREEDOM, freedom / problem.rows)
    score = max(residual, energy * 1e-9) / (1 - share) ** 2
    return PathPoint(ridge=candidate, score=score, freedom=freedom)


def _fresh(wanted: Floats, basis: Floats) -> Floats:
    """A unit vector orthogonal to `basis`: the new part of `wanted`, else of the least known coordinate."""
    for start in (wanted, None):
        vector = start
        if vector is None:
            vector = np.zeros(len(basis))
            vector[int(np.argmin(np.einsum("ij,ij->i", basis, basis)))] = 1.0
        size = float(np.linalg.norm(vector))
        if size == 0.0:
            continue
        vector = vector / size
        for _ in range(2):
            vector = vector - basis @ (basis.T @ vector)
        rest = float(np.linalg.norm(vector))
        if rest > _NEGLIGIBLE:
            return vector / rest
    raise Invalid("no direction is left outside the basis")


def _whole(columns: Floats) -> Integers:
    """The columns times powers of two, rounded, the sizes of each adding up to at most 2^18."""
    sizes = np.abs(columns).sum(axis=0)
    room = LARGEST_DIRECTION - len(columns) / 2
    exponents = np.floor(np.log2(room / np.where(sizes > 0, sizes, 1.0)))
    return np.rint(columns * 2.0**exponents).astype(np.int64)
