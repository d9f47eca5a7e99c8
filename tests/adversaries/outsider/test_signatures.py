"""Somebody that acts in the name of members: with a key of its own, a stolen one, or one that signs everything."""

from __future__ import annotations

import pytest

from freehold.contract.registry import RULES
from freehold.errors import Refused
from freehold.protocol import signatures
from tests.adversaries.attack import Attack
from tests.market import Market
from tests.market.people import Member, Signer, bytes_of

FORGES = Attack(
    by="outsider",
    does="withdraws a member's money with a signature of its own key",
    stopped_by="S-2: the key that signs is compared with the one in the member's record",
)
STEALS = Attack(
    by="outsider",
    does="steals a signing key, and withdraws what its member owns",
    stopped_by="S-2: one rotation by the recovery key, which lies elsewhere, and the old key signs nothing",
)
SIGNS_ALL = Attack(
    by="outsider",
    does="joins with a key under which one signature fits every message, and denies what it signed",
    stopped_by="S-2: keys and points of small order are refused before any library is asked",
)
NEUTRAL = bytes([1]) + bytes(31)


def withdraws(market: Market, seed: bytes, member: Member) -> str:
    """Somebody with this key takes a member's money out; the code of the refusal, empty if there was none."""
    try:
        Signer(market, seed, member.id).does("Withdraw", nonce=market.fresh(), amount=500)
    except Refused as refused:
        return refused.code
    return ""


@FORGES.without
def test_where_keys_are_not_compared_anybody_withdraws_anybodys_money(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, "Withdraw", RULES["Withdraw"]._replace(caller=lambda *_: None))
    market = Market()
    rich = market.cloud_owner(funds=800)

    assert withdraws(market, bytes_of("stranger"), rich) == ""
    assert rich.account == 300


@FORGES.against
def test_a_strangers_signature_moves_nobodys_money() -> None:
    market = Market()
    rich = market.cloud_owner(funds=800)

    assert withdraws(market, bytes_of("stranger"), rich) == "not-yours"
    assert market.records("withdrawal") == []


@FORGES.unharmed
def test_the_member_whose_name_was_used_withdraws_as_before() -> None:
    market = Market()
    rich = market.cloud_owner(funds=800)
    withdraws(market, bytes_of("stranger"), rich)

    assert withdraws(market, rich.seed, rich) == ""
    assert rich.account == 300
    assert market.money_is_conserved()


@STEALS.without
def test_whoever_never_rotates_loses_everything_to_the_thief() -> None:
    market = Market()
    robbed = market.cloud_owner(funds=800)
    stolen = robbed.seed

    assert withdraws(market, stolen, robbed) == ""
    assert robbed.account == 300


@STEALS.against
def test_after_a_rotation_the_stolen_key_withdraws_nothing_and_rotates_nothing() -> None:
    market = Market()
    robbed = market.cloud_owner(funds=800)
    stolen = robbed.seed
    robbed.rotates()

    assert withdraws(market, stolen, robbed) == "not-yours"
    with pytest.raises(Refused) as caught:
        Signer(market, stolen, robbed.id).does("RotateKey", version=1, **robbed.keys)
    assert caught.value.code == "not-yours"


@STEALS.unharmed
def test_after_a_rotation_its_member_goes_on_under_the_same_name_with_all_that_it_owned() -> None:
    market = Market()
    robbed = market.cloud_owner(funds=800)
    withdraws(market, b"\x11" * 32, robbed.rotates())

    assert robbed.account == 800
    assert withdraws(market, robbed.seed, robbed) == ""
    assert market.money_is_conserved()


def one_for_all(messages: list[bytes]) -> list[bool]:
    """Whether one signature by the neutral key holds for each message."""
    return [signatures.verify(NEUTRAL, message, NEUTRAL + bytes(32)) for message in messages]


@SIGNS_ALL.without
def test_where_only_the_equation_counts_one_signature_holds_for_whatever_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signatures, "_is_acceptable_point", lambda _: True)
    monkeypatch.setattr(signatures, "_libsodium_holds_the_equation_itself", lambda: False)

    assert one_for_all([b"I owe you nothing", b"I owe you everything"]) == [True, True]


@SIGNS_ALL.against
def test_a_key_of_small_order_signs_nothing() -> None:
    assert one_for_all([b"I owe you nothing", b"I owe you everything"]) == [False, False]


@SIGNS_ALL.unharmed
def test_every_other_key_signs_as_before() -> None:
    signature = signatures.sign(bytes_of("honest"), b"I owe you nothing")
    key = signatures.public_key(bytes_of("honest"))

    assert signatures.verify(key, b"I owe you nothing", signature)
    assert not signatures.verify(key, b"I owe you everything", signature)
