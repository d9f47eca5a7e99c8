"""Somebody between a member and the ledger: it has every message, and may send it again, later, or altered."""

from __future__ import annotations

import pytest

from freehold.contract import host, money
from freehold.errors import FreeholdError, Refused
from freehold.protocol import signatures
from tests.adversaries.attack import Attack
from tests.adversaries.careless import refuses_nobody
from tests.market import SKEW, Market, Training

REPEATS = Attack(
    by="network",
    does="sends a recorded action again",
    stopped_by="S-3: what an action makes has an id that follows from it, and is made once",
)
HOLDS_BACK = Attack(
    by="network",
    does="holds an approval back, and sends it when its sender has long thought otherwise",
    stopped_by="S-4: an action happens at the time that it claims, give or take the skew, or never",
)
ALTERS = Attack(
    by="network",
    does="turns bits of an action on its way",
    stopped_by="S-2: the signature covers every byte, and there is one spelling",
)


def code_of(market: Market, action: bytes) -> str:
    """What the ledger says to an action: the code of its refusal, empty if it was recorded."""
    try:
        market.ledger.submit(action)
    except FreeholdError as error:
        return error.code or type(error).__name__
    return ""


def deposit_sent_twice(market: Market) -> tuple[str, str, int]:
    """The answers to the treasury's deposit and to its repetition, and what was deposited in all."""
    payee = market.cloud_owner()
    action = market.treasury.signs("Deposit", nonce=market.fresh(), payee=payee.id, amount=500)
    answers = code_of(market, action), code_of(market, action)
    return *answers, int(market.record("deposits", market.id)["amount"])


@REPEATS.without
def test_where_ids_may_be_made_twice_a_deposit_counts_as_often_as_it_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    refuses_nobody(monkeypatch, money, "exists")

    assert deposit_sent_twice(Market()) == ("", "", 1_000)


@REPEATS.against
def test_an_action_that_arrives_again_is_refused() -> None:
    assert deposit_sent_twice(Market()) == ("", "exists", 500)


@REPEATS.unharmed
def test_whoever_sent_it_once_hears_what_became_of_it_however_often_it_arrived() -> None:
    market = Market()
    payee = market.cloud_owner()
    action = market.treasury.signs("Deposit", nonce=market.fresh(), payee=payee.id, amount=500)
    first = market.ledger.submit(action)
    code_of(market, action)

    assert market.ledger.resolve(action) == first
    assert payee.collects() == 500
    assert market.money_is_conserved()


def approval_after_a_day() -> tuple[Training, str]:
    """A data owner approves; the message is held back; a day later it arrives."""
    market = Market()
    dataset = market.publishes(subsets=2, idle_window=100_000_000, answer_window=100_000_000, hold=400_000_000)
    training = market.requests(dataset)
    held = dataset.owner.signs("ApproveTC", couple=training.id, dataset=dataset.id, share=market.fresh())
    market.waits(24 * 3_600_000)
    return training, code_of(market, held)


@HOLDS_BACK.without
def test_where_an_action_is_good_for_ever_it_happens_when_the_network_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    refuses_nobody(monkeypatch, host, "clock")

    training, code = approval_after_a_day()

    assert code == ""
    assert training.record["state"] == "approved"


@HOLDS_BACK.against
def test_an_action_of_yesterday_is_refused() -> None:
    training, code = approval_after_a_day()

    assert code == "clock"
    assert training.record["state"] == "requested"


@HOLDS_BACK.unharmed
def test_whoever_was_held_back_says_it_again_and_whoever_is_merely_slow_is_heard() -> None:
    training, _ = approval_after_a_day()
    market, dataset = training.market, training.datasets[0]
    slow = dataset.owner.signs("ApproveTC", couple=training.id, dataset=dataset.id, share=market.fresh())
    market.waits(SKEW)

    assert code_of(market, slow) == ""
    assert training.record["state"] == "approved"


def altered_withdrawal(market: Market) -> tuple[str, int]:
    """A hundred are to be withdrawn; on its way the amount becomes 900."""
    rich = market.cloud_owner(funds=1_000)
    action = rich.signs("Withdraw", nonce=market.fresh(), amount=100)
    assert action.count(b'"amount":100') == 1
    return code_of(market, action.replace(b'"amount":100', b'"amount":900')), rich.account


@ALTERS.without
def test_where_signatures_go_unread_the_network_says_how_much_is_withdrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "verify", lambda *_: True)

    assert altered_withdrawal(Market()) == ("", 100)


@ALTERS.against
def test_an_altered_action_is_no_action_whichever_byte_it_is() -> None:
    market = Market()

    assert altered_withdrawal(market) == ("malformed", 1_000)
    action = market.cloud_owner().signs("Withdraw", nonce=market.fresh(), amount=1)
    for place in range(len(action)):
        with pytest.raises(Refused) as caught:
            market.ledger.submit(action[:place] + bytes([action[place] ^ 1]) + action[place + 1 :])
        assert caught.value.code == "malformed"


@ALTERS.unharmed
def test_the_action_as_it_was_signed_is_still_taken() -> None:
    market = Market()
    altered_withdrawal(market)
    rich = market.cloud_owner(funds=1_000)

    rich.does("Withdraw", nonce=market.fresh(), amount=100)

    assert rich.account == 900
    assert market.money_is_conserved()
