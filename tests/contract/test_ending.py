"""Ending a training: from every state, by whoever has something in it, and by anybody once it is due."""

from collections.abc import Callable

import pytest

from tests.market import Market, Member, Round, Training, refused

State = Callable[[Market], Training]


def requested(market: Market) -> Training:
    """Two owners were asked and none has answered."""
    return market.requests(market.publishes(subsets=2), market.publishes(subsets=2))


def half_approved(market: Market) -> Training:
    """One of two owners has approved."""
    training = requested(market)
    first = training.datasets[0]
    first.owner.does("ApproveTC", couple=training.id, dataset=first.id, share=market.fresh())
    return training


def approved(market: Market) -> Training:
    """Both owners have approved."""
    return requested(market).is_approved()


def after_a_round(market: Market) -> Training:
    """One round is over."""
    training = approved(market)
    training.starts_round().is_agreed()
    return training


STATES = [requested, half_approved, approved, after_a_round]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("who", ["model owner", "first data owner", "second data owner"])
def test_whoever_has_something_in_a_training_ends_it_from_every_state(market: Market, state: State, who: str) -> None:
    training = state(market)
    people = {
        "model owner": training.owner,
        "first data owner": training.datasets[0].owner,
        "second data owner": training.datasets[1].owner,
    }
    spent = 2 * (2 * 300 + 400) if state is after_a_round else 0
    funds = 4 * 100_000

    training.ends(by=people[who])

    assert training.record["state"] == "ended"
    assert training.owner.collects() == funds - spent
    for dataset in training.datasets:
        assert market.record("budget", dataset.id)["granted"] == (1 if state is after_a_round else 0)
    assert market.money_is_conserved()
    with refused("state"):
        training.ends()


@pytest.mark.parametrize("state", STATES)
def test_a_stranger_ends_it_only_after_it_is_due(market: Market, state: State) -> None:
    training, stranger = state(market), market.cloud_owner()
    market.now = training.record["due"] + market.network.grace
    with refused("too-early"):
        training.ends(by=stranger)
    market.waits(1)

    training.ends(by=stranger)

    assert training.record["state"] == "ended"


def test_an_open_round_is_not_ended(market: Market) -> None:
    training = market.trains(subsets=2)
    round = training.starts_round()
    with refused("round-open"):
        training.ends()
    market.waits_until_after(round.ballots[0].record["close_until"])

    training.ends()

    assert [ballot.record["state"] for ballot in round.ballots] == ["void", "void"]
    assert training.owner.collects() == 4 * 100_000
    assert market.record("budget", training.datasets[0].id)["granted"] == 1


def test_a_decided_round_is_ended_at_once_and_its_fee_is_paid(market: Market) -> None:
    training = market.trains(subsets=2)
    training.starts_round().is_agreed()
    training.ends(by=training.datasets[0].owner)

    assert market.earned(training.datasets[0].owner) == 400
    assert training.record["turn"] == 1


def test_only_the_model_owner_claims_the_result(market: Market) -> None:
    training = market.trains(subsets=2)
    with refused("not-yours"):
        training.ends(by=training.datasets[0].owner, final="ab" * 32)
    with refused("not-yours"):
        training.ends(by=market.cloud_owner(), final="ab" * 32)

    training.ends(final="ab" * 32)

    assert training.record["final"] == "ab" * 32


def test_a_training_that_ends_without_a_claim_shows_none(market: Market) -> None:
    training = market.trains(subsets=2)
    training.ends()

    assert "final" not in training.record


def test_what_nobody_asked_for_cannot_be_ended(market: Market) -> None:
    with refused("unknown"):
        market.model_owner().does("EndTC", couple="ab" * 32)
    training = market.trains(subsets=2)
    with refused("unknown"):
        market.treasury.does("EndTC", couple=training.id)


def test_unused_rounds_can_be_granted_again(market: Market) -> None:
    dataset = market.publishes(subsets=2, rounds_total=5, rounds_per_training=5)
    first = market.requests(dataset, rounds=5).is_approved()
    first.starts_round().is_agreed()
    second = market.requests(dataset, rounds=4)
    with refused("rounds-spent"):
        second.is_approved()

    first.ends()
    second.is_approved()

    assert market.record("budget", dataset.id)["granted"] == 5


def test_a_withdrawn_dataset_does_not_hold_the_others_back(market: Market) -> None:
    training = approved(market)
    round: Round = training.starts_round()
    leaver: Member = training.datasets[0].owner
    leaver.does("WithdrawDS", dataset=training.datasets[0].id)
    round.is_agreed()

    training.ends()

    assert market.earned(leaver) == 400
    assert market.money_is_conserved()
