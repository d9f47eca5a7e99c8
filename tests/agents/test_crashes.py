"""G-6, V-5: killed at any moment and started again, every agent goes on, and nothing is said or paid twice."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from freehold.agents.cloud_owner import CloudOwner
from freehold.agents.cloud_owner.agent import Computed
from freehold.agents.model_owner.agent import Progress
from freehold.learning.model_file import read_model
from freehold.learning.prepared import Prepared
from freehold.protocol.envelope import open_action
from tests.agents.perils import Perils, dies, loses_the_answer
from tests.agents.test_market import plaintext_weights
from tests.agents.town import PRICE_JOB, PRICE_ROUND, WELCOME, Town

ROUNDS = 2


def functions(town: Town) -> Counter[str]:
    """How often each function was recorded."""
    blocks = town.ledger.export(0, 100_000)
    return Counter(open_action(action).function for block in blocks for action in block.actions)


def assert_as_if_nothing_had_happened(town: Town, prepared: Prepared, done: Progress) -> None:
    assert done.phase == "finished", done.reason
    assert done.model is not None
    assert np.array_equal(read_model(done.model).weights, plaintext_weights(prepared, rounds=ROUNDS))
    recorded = functions(town)
    once = ("CreateDS", "PublishDS", "CreateMod", "RequestTC", "ApproveTC", "EndTC", "Deposit")
    assert {name: recorded[name] for name in once} == dict.fromkeys(once, 1)
    assert recorded["CreateCI"] == recorded["JoinCI"] == recorded["VerifyCI"] == 12
    assert recorded["StartRound"] == ROUNDS
    assert recorded["UpdateTJ"] == 12 * ROUNDS
    assert recorded["CloseRound"] == 4 * ROUNDS
    assert town.account(town.data_owner().member) == ROUNDS * PRICE_ROUND
    assert town.account(town.buyer().member) == WELCOME - ROUNDS * (12 * PRICE_JOB + PRICE_ROUND)
    town.money()


def assert_commitments_are_those_decided(town: Town, name: str) -> None:
    person = town.people[name]
    assert isinstance(person.agent, CloudOwner)
    jobs = town.ledger.evaluate("list", {"kind": "job", "where": {"co": next(iter(person.agent.signers()))}})
    assert len(jobs) == ROUNDS
    for job in jobs:
        decided = person.journal.decided(Computed, job["id"])
        assert decided is not None
        assert decided.commitment == job["commitment"]


@pytest.mark.parametrize("victims", [["hospital 1", "treasury"], ["buyer"], ["cloud 01", "cloud 02", "cloud 03"]])
def test_whoever_is_killed_before_and_after_everything_it_does_finishes_the_training(
    town: Town, prepared: Prepared, victims: list[str]
) -> None:
    town.settles(cloud_owners=12)
    perils = {name: Perils(dies) for name in victims}
    for name, peril in perils.items():
        town.people[name].wears(peril)

    dataset = town.publishes(prepared)
    done = town.trains("heart", dataset, rounds=ROUNDS, map_name="identity")

    assert_as_if_nothing_had_happened(town, prepared, done)
    assert sum(peril.met for peril in perils.values()) > 50
    if "buyer" in victims:
        assert {"RequestTC", "StartRound", "EndTC", "decide Order", "decide RoundInput"} <= perils["buyer"].effects
    if "cloud 01" in victims:
        assert {"JoinCI", "UpdateTJ", "decide Computed", "keep", "store"} <= perils["cloud 01"].effects
        assert_commitments_are_those_decided(town, "cloud 01")


def test_answers_that_never_arrive_repeat_nothing_whether_the_action_arrived_or_not(
    town: Town, prepared: Prepared
) -> None:
    town.settles(cloud_owners=12)
    perils = {name: Perils(loses_the_answer, at_home_too=False) for name in ("hospital 1", "buyer", "cloud 01")}
    for name, peril in perils.items():
        town.people[name].wears(peril)

    dataset = town.publishes(prepared)
    done = town.trains("heart", dataset, rounds=ROUNDS, map_name="identity")

    assert_as_if_nothing_had_happened(town, prepared, done)
    assert all(peril.met > 10 for peril in perils.values())
