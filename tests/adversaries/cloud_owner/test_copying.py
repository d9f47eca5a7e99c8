"""A cloud owner that lets its neighbour compute, and says what the neighbour says."""

from __future__ import annotations

import pytest

from freehold.protocol import commitments
from freehold.protocol.digests import H, raw
from freehold.protocol.identifiers import Digest, JobId, MemberId, Nonce
from tests.adversaries.attack import Attack
from tests.market import Ballot, Market

COPIES = Attack(
    by="cloud owner",
    does="copies a neighbour's commitment and nonce instead of computing",
    stopped_by="S-10: a commitment hashes its job and its owner, so a copy opens for nobody",
)


def anonymous(job: JobId, co: MemberId, nonce: Nonce, result_digest: Digest) -> Digest:
    """A commitment that forgets whose it is."""
    return Digest(H("result", raw(nonce), raw(result_digest)).hex())


def with_a_copier(market: Market) -> Ballot:
    """A ballot in which the second of three replicas copies the first."""
    ballot = market.trains().starts_round().ballot(subset=0)
    worker, copier, honest = ballot.replicas
    worker.commits(b"gradient")
    copier.commits_bytes_of(worker)
    honest.commits(b"gradient")
    ballot.closes_with(b"gradient")
    return ballot


@COPIES.without
def test_where_a_commitment_does_not_name_its_owner_a_copier_is_paid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commitments, "result", anonymous)
    market = Market()

    ballot = with_a_copier(market)

    assert list(ballot.verdicts().values()) == ["accepted", "accepted", "accepted"]
    assert market.earned(ballot.replicas[1]) > 0


@COPIES.against
def test_a_copied_commitment_opens_for_nobody_and_is_not_paid() -> None:
    market = Market()

    ballot = with_a_copier(market)

    assert list(ballot.verdicts().values()) == ["accepted", "rejected", "accepted"]
    assert market.earned(ballot.replicas[1]) == 0


@COPIES.unharmed
def test_whoever_was_copied_is_paid_and_the_round_goes_on() -> None:
    market = Market()

    ballot = with_a_copier(market)
    worker, _, honest = ballot.replicas

    assert market.earned(worker) == market.earned(honest) > 0
    assert ballot.record["state"] == "decided"
    assert not market.records("finding")
    assert market.money_is_conserved()
