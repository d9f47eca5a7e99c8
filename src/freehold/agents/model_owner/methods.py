"""The two ways to ask, behind one shape: what is uploaded once, what a round asks, what its answers say, what
follows.

`Encrypted` sends encrypted directions and gets their products with the group's statistics; `Whole` sends
nothing and gets the statistics themselves, under masks and an envelope. Both are built again from the journal
after every start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import numpy as np

from freehold.agents.agreements import Agreement
from freehold.agents.model_owner.decisions import Directions, Order, Outcome, RoundInput
from freehold.errors import Invalid
from freehold.learning import wire
from freehold.learning.families.linear import LinearTraining
from freehold.learning.families.statistics import StatisticsTraining
from freehold.learning.owner import Owner
from freehold.learning.solver import Integers, Problem, Solution, problem_of
from freehold.learning.sums import SumsOwner
from freehold.learning.training import STATISTICS, Participant, Training
from freehold.protocol.digests import T, hkdf, u64

Group = Sequence[Participant]
_ORDER: Final = np.dtype("<i8")


class Method(Protocol):
    """How one training asks and what it makes of the answers."""

    @property
    def answer_bytes(self) -> int:
        """The length of one subset's answer."""
        ...

    def public_objects(self) -> list[bytes]:
        """What every cloud owner needs beside the base."""
        ...

    def directions(self, passes: Sequence[tuple[Directions, Sequence[Outcome]]]) -> Directions:
        """What to ask in the pass after those that were answered."""
        ...

    def base(self, group: Group, directions: Directions, made_from: RoundInput) -> bytes:
        """The base of a round: the same bytes whenever it is made from the same decisions."""
        ...

    def outcome(self, group: Group, round: int, turn: int, base: bytes, answers: Mapping[bytes, bytes]) -> Outcome:
        """What the answers of a round add up to; Invalid if they are no answers to it."""
        ...

    def enough(self, passes: Sequence[tuple[Directions, Sequence[Outcome]]]) -> bool:
        """Whether another pass would tell nothing new; Invalid if the answers contradict each other."""
        ...

    def solve(self, passes: Sequence[tuple[Directions, Sequence[Outcome]]]) -> Solution:
        """The weights from all complete passes."""
        ...


def method_of(agreement: Agreement, order: Order, draw_seed: str, sealing_private: bytes) -> Method:
    """The method that an order asks for."""
    training = agreement.training(draw_seed)
    problem = problem_of(agreement.cards, agreement.feature_map, agreement.details.weights)
    if training.method == STATISTICS:
        return Whole(training, problem, agreement.turns_per_pass, sealing_private)
    return Encrypted(training, problem, agreement.turns_per_pass, order.key_seed)


class Encrypted:
    """`linear-1`: a few encrypted columns a round."""

    def __init__(self, training: Training, problem: Problem, groups: int, key_seed: bytes) -> None:
        self._training = training
        self._problem = problem
        self._groups = groups
        self._owner = Owner(training, key_seed)

    @property
    def answer_bytes(self) -> int:
        """The length of one subset's answer."""
        return wire.answer_bytes(self._training.tiling, 1)

    def public_objects(self) -> list[bytes]:
        """The encryption of zero with which every answer is blinded."""
        return [self._owner.zero()]

    def directions(self, passes: Sequence[tuple[Directions, Sequence[Outcome]]]) -> Directions:
        """The residuals of the solution so far; zero in the first pass."""
        return Directions(entries=_packed(self._history(passes).directions()))

    def base(self, group: Group, directions: Directions, made_from: RoundInput) -> bytes:
        """The encrypted directions, each input under a public seed of its own."""

        def public_seed(index: int) -> bytes:
            return hkdf(made_from.public_seed, T("input-seed") + u64(index))

        return self._owner.base(group, self._shaped(directions.entries), public_seed, made_from.error_seed)

    def outcome(self, group: Group, round: int, turn: int, base: bytes, answers: Mapping[bytes, bytes]) -> Outcome:
        """Y and the trace of the group's sum, decrypted."""
        total = self._owner.combine(group, round, base, answers)
        return Outcome(turn=turn, first=_packed(total.y), second=b"", trace=total.trace)

    def enough(self, passes: Sequence[tuple[Directions, Sequence[Outcome]]]) -> bool:
        """Whether the directions asked so far span everything."""
        return self._history(passes).complete

    def solve(self, passes: Sequence[tuple[Directions, Sequence[Outcome]]]) -> Solution:
        """The weights by the best ridge."""
        return self._history(passes).solve()

    def _history(self, passes: Sequence[tuple[Directions, Sequence[Outcome]]]) -> LinearTraining:
        history = LinearTraining(self._problem, groups=self._groups)
        for directions, outcomes in passes:
            asked = self._shaped(directions.entries)
            for outcome in outcomes:
                history.absorb(asked, self._shaped(outcome.first), outcome.trace)
        return history

    def _shaped(self, data: bytes) -> Integers:
        return _unpacked(data, self._training.features, self._training.outputs)


class Whole:
    """`statistics-1`: everything about the group's sums in one round."""

    def __init__(self, training: Training, problem: Problem, groups: int, sealing_private: bytes) -> None:
        self._training = training
        self._problem = problem
        self._groups = groups
        self._owner = SumsOwner(training, sealing_private)

    @property
    def answer_bytes(self) -> int:
        """The length of one subset's answer."""
        return wire.sums_bytes(self._training.features, self._training.outputs)

    def public_objects(self) -> list[bytes]:
        """Nothing: there is no cipher to prepare."""
        return []

    def directions(self, passes: Sequence[tuple[Directions, Sequence[Outcome]]]) -> Directions:
        """No directions: everything is asked for."""
        return Directions(entries=b"")

    def base(self, group: Group, directions: Directions, made_from: RoundInput) -> bytes:
        """An input object of no inputs."""
        return self._owner.base(group)

    def outcome(self, group: Group, round: int, turn: int, base: bytes, answers: Mapping[bytes, bytes]) -> Outcome:
        """A and B of the whole group."""
        total = self._owner.combine(group, round, base, answers)
        return Outcome(turn=turn, first=_packed(total.a), second=_packed(total.b), trace=int(np.trace(total.a)))

    def enough(self, passes: Sequence[tuple[Directions, Sequence[Outcome]]]) -> bool:
        """One pass is everything."""
        return len(passes) > 0

    def solve(self, passes: Sequence[tuple[Directions, Sequence[Outcome]]]) -> Solution:
        """The weights by the best ridge."""
        history = StatisticsTraining(self._problem, groups=self._groups)
        features, outputs = self._training.features, self._training.outputs
        for outcome in passes[0][1] if passes else ():
            history.absorb(_unpacked(outcome.first, features, features), _unpacked(outcome.second, features, outputs))
        return history.solve()


def _packed(matrix: Integers) -> bytes:
    return np.ascontiguousarray(matrix, dtype=_ORDER).tobytes()


def _unpacked(data: bytes, rows: int, columns: int) -> Integers:
    if len(data) != _ORDER.itemsize * rows * columns:
        raise Invalid(f"a matrix of {rows} × {columns} numbers does not fill {len(data)} bytes")
    return np.frombuffer(data, dtype=_ORDER).reshape(rows, columns).astype(np.int64)
