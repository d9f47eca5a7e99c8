"""A model owner that would rather decide itself in which order groups train."""

from __future__ import annotations

import pytest

from freehold.contract import rounds
from freehold.errors import Refused
from tests.adversaries.attack import Attack
from tests.adversaries.careless import refuses_nobody
from tests.market import Market, Training

OPENS_ANOTHER = Attack(
    by="model owner",
    does="opens another secret than it committed to, after it saw the shares",
    stopped_by="S-8: the secret that makes the draw must open the commitment of the request",
)


def opens_another(training: Training) -> str:
    """A first round with a secret made up afterwards; the code of the refusal, empty if there was none."""
    other = training.market.fresh()
    base = training.market.fresh()
    try:
        training.owner.does("StartRound", couple=training.id, round=1, base=base, secret=other)
    except Refused as refused:
        return refused.code
    return ""


@OPENS_ANOTHER.without
def test_where_nobody_compares_the_secret_with_its_commitment_the_model_owner_draws_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refuses_nobody(monkeypatch, rounds, "bad-opening")
    seeds = set()
    for seed in (1, 2):
        training = Market(seed=seed).trains(subsets=4, group_min=2)
        assert opens_another(training) == ""
        seeds.add(training.record["seed"])

    assert len(seeds) == 2
    assert training.record["round"] == 1


@OPENS_ANOTHER.against
def test_another_secret_starts_nothing() -> None:
    training = Market().trains(subsets=4, group_min=2)

    assert opens_another(training) == "bad-opening"
    assert "seed" not in training.record


@OPENS_ANOTHER.unharmed
def test_after_a_false_opening_the_right_one_still_trains_and_everybody_is_paid() -> None:
    market = Market()
    training = market.trains(subsets=2)
    opens_another(training)

    round = training.starts_round().is_agreed()

    assert [market.earned(replica) for ballot in round.ballots for replica in ballot.replicas] == [100] * 6
    assert market.money_is_conserved()
