"""The family `linear`: ridge regression and one-of-M least squares, from a few encrypted products a round.

A turn asks for Y = Σ (A_i V − B_i) over one group and gives the trace beside it. With G groups the same V is kept for
a block of G turns, which visits every group once; the block's answers add up to the whole, so the products stay exact.
The first block asks with V = 0 and learns −B. Nothing is used of a block that did not complete.

A must be symmetric: for whole-number directions VᵀAW and its transpose are equal to the last digit, in every block and
between blocks. If they are not, or if the trace changes, somebody's majority lied or a store served stale bytes: the
model owner stops, since no better answer can come of going on.
"""

from __future__ import annotations

import numpy as np

from freehold.errors import Broken, Invalid
from freehold.learning.solver import Integers, Known, Problem, Solution, next_directions, solve


class LinearTraining:
    """The history of one training; give it the turns in order, after a restart the journalled ones."""

    def __init__(self, problem: Problem, groups: int = 1) -> None:
        if groups < 1:
            raise Invalid("a training has at least one group")
        empty = np.zeros((problem.dimension, 0), dtype=np.int64)
        self._problem = problem
        self._groups = groups
        self._known: Known | None = None
        self._directions, self._products = empty, empty
        self._pending: list[tuple[Integers, Integers, int]] = []
        self._next: Integers | None = np.zeros((problem.dimension, problem.outputs), dtype=np.int64)

    @property
    def complete(self) -> bool:
        """Whether all of A is known, so that further turns tell nothing new."""
        return self._known is not None and self._directions.shape[1] >= self._problem.dimension

    def directions(self) -> Integers:
        """V (D × M) of the next turn: the same for a whole block of groups, zero in the first."""
        if self._next is None:
            if self._known is None:
                raise Broken("directions without a first block")
            self._next = next_directions(self._problem, self._known)
        return self._next

    def absorb(self, directions: Integers, answer: Integers, trace: int) -> None:
        """Take in the answer of a turn: Y (D × M) of the group for `directions`, and its trace.

        Invalid when the shapes are wrong, the directions are not those of the running block, or a complete block
        contradicts the symmetry of A or the earlier trace.
        """
        shape = (self._problem.dimension, self._problem.outputs)
        if directions.shape != shape or answer.shape != shape:
            raise Invalid(f"a turn's directions and answer have the shape {shape}")
        if self._pending and not np.array_equal(self._pending[0][0], directions):
            raise Invalid("a block keeps its directions for all of its groups")
        if self._known is None and np.any(directions):
            raise Invalid("the first block asks with zero directions")
        self._pending.append((directions, answer, trace))
        self._next = directions
        if len(self._pending) == self._groups:
            turns, self._pending = self._pending, []
            self._complete_block(directions, sum(turn[1] for turn in turns), sum(turn[2] for turn in turns))
            self._next = None

    def solve(self, ridge: float | None = None) -> Solution:
        """The weights from all complete blocks, by the best ridge or by the one named; Invalid before the first."""
        if self._known is None:
            raise Invalid("nothing can be solved before every group has answered once")
        return solve(self._problem, self._known, ridge)

    def _complete_block(self, directions: Integers, answer: Integers | int, trace: int) -> None:
        answer = np.asarray(answer, dtype=np.int64)
        if self._known is None:
            self._known = Known(directions=self._directions, products=self._products, targets=-answer, trace=trace)
            return
        if trace != self._known.trace:
            raise Invalid(
                "the trace of the statistics changed between rounds",
                why="a cloud owner's statistics are the same in every round of a training",
                next="end the training: the answers cannot be trusted",
            )
        used = np.any(directions, axis=0)
        columns, products = directions[:, used], (answer + self._known.targets)[:, used]
        self._directions = np.concatenate([self._directions, columns], axis=1)
        self._products = np.concatenate([self._products, products], axis=1)
        _require_symmetric(columns, products, self._directions, self._products)
        self._known = Known(
            directions=self._directions, products=self._products, targets=self._known.targets, trace=trace
        )


def _require_symmetric(columns: Integers, products: Integers, directions: Integers, images: Integers) -> None:
    """VᵀAQ = (QᵀAV)ᵀ over the integers; sizes ≤ 2^18 · 2^39, so 64 bits hold every sum."""
    if not np.array_equal(columns.T @ images, (directions.T @ products).T):
        raise Invalid(
            "the answers of the cloud owners contradict each other: the statistics are not symmetric",
            why="sums of products of features are symmetric to the last digit, whatever the data",
            next="end the training: a majority of some subset's replicas answered wrongly",
        )
