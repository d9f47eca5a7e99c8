"""Somebody that ends what others began: anybody may once a deadline has passed, and nobody may before."""

from __future__ import annotations

import pytest

from freehold.contract.call import Call
from freehold.errors import Refused
from tests.adversaries.attack import Attack
from tests.market import Market, Round, Training

ENDS = Attack(
    by="outsider",
    does="ends a training of others while its round runs, so that nobody is paid",
    stopped_by="S-4: before a deadline, with grace for every clock, a training belongs to its parties",
)


def ends(training: Training) -> str:
    """A stranger to the training ends it; the code of the refusal, empty if there was none."""
    try:
        training.ends(by=training.market.cloud_owner())
    except Refused as refused:
        return refused.code
    return ""


def running() -> tuple[Training, Round]:
    """A training in whose first round everybody has worked."""
    training = Market().trains(subsets=2)
    round = training.starts_round()
    for ballot in round.ballots:
        for replica in ballot.replicas:
            replica.commits()
    return training, round


@ENDS.without
def test_where_every_deadline_has_passed_a_stranger_ends_a_round_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Call, "after", lambda call, deadline: True)
    training, _ = running()

    assert ends(training) == ""
    assert training.record["state"] == "ended"


@ENDS.against
def test_a_stranger_ends_nothing_before_its_deadline() -> None:
    training, _ = running()

    assert ends(training) == "too-early"
    assert training.record["state"] == "training"


@ENDS.unharmed
def test_the_round_that_a_stranger_wanted_to_end_is_decided_and_paid() -> None:
    training, round = running()
    market = training.market
    ends(training)

    for ballot in round.ballots:
        ballot.closes_with(b"gradient")

    assert [market.earned(replica) for ballot in round.ballots for replica in ballot.replicas] == [100] * 6
    assert market.money_is_conserved()
