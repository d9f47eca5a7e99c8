"""A data owner that lies about receipts: verifies a friend who never held the package, or rejects who did.

A receipt opens only for whoever has the whole package. So nobody but the data owner and the holders can check one, and
the ledger takes the data owner's word; what that word can do is to give a slot or to keep one back, and nothing else.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pytest

from freehold.contract import replicas
from freehold.protocol import commitments
from freehold.protocol.identifiers import InstanceId, Nonce
from tests.adversaries.attack import Attack
from tests.adversaries.careless import whoever_commits_is_paid
from tests.agents.auditor.recordings import report_of
from tests.market import Ballot, Dataset, Holding, Market, Member, Training

VERIFIES_A_FRIEND = Attack(
    by="data owner",
    does="verifies an accomplice who never held the package",
    stopped_by="S-11: a slot pays nothing, work does; and every holder can show that the receipt is false",
)
REJECTS = Attack(
    by="data owner",
    does="rejects a holder whose receipt is right",
    stopped_by="S-12: a rejection is no finding and returns the stake at once; the receipt on the ledger still opens",
)
PACKAGE = b"package of subset 0"


def joins(dataset: Dataset, *, with_package: bool) -> Holding:
    """Somebody takes the offer of subset 0, with a receipt of the package or one of its own making."""
    holder = dataset.market.cloud_owner(funds=1_000)
    instance = dataset.offers(0, holder)
    nonce = Nonce(dataset.market.fresh())
    made = commitments.receipt(InstanceId(instance), holder.id, nonce, PACKAGE if with_package else b"nothing")
    holder.does("JoinCI", instance=instance, receipt=made, nonce=nonce)
    return Holding(dataset, instance, holder)


def opens(holding: Holding) -> bool:
    """What every other holder of the package can compute from the ledger."""
    record = holding.record
    receipt = commitments.receipt(InstanceId(holding.instance), holding.holder.id, record["nonce"], PACKAGE)
    return bool(receipt == record["receipt"])


def drafts(market: Market) -> Dataset:
    digests = [hashlib.sha256(PACKAGE).hexdigest(), market.fresh()]
    return market.drafts(subsets=[{"digest": each, "mask_key": market.mask_key()} for each in digests])


def trains(dataset: Dataset) -> Training:
    """Whoever else is needed holds the rest, and a training over it is approved."""
    while len(dataset.slots(0)) < 3:
        joined = joins(dataset, with_package=True)
        dataset.owner.does("VerifyCI", instance=joined.instance, verdict="verified")
    for _ in range(3):
        dataset.is_held_by(1)
    return dataset.market.requests(dataset.is_published()).is_approved()


@dataclass(frozen=True)
class Befriended:
    """A round in which the friend of the data owner, which holds nothing, commits to something."""

    friend: Holding
    training: Training
    ballot: Ballot


def verifies_a_friend(market: Market) -> Befriended:
    dataset = drafts(market)
    friend = joins(dataset, with_package=False)
    dataset.owner.does("VerifyCI", instance=friend.instance, verdict="verified")
    training = trains(dataset)
    round = training.starts_round()
    ballot = round.ballot(subset=0)
    for replica in ballot.replicas:
        replica.commits(b"made up" if replica.id == friend.holder.id else b"gradient")
    ballot.closes_with(b"gradient", by=ballot.replicas[1].person)
    round.ballot(subset=1).is_agreed()
    return Befriended(friend, training, ballot)


@VERIFIES_A_FRIEND.without
def test_where_a_slot_alone_is_paid_a_data_owner_pays_its_friend_with_the_buyers_money(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whoever_commits_is_paid(monkeypatch)
    market = Market()

    shown = verifies_a_friend(market)

    assert market.earned(shown.friend.holder) == 100


@VERIFIES_A_FRIEND.against
def test_a_friend_without_the_package_is_out_voted_and_its_receipt_shows_the_data_owners_lie() -> None:
    market = Market()

    shown = verifies_a_friend(market)

    assert list(shown.ballot.verdicts().values()) == ["rejected", "accepted", "accepted"]
    assert market.earned(shown.friend.holder) == 0
    assert not opens(shown.friend)


@VERIFIES_A_FRIEND.unharmed
def test_who_shares_a_subset_with_a_friend_of_the_data_owner_is_paid_and_not_blamed() -> None:
    market = Market()

    shown = verifies_a_friend(market)

    _, *honest = shown.ballot.replicas
    assert [market.earned(each) for each in honest] == [100, 100]
    assert [blame.member for blame in report_of(shown.training).account.blamed] == [shown.friend.holder.id]
    assert market.records("finding") == []
    assert shown.training.starts_round().number == 2
    assert market.money_is_conserved()


def rejects(market: Market) -> Holding:
    """A data owner rejects the first who holds its package, and verifies all who come after it."""
    holding = joins(drafts(market), with_package=True)
    holding.dataset.owner.does("VerifyCI", instance=holding.instance, verdict="rejected")
    return holding


@REJECTS.without
def test_where_a_rejection_takes_the_stake_a_data_owner_robs_whom_it_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicas, "pay", lambda payee, amount, cause, since: [])
    market = Market()

    holding = rejects(market)

    assert opens(holding)
    assert holding.holder.collects() == 0


@REJECTS.against
def test_who_was_rejected_has_its_stake_back_at_once_and_a_receipt_that_opens() -> None:
    market = Market()

    holding = rejects(market)

    assert holding.holder.collects() == 1_000
    assert opens(holding)
    assert market.records("finding") == []


@REJECTS.unharmed
def test_who_was_rejected_is_blamed_by_no_audit_and_takes_its_stake_elsewhere() -> None:
    market = Market()
    holding = rejects(market)
    training = trains(holding.dataset)
    training.starts_round().is_agreed()

    assert report_of(training).account.blamed == ()
    holder: Member = holding.holder
    holder.collects()
    elsewhere = market.drafts(subsets=2).is_held_by(0, holder)

    assert elsewhere.record["state"] == "verified"
    assert market.money_is_conserved()
