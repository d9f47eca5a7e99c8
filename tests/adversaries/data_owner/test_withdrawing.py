"""A data owner that takes its dataset away while others work for a training that was paid for."""

from __future__ import annotations

from contextlib import suppress

import pytest

from freehold.contract import ballots
from freehold.contract.call import Call
from freehold.contract.effects import Effects, require
from freehold.contract.view import View
from freehold.errors import Refused
from freehold.protocol import actions
from freehold.protocol.assets import Ballot as BallotRecord
from freehold.protocol.assets import Dataset as DatasetRecord
from freehold.protocol.assets import DataSubset
from tests.adversaries.attack import Attack
from tests.adversaries.careless import decides_by
from tests.market import Dataset, Market, Training, refused

WITHDRAWS = Attack(
    by="data owner",
    does="withdraws its dataset in mid-training, when all have worked and nobody is paid",
    stopped_by="V-3: what is locked for an open round stays there; it is finished and paid, the rest returns",
)


def closes_only_what_stands(call: Call[actions.CloseRound], view: View) -> Effects:
    """A rule by which nothing goes on with a dataset that was withdrawn."""
    subset = view.get(DataSubset, view.get(BallotRecord, call.arguments.ballot).subset)
    require(view.get(DatasetRecord, subset.dataset).state != "withdrawn", "withdrawn")
    return ballots.close_round(call, view)


def withdraws(training: Training, dataset: Dataset) -> None:
    """In the first round all replicas have committed; the data owner withdraws; then everybody does their part."""
    round = training.starts_round()
    for ballot in round.ballots:
        for replica in ballot.replicas:
            replica.commits()
    dataset.owner.does("WithdrawDS", dataset=dataset.id)
    for ballot in round.ballots:
        with suppress(Refused):
            ballot.closes_with(b"gradient")
    training.market.waits_until_after(training.record["close_until"])


def of_two(market: Market) -> Training:
    """A training over the datasets of two hospitals."""
    return market.requests(market.publishes(subsets=2), market.publishes(subsets=2)).is_approved()


def cloud_owners_earned(market: Market) -> int:
    return sum(market.earned(each) for each in market.people.values() if each.role == "co")


@WITHDRAWS.without
def test_where_a_withdrawal_stops_open_rounds_who_has_worked_is_unpaid(monkeypatch: pytest.MonkeyPatch) -> None:
    decides_by(monkeypatch, "CloseRound", closes_only_what_stands)
    market = Market()
    training = market.trains(subsets=2)

    withdraws(training, training.datasets[0])
    training.ends()

    assert len(market.records("job", state="undecided")) == 6
    assert cloud_owners_earned(market) == 0


@WITHDRAWS.against
def test_an_open_round_is_finished_and_paid_and_no_other_begins() -> None:
    market = Market()
    training = market.trains(subsets=2)

    withdraws(training, training.datasets[0])

    assert len(market.records("job", state="accepted")) == 6
    assert cloud_owners_earned(market) == 6 * 100
    with refused("withdrawn"):
        training.starts_round()


@WITHDRAWS.unharmed
def test_the_buyer_the_other_hospital_and_all_cloud_owners_have_what_is_theirs() -> None:
    market = Market()
    training = of_two(market)
    leaver, other = training.datasets
    per_round = 2 * (2 * 3 * 100 + 400)

    withdraws(training, leaver)
    training.ends()

    assert cloud_owners_earned(market) == 12 * 100
    assert market.earned(other.owner) == 400
    [returned] = training.owner.payouts(cause=training.id)
    assert returned["amount"] == 3 * per_round
    # the three rounds that never began count neither against the other hospital's budget nor against its groups
    assert market.record("budget", other.id)["granted"] == 1
    assert other.record["state"] == "published"
    leaving = [slot for index in range(2) for slot in leaver.slots(index)]
    for slot in leaving:
        market.people[slot["co"]].does("RetireCI", instance=slot["instance"])
    market.waits(leaver.shape["terms"]["hold"])
    assert {market.people[slot["co"]].collects() for slot in leaving} == {1_100}
    assert market.records("finding") == []
    assert market.money_is_conserved()
