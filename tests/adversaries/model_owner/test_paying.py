"""A model owner that would have work for nothing: without money, or by vanishing."""

from __future__ import annotations

import pytest

from freehold.contract import agreement, money
from freehold.contract.effects import Step
from freehold.contract.view import View
from freehold.protocol.assets import Account
from freehold.protocol.identifiers import MemberId
from tests.adversaries.attack import Attack
from tests.adversaries.careless import nobody_is_waited_out
from tests.market import Market, Member, Training, refused

ASKS_WITHOUT_MONEY = Attack(
    by="model owner",
    does="asks for a training that it cannot pay",
    stopped_by="S-14: the whole price is locked before the data owner is asked",
)
VANISHES = Attack(
    by="model owner",
    does="vanishes while a round runs, or between two",
    stopped_by="V-1: votes pay from locked money, and after a deadline anybody ends the training",
)


def asks_without_money(market: Market) -> Training:
    """A training that costs 4,000 for somebody who has 10."""
    return market.requests(market.publishes(subsets=2), owner=market.model_owner(funds=10))


@ASKS_WITHOUT_MONEY.without
def test_where_nobody_looks_at_the_account_work_is_asked_for_with_money_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def takes_what_is_there(view: View, member: MemberId, amount: int) -> list[Step]:
        return money.debit(view, member, min(amount, view.get(Account, member).free))

    monkeypatch.setattr(agreement, "debit", takes_what_is_there)
    market = Market()

    training = asks_without_money(market)

    assert training.record["balance"] == 4_000
    assert not market.money_is_conserved()


@ASKS_WITHOUT_MONEY.against
def test_a_training_that_cannot_be_paid_is_not_asked_for() -> None:
    market = Market()

    with refused("no-funds"):
        asks_without_money(market)
    assert market.records("couple") == []


@ASKS_WITHOUT_MONEY.unharmed
def test_whoever_works_is_paid_though_the_model_owner_takes_out_all_that_it_has() -> None:
    market = Market()
    owner = market.model_owner(funds=100_000)
    training = market.requests(market.publishes(subsets=2), owner=owner).is_approved()
    owner.does("Withdraw", nonce=market.fresh(), amount=owner.account)

    round = training.starts_round().is_agreed()

    assert [market.earned(replica) for ballot in round.ballots for replica in ballot.replicas] == [100] * 6
    assert market.money_is_conserved()


def vanishes(market: Market) -> tuple[Training, Member]:
    """A round that all work for, of a model owner that is never heard of again; and a stranger, much later."""
    training = market.trains(subsets=2)
    training.starts_round().is_agreed()
    market.waits_until_after(training.record["due"])
    return training, market.cloud_owner()


@VANISHES.without
def test_where_no_deadline_passes_what_is_locked_stays_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody_is_waited_out(monkeypatch)
    training, stranger = vanishes(Market())

    with refused("too-early"):
        training.ends(by=stranger)
    assert training.record["balance"] > 0


@VANISHES.against
def test_after_the_deadline_a_stranger_ends_the_training() -> None:
    training, stranger = vanishes(Market())

    training.ends(by=stranger)

    assert training.record["state"] == "ended"
    assert training.record["balance"] == 0


@VANISHES.unharmed
def test_whoever_worked_is_paid_the_data_owner_too_and_the_rest_waits_for_its_owner() -> None:
    market = Market()
    training, stranger = vanishes(market)
    training.ends(by=stranger)

    assert {job["state"] for job in market.records("job")} == {"accepted"}
    assert market.earned(training.datasets[0].owner) == 400
    assert training.owner.collects() == 400_000 - (6 * 100 + 400)
    assert market.money_is_conserved()
