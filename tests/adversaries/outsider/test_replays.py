"""Somebody that carries what was signed in one market to another, or what was sealed for one reader to its own eyes."""

from __future__ import annotations

import pytest

from freehold.contract import host
from freehold.errors import Invalid, Refused
from freehold.protocol import sealing
from tests.adversaries.attack import Attack
from tests.adversaries.careless import refuses_nobody
from tests.market import GRACE, Market

CARRIES = Attack(
    by="outsider",
    does="replays in one market what a member signed for another",
    stopped_by="S-2: an action names its network, whose id hashes its whole record",
)
READS = Attack(
    by="outsider",
    does="downloads the packages of a hospital's patients from the store",
    stopped_by="S-19: a package is sealed to the one cloud owner that holds it, for that instance alone",
)


def carried() -> tuple[Market, str]:
    """A newcomer joins one market; somebody sends its action to another one, where it never wanted to be."""
    one, other = Market(), Market(grace=GRACE + 1)
    joining = one.newcomer("co")
    action = joining.signs("CreateCO", **joining.keys)
    one.ledger.submit(action)
    try:
        other.ledger.submit(action)
    except Refused as refused:
        return other, refused.code
    return other, ""


@CARRIES.without
def test_where_networks_are_not_compared_somebody_joins_whatever_market_others_like(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refuses_nobody(monkeypatch, host, "unknown")

    other, code = carried()

    assert code == ""
    assert len(other.records("member")) == 1


@CARRIES.against
def test_what_was_signed_for_one_market_is_nothing_in_another() -> None:
    other, code = carried()

    assert code == "unknown"
    assert other.records("member") == []


@CARRIES.unharmed
def test_whoever_was_carried_may_join_there_by_itself() -> None:
    other, _ = carried()

    assert other.cloud_owner(funds=5).account == 5


PATIENTS = b"age 61, smoker, carcinoma"
ABOUT = b"instance 1"


def stored_for(holder: bytes) -> bytes:
    """What a data owner puts into the store for a cloud owner with this private key."""
    return sealing.seal(sealing.sealing_public_key(holder), ABOUT, PATIENTS)


def reads(stored: bytes, private: bytes, about: bytes = ABOUT) -> bytes:
    """What somebody learns who downloads it and has this key: the plaintext, or the bytes as they lie there."""
    try:
        return sealing.unseal(private, about, stored)
    except Invalid:
        return stored


@READS.without
def test_where_nothing_is_sealed_whoever_downloads_a_package_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "seal", lambda public, info, plaintext: plaintext)

    assert reads(stored_for(sealing.new_sealing_key()), sealing.new_sealing_key()) == PATIENTS


@READS.against
def test_a_sealed_package_opens_for_no_other_key_and_for_no_other_instance() -> None:
    holder = sealing.new_sealing_key()
    stored = stored_for(holder)

    for seen in (reads(stored, sealing.new_sealing_key()), reads(stored, holder, b"instance 2")):
        assert not any(word in seen for word in PATIENTS.split())


@READS.unharmed
def test_its_holder_reads_it() -> None:
    holder = sealing.new_sealing_key()

    assert reads(stored_for(holder), holder) == PATIENTS
