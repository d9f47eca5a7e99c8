"""The market as its people see it, from an empty ledger to a trained model that is paid for."""

from __future__ import annotations

import numpy as np

from freehold.learning.maps import FeatureMap, map_description
from freehold.learning.model_file import read_model
from freehold.learning.prepared import Prepared
from freehold.learning.rehearsal import plain_statistics, rehearse_linear
from freehold.learning.rows import Rows
from freehold.learning.solver import problem_of
from tests.agents.town import PRICE_JOB, PRICE_ROUND, WELCOME, Town


def plaintext_weights(*prepared: Prepared, rounds: int) -> np.ndarray:
    """What the same solver finds on the same integers in the clear, all tables together."""
    cards = [each.card for each in prepared]
    feature_map = FeatureMap.parse(map_description(cards, "identity"))
    problem = problem_of(cards, feature_map)
    subsets = [Rows.parse(each.rows(index)) for each in prepared for index in range(each.plan.subsets)]
    statistics = plain_statistics(subsets, feature_map, (), problem.shift)
    return rehearse_linear(problem, [statistics], rounds)[-1].weights


def test_a_market_trains_the_model_that_plaintext_would_give_and_everybody_is_paid(
    town: Town, prepared: Prepared
) -> None:
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)

    done = town.trains("heart", dataset, rounds=3, map_name="identity")

    assert done.phase == "finished", done.reason
    assert done.model is not None
    assert np.array_equal(read_model(done.model).weights, plaintext_weights(prepared, rounds=3))
    for name in town.people:
        if name.startswith("cloud"):
            assert town.account(next(iter(town.cloud_owner(name).signers()))) == 3 * PRICE_JOB
    assert town.account(town.data_owner().member) == 3 * PRICE_ROUND
    assert town.account(town.buyer().member) == WELCOME - 3 * (12 * PRICE_JOB + PRICE_ROUND)
    money = town.money()
    assert money["due"] == money["balances"] == money["left"] == money["fees"] == 0
    assert town.state("couple", done.couple) == "ended"
