"""A cloud owner that lies, and leaves before anybody can look.

Leaving asks nobody, so it cannot be forbidden; what stays behind for the hold is the stake. The referee of the terms
can rule until a hold after the ballot's end, and burns the stake where it then is.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from freehold.contract import replicas
from freehold.contract.effects import Step
from freehold.contract.money import pay
from freehold.errors import Refused
from freehold.protocol.identifiers import MemberId
from tests.adversaries.attack import Attack
from tests.market import Ballot, Market, Replica, Training

FLEES = Attack(
    by="cloud owner",
    does="lies, retires at once, and collects its stake before a referee looks",
    stopped_by="S-15: a stake is held when its replica leaves, and a ruling burns it where it waits",
)
IS_SENT_AWAY = Attack(
    by="cloud owner",
    does="lies, and has the data owner withdraw the dataset and retire it",
    stopped_by="S-15: whoever parts and whatever becomes of the dataset, the stake of a possible worker is held",
)
LEAVES_FIRST = Attack(
    by="cloud owner",
    does="retires before it lies, so that its hold ends before the referee's time",
    stopped_by="The hold counts from leaving, a ruling from the ballot's end: in the last round's length of its time a"
    " referee finds the stake gone. Until then, at least half of every hold, it burns",
    promised=False,
)
Leaves = Callable[[Training, Replica], None]


def retires(training: Training, liar: Replica) -> None:
    liar.person.does("RetireCI", instance=liar.record["instance"])


def is_sent_away(training: Training, liar: Replica) -> None:
    owner = training.datasets[0].owner
    owner.does("WithdrawDS", dataset=training.datasets[0].id)
    owner.does("RetireCI", instance=liar.record["instance"])


WAYS = {"retires": retires, "is sent away": is_sent_away}


def flees(training: Training, leaves: Leaves) -> Ballot:
    """A ballot whose first replica commits to a lie, leaves, takes what it can, and is ruled on afterwards."""
    market, round = training.market, training.starts_round()
    ballot = round.ballot(subset=0)
    liar, *others = ballot.replicas
    liar.commits(b"lie")
    leaves(training, liar)
    for honest in others:
        honest.commits(b"gradient")
    ballot.closes_with(b"gradient", by=others[0].person)
    round.ballot(subset=1).is_agreed()
    market.waits_until_after(ballot.record["close_until"])
    with suppress(Refused):
        liar.person.does("Collect", payouts=[payout["id"] for payout in liar.person.payouts(state="due")])
    ballot.is_ruled(b"gradient")
    return ballot


def pays_at_once(payee: MemberId, amount: int, cause: str, *, since: int) -> list[Step]:
    """A payout that is due from the beginning of time."""
    return pay(payee, amount, cause, since=0)


@FLEES.without
@IS_SENT_AWAY.without
@pytest.mark.parametrize("way", WAYS)
def test_where_a_stake_returns_at_once_a_liar_has_it_before_the_referee_speaks(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "pay", pays_at_once)
    market = Market()

    ballot = flees(market.trains(subsets=2), WAYS[way])

    assert ballot.replicas[0].person.account == 1_000
    assert market.ledger.evaluate("totals", {})["burned"] == 0


@FLEES.against
@IS_SENT_AWAY.against
@pytest.mark.parametrize("way", WAYS)
def test_a_stake_waits_for_the_referee_and_burns_though_its_owner_has_left(way: str) -> None:
    market = Market()

    ballot = flees(market.trains(subsets=2), WAYS[way])

    liar = ballot.replicas[0]
    assert liar.person.account == 0
    assert {finding["co"] for finding in market.records("finding")} == {liar.id}
    assert market.ledger.evaluate("totals", {})["burned"] == 1_000
    market.waits_until_after(ballot.record["close_until"] + 80_000)
    assert liar.person.collects() == 0


@FLEES.unharmed
@IS_SENT_AWAY.unharmed
@pytest.mark.parametrize("way", WAYS)
def test_an_honest_one_that_leaves_beside_a_liar_gets_its_pay_and_after_the_hold_its_stake(way: str) -> None:
    market = Market()
    training = market.trains(subsets=2)
    ballot = flees(training, WAYS[way])
    _, leaver, stayer = ballot.replicas

    leaver.person.does("RetireCI", instance=leaver.record["instance"])
    assert leaver.person.collects() == 100
    market.waits(80_000)

    assert leaver.person.collects() == 1_100
    assert stayer.person.collects() == 100
    assert market.record("instance", stayer.record["instance"])["stake"] == 1_000
    assert training.ends().id == training.id
    assert market.money_is_conserved()


def leaves_first(market: Market) -> Ballot:
    """A ballot whose first replica retires as soon as it has its job, and lies at the last moment."""
    round = market.trains(subsets=2).starts_round()
    ballot = round.ballot(subset=0)
    liar, *others = ballot.replicas
    liar.person.does("RetireCI", instance=liar.record["instance"])
    market.now = ballot.record["commit_until"]
    liar.commits(b"lie")
    for honest in others:
        honest.commits(b"gradient")
    ballot.closes_with(b"gradient", by=others[0].person)
    round.ballot(subset=1).is_agreed()
    return ballot


@LEAVES_FIRST.without
def test_who_leaves_before_it_lies_has_its_stake_while_the_referee_may_still_rule() -> None:
    market = Market()
    ballot = leaves_first(market)
    liar = ballot.replicas[0]
    [held] = liar.person.payouts(state="due")

    market.now = held["from"]
    assert liar.person.collects() == 1_000
    ballot.is_ruled(b"gradient")

    assert {finding["co"] for finding in market.records("finding")} == {liar.id}
    assert market.ledger.evaluate("totals", {})["burned"] == 0


@LEAVES_FIRST.against
def test_a_referee_who_rules_within_the_hold_of_whoever_left_burns_its_stake() -> None:
    market = Market()
    ballot = leaves_first(market)
    [held] = ballot.replicas[0].person.payouts(state="due")

    market.now = held["from"] - 1
    ballot.is_ruled(b"gradient")

    assert market.now > ballot.record["close_until"] + 80_000 // 2
    assert market.ledger.evaluate("totals", {})["burned"] == 1_000
    assert market.money_is_conserved()
