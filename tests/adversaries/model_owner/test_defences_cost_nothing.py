"""What stops an attacking model owner takes nothing from an honest one, and lets no two honest holders disagree."""

from __future__ import annotations

import numpy as np
import pytest

from freehold.learning.ciphers.seal import SealCipher
from tests.adversaries.model_owner import (
    test_division,
    test_junk,
    test_labels,
    test_regrouping,
    test_switch,
    test_zero_key,
)
from tests.learning.cases import Case, directions
from tests.learning.honest import Round

WORLDS = {
    "division": test_division.CASE,
    "junk": test_junk.CASE,
    "labels": test_labels.CASE,
    "regrouping": test_regrouping.CASE,
    "switch": test_switch.EVEN,
    "zero": test_zero_key.CASE,
}


@test_division.DIVIDES.unharmed
@test_junk.READS_ALL.unharmed
@test_labels.REUSES_A_LABEL.unharmed
@test_regrouping.TRAINS_UNDER_NAMES.unharmed
@test_switch.COUNTS_ROUNDINGS.unharmed
@test_zero_key.CHOOSES_ZERO.unharmed
@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_an_honest_model_owner_gets_the_exact_sum_and_two_holders_of_a_subset_the_same_bytes(
    world: Case, seal: SealCipher
) -> None:
    round = Round(world, seal)
    answers = {}
    for index, member in enumerate(world.group):
        first, second = (
            world.replica(index, seal).answer(world.training, world.group, 1, round.zero_bytes, round.sent)
            for _ in range(2)
        )
        assert first == second
        answers[member.subset] = first

    total = world.owner(seal).combine(world.group, 1, round.sent, answers)

    assert np.array_equal(total.y, world.expected(directions(world, 1)))
