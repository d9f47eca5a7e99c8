"""Rounds: who may start one, of what it consists, and what becomes of the last one."""

from typing import Any

import pytest

from freehold.contract.draw import group_of_turn
from freehold.protocol import commitments
from tests.market import Market, Training, refused


@pytest.fixture
def training(market: Market) -> Training:
    """A training over two subsets, approved, four rounds."""
    return market.trains(subsets=2)


def start(training: Training, **changes: Any) -> None:
    """The model owner starts the first round, with something changed."""
    arguments = {"couple": training.id, "round": 1, "base": training.market.fresh(), "secret": training.secret}
    arguments |= changes
    training.owner.does("StartRound", **{name: value for name, value in arguments.items() if value is not None})


def test_a_round_opens_a_ballot_per_subset_and_a_job_per_replica(market: Market) -> None:
    training = market.trains(subsets=4, replicas=3)
    now = market.now
    round = training.starts_round()

    assert len(round.ballots) == 4
    for index, ballot in enumerate(round.ballots):
        assert ballot.record["subset"] == training.datasets[0].subset(index)
        assert ballot.record["left"] == 300
        assert [replica.id for replica in ballot.replicas] == [slot["co"] for slot in training.datasets[0].slots(index)]
        assert ballot.record["base"] == training.record["base"]
    couple = training.record
    assert (couple["state"], couple["round"], couple["turn"]) == ("training", 1, 0)
    assert (couple["commit_until"], couple["close_until"]) == (now + 10_000, now + 20_000)
    assert couple["due"] == now + 20_000 + 30_000
    assert couple["parts"][0]["fee"] == 400


def test_only_the_model_owner_starts_a_round(market: Market, training: Training) -> None:
    stranger = market.model_owner()
    with refused("not-yours"):
        stranger.does("StartRound", couple=training.id, round=1, base="ab" * 32, secret=training.secret)
    with refused("not-yours"):
        training.datasets[0].owner.does(
            "StartRound", couple=training.id, round=1, base="ab" * 32, secret=training.secret
        )
    with refused("unknown"):
        start(training, couple="ab" * 32)


def test_rounds_are_numbered_without_a_gap_and_no_number_comes_twice(market: Market, training: Training) -> None:
    for number in (0, 2):
        with refused("state"):
            start(training, round=number)
    training.starts_round().is_agreed()
    with refused("state"):
        start(training, round=1)


def test_nothing_starts_before_every_owner_approved(market: Market) -> None:
    training = market.requests(market.publishes(subsets=2), market.publishes(subsets=2))
    with refused("state"):
        start(training)
    first = training.datasets[0]
    first.owner.does("ApproveTC", couple=training.id, dataset=first.id, share=market.fresh())
    with refused("state"):
        start(training)


def test_a_training_has_no_more_rounds_than_were_approved(market: Market) -> None:
    training = market.trains(subsets=2, rounds=2)
    for _ in range(2):
        training.starts_round().is_agreed()

    with refused("rounds-spent"):
        training.starts_round()


def test_failed_rounds_count_too(market: Market) -> None:
    training = market.trains(subsets=2, rounds=2)
    for _ in range(2):
        round = training.starts_round()
        market.waits_until_after(round.ballots[0].record["close_until"])

    with refused("rounds-spent"):
        training.starts_round()
    assert training.record["turn"] == 0


def test_a_withdrawn_dataset_trains_no_further(market: Market, training: Training) -> None:
    round = training.starts_round()
    training.datasets[0].owner.does("WithdrawDS", dataset=training.datasets[0].id)
    round.is_agreed()

    with refused("withdrawn"):
        training.starts_round()


def test_the_secret_opens_the_draw_in_the_first_round_and_is_told_only_there(
    market: Market, training: Training
) -> None:
    with refused("bad-opening"):
        start(training, secret=None)
    with refused("bad-opening"):
        start(training, secret="ab" * 32)
    training.starts_round().is_agreed()
    with refused("bad-opening"):
        start(training, round=2)

    shares = [part["share"] for part in training.record["parts"]]
    assert training.record["seed"] == commitments.seed(training.id, training.secret, shares)


def test_no_round_starts_while_one_is_open(market: Market, training: Training) -> None:
    round = training.starts_round()
    round.ballot(0).is_agreed()
    with refused("round-open"):
        training.starts_round()
    market.now = round.ballot(1).record["close_until"] + market.network.grace
    with refused("round-open"):
        training.starts_round()
    market.waits(1)
    training.starts_round()

    assert round.ballot(0).record["state"] == "decided"
    assert round.ballot(1).record["state"] == "void"


def test_a_subset_that_most_replicas_left_trains_no_further(market: Market, training: Training) -> None:
    dataset = training.datasets[0]
    leaving = dataset.slots(1)
    dataset.owner.does("RetireCI", instance=leaving[0]["instance"])
    round = training.starts_round().is_agreed()
    assert len(round.ballot(1).replicas) == 2

    dataset.owner.does("RetireCI", instance=leaving[1]["instance"])
    with refused("replica-missing"):
        training.starts_round()

    newcomer = dataset.is_held_by(1)
    ballot = training.starts_round().ballot(1)
    assert [replica.id for replica in ballot.replicas] == [leaving[2]["co"], newcomer.holder.id]


def test_an_incomplete_round_repeats_its_group_under_a_new_number(market: Market) -> None:
    training = market.trains(subsets=6, group_min=2)
    first = training.starts_round()
    for ballot in first.ballots[1:]:
        ballot.is_agreed()
    market.waits_until_after(first.ballots[0].record["close_until"])

    second = training.starts_round().is_agreed()
    third = training.starts_round()

    subsets = [[ballot.record["subset"] for ballot in round.ballots] for round in (first, second, third)]
    assert subsets[0] == subsets[1] != subsets[2]
    assert training.record["turn"] == 1


def test_a_round_of_several_datasets_joins_one_group_of_each(market: Market) -> None:
    slow = market.publishes(subsets=6, group_min=3, commit_window=30_000, idle_window=5_000)
    fast = market.publishes(subsets=4, group_min=2, close_window=2_000, price_job=7, price_round=9, idle_window=90_000)
    training = market.requests(slow, fast).is_approved()
    now = market.now
    round = training.starts_round()

    seed = training.record["seed"]
    expected = []
    for part, dataset in enumerate(training.datasets):
        groups = dataset.record["groups"]
        expected += [dataset.subset(index) for index in groups[group_of_turn(seed, part, 0, len(groups))]]
    assert [ballot.record["subset"] for ballot in round.ballots] == expected
    assert {ballot.record["commit_until"] for ballot in round.ballots} == {now + 30_000}
    assert {ballot.record["close_until"] for ballot in round.ballots} == {now + 40_000}
    assert training.record["due"] == now + 40_000 + 90_000
    prices = {slow.id: (100, 400), fast.id: (7, 9)}
    assert [part["fee"] for part in training.record["parts"]] == [
        prices[dataset.id][1] for dataset in training.datasets
    ]
    for ballot in round.ballots:
        price, _ = prices[market.record("subset", ballot.record["subset"])["dataset"]]
        assert ballot.record["left"] == 3 * price


def test_a_model_owner_that_comes_late_may_go_on_as_long_as_nobody_ended_the_training(
    market: Market, training: Training
) -> None:
    training.starts_round().is_agreed()
    market.waits_until_after(training.record["due"])
    training.starts_round()

    assert training.record["round"] == 2
