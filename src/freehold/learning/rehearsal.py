"""The same training in the clear: same integers, map and solver, without cipher, market or vote.

A model owner rehearses on rows of its own; the demo compares the weights that came through the market with these.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from freehold.errors import Invalid
from freehold.learning.families.linear import LinearTraining
from freehold.learning.families.statistics import StatisticsTraining
from freehold.learning.maps import FeatureMap
from freehold.learning.rows import Rows
from freehold.learning.solver import Integers, Problem, Solution
from freehold.learning.statistics import subset_statistics
from freehold.learning.training import Statistics


def plain_statistics(
    subsets: Sequence[Rows], feature_map: FeatureMap, weights: Sequence[int], shift: int
) -> list[Statistics]:
    """A and B of every subset, as its cloud owners compute them."""
    return [subset_statistics(rows, feature_map, weights, shift) for rows in subsets]


def rehearse_linear(problem: Problem, groups: Sequence[Sequence[Statistics]], rounds: int) -> list[Solution]:
    """The solution after each complete block of `rounds` turns over `groups`, visited in turn, by exact integers."""
    training = LinearTraining(problem, groups=len(groups))
    solutions = []
    for turn in range(rounds):
        group = groups[turn % len(groups)]
        directions = training.directions()
        training.absorb(directions, group_answer(group, directions), group_trace(group))
        if (turn + 1) % len(groups) == 0:
            solutions.append(training.solve())
    if not solutions:
        raise Invalid(f"{rounds} rounds do not visit all {len(groups)} groups", next="rehearse more rounds")
    return solutions


def rehearse_statistics(problem: Problem, groups: Sequence[Sequence[Statistics]]) -> Solution:
    """The solution from the whole sums of every group."""
    training = StatisticsTraining(problem, groups=len(groups))
    for group in groups:
        training.absorb(_total([part.a for part in group]), _total([part.b for part in group]))
    return training.solve()


def group_answer(group: Sequence[Statistics], directions: Integers) -> Integers:
    """Y = Σ (A_i V − B_i) of a group, exact: what its decrypted answer says."""
    # |products| < 2^39: exact in floating point
    floats = directions.astype(np.float64)
    return _total([(part.a.astype(np.float64) @ floats).astype(np.int64) - part.b for part in group])


def group_trace(group: Sequence[Statistics]) -> int:
    """Σ tr A_i of a group."""
    return sum(int(np.trace(part.a)) for part in group)


def _total(parts: Sequence[Integers]) -> Integers:
    total = np.zeros_like(parts[0])
    for part in parts:
        total = total + part
    return total
