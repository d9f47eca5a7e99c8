"""The family `statistics`: the group's whole A and B arrive in one turn per group, and the solver has all at once.

Same solver, same path of ridges, same result as `linear` after ⌈D/M⌉ + 1 rounds: there the basis spans everything too.
"""

from __future__ import annotations

import numpy as np

from freehold.errors import Invalid
from freehold.learning.solver import Integers, Known, Problem, Solution, solve


class StatisticsTraining:
    """The history of one training of whole sums; every group answers once."""

    def __init__(self, problem: Problem, groups: int = 1) -> None:
        if groups < 1:
            raise Invalid("a training has at least one group")
        self._problem = problem
        self._missing = groups
        self._products: Integers = np.zeros((problem.dimension, problem.dimension), dtype=np.int64)
        self._targets: Integers = np.zeros((problem.dimension, problem.outputs), dtype=np.int64)

    @property
    def complete(self) -> bool:
        """Whether every group has answered."""
        return self._missing == 0

    def absorb(self, products: Integers, targets: Integers) -> None:
        """Take in A (D × D) and B (D × M) of one group; Invalid for wrong shapes, no symmetry, or a group too many."""
        if products.shape != self._products.shape or targets.shape != self._targets.shape:
            raise Invalid(f"sums of a group have {self._problem.dimension} features, {self._problem.outputs} outputs")
        if not np.array_equal(products, products.T):
            raise Invalid("the sums of a group are not symmetric")
        if self.complete:
            raise Invalid("every group has answered already")
        self._missing -= 1
        self._products = self._products + products
        self._targets = self._targets + targets

    def solve(self, ridge: float | None = None) -> Solution:
        """The weights by the best ridge or by the one named; Invalid before every group has answered."""
        if not self.complete:
            raise Invalid("nothing can be solved before every group has answered")
        known = Known(
            directions=np.eye(self._problem.dimension, dtype=np.int64),
            products=self._products,
            targets=self._targets,
            trace=int(np.trace(self._products)),
        )
        return solve(self._problem, known, ridge)
