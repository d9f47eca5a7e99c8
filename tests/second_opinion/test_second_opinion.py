"""The product and the second opinion give every action the same fate, whatever a crowd sends in whatever order.

After each action: the code of a refusal, or the result, the events and the changed records are equal; money is
conserved; and an accepted action, sent again, is refused. At the end of a history the whole state is equal, every
recorded action is refused once more, and the same history at another time is the same but for its times. A longer run:
FREEHOLD_HISTORIES=500 FREEHOLD_STEPS=300 pytest tests/second_opinion
"""

from __future__ import annotations

import os
from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.second_opinion.compared import WEIGHED, Compared

HISTORIES = int(os.environ.get("FREEHOLD_HISTORIES", "16"))
STEPS = int(os.environ.get("FREEHOLD_STEPS", "40"))


class Histories(RuleBasedStateMachine):
    """Every order of moves, each with a chance of its own."""

    crowd: Compared | None = None

    @initialize(seed=st.integers(0, 2**64 - 1), permissioned=st.booleans(), rich=st.booleans(), wide=st.booleans())
    def opens(self, seed: int, permissioned: bool, rich: bool, wide: bool) -> None:
        """A market with some people and some datasets."""
        crowd = self.crowd = Compared(Random(seed), permissioned=permissioned, rich=rich, wide=wide)
        crowd.gathers()

    @rule(move=st.sampled_from(WEIGHED), seed=st.integers(0, 2**64 - 1))
    def moves(self, move: str, seed: int) -> None:
        """Somebody does something."""
        assert self.crowd
        self.crowd.random = Random(seed)
        getattr(self.crowd, move)()

    @rule(seed=st.integers(0, 2**64 - 1), count=st.integers(8, 40))
    def lives(self, seed: int, count: int) -> None:
        """A while of a market: long histories are where rounds, rulings and ends are."""
        assert self.crowd
        self.crowd.random = Random(seed)
        self.crowd.lives(count)

    def teardown(self) -> None:
        """The end of a history."""
        if self.crowd:
            self.crowd.ends()


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=HISTORIES,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
