"""A cloud owner that sees its neighbour's commitment on the way, and overtakes it so that the neighbour looks guilty.

Whoever runs a network sees actions before the ledger does. By the paper's rule the later one of two equal reports is
the copy; then whoever is faster can make the worker the copier.
"""

from __future__ import annotations

from contextlib import suppress

import pytest

from freehold.contract import ballots
from freehold.contract.call import Call
from freehold.contract.effects import Effects, require
from freehold.contract.view import View
from freehold.errors import Refused
from freehold.protocol import actions, commitments
from freehold.protocol.assets import Ballot as BallotRecord
from freehold.protocol.assets import TrainJob
from freehold.protocol.identifiers import Nonce
from tests.adversaries.attack import Attack
from tests.adversaries.careless import decides_by
from tests.agents.auditor.recordings import report_of
from tests.market import Ballot, Market, Training, digest_of

OVERTAKES = Attack(
    by="cloud owner",
    does="overtakes a neighbour with its own commitment, to make it the copier",
    stopped_by="S-12: of two equal commitments not the later one is the copy, but the one that does not open",
)
TAKES_NONCE = Attack(
    by="cloud owner",
    does="uses a neighbour's nonce before it does, to make it the copier",
    stopped_by="S-12: a nonce proves nothing and may be anybody's; a commitment opens by job, owner and result",
)


def first_come(call: Call[actions.UpdateTJ], view: View) -> Effects:
    """The paper's rule: who reports at a later time what stands on the ledger already has copied it."""
    asked = call.arguments
    ballot = view.get(BallotRecord, view.get(TrainJob, asked.job).ballot)
    for other in view.every(TrainJob, ballot.jobs).values():
        require(other.commitment != asked.commitment and other.nonce != asked.nonce, "duplicate")
    return ballots.update_job(call, view)


def overtaken(training: Training, *, taken: str) -> Ballot:
    """A ballot in which the second of five replicas is faster than the first with what it took from it."""
    ballot = training.starts_round().ballot(subset=0)
    worker, thief, *others = ballot.replicas
    nonce = Nonce(training.market.fresh())
    on_its_way = commitments.result(worker.job, worker.id, nonce, digest_of(b"gradient"))
    own = commitments.result(thief.job, thief.id, nonce, digest_of(b"noise"))
    thief.sends(on_its_way if taken == "commitment" else own, nonce)
    with suppress(Refused):
        worker.sends(on_its_way, nonce)
    for honest in others:
        honest.commits(b"gradient")
    training.market.waits_until_after(ballot.record["commit_until"])
    ballot.closes_with(b"gradient", by=others[0].person)
    return ballot


@OVERTAKES.without
@TAKES_NONCE.without
@pytest.mark.parametrize("taken", ["commitment", "nonce"])
def test_where_the_first_to_say_something_is_its_maker_the_overtaken_worker_is_refused_and_unpaid(
    taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    decides_by(monkeypatch, "UpdateTJ", first_come)
    market = Market()

    ballot = overtaken(market.trains(subsets=2, replicas=5), taken=taken)

    worker = ballot.replicas[0]
    assert ballot.verdicts()[worker] == "missing"
    assert market.earned(worker) == 0


@OVERTAKES.against
@TAKES_NONCE.against
@pytest.mark.parametrize("taken", ["commitment", "nonce"])
def test_an_overtaken_worker_is_accepted_and_the_thief_is_not(taken: str) -> None:
    market = Market()

    ballot = overtaken(market.trains(subsets=2, replicas=5), taken=taken)

    worker, thief, *_ = ballot.replicas
    assert list(ballot.verdicts().values()) == ["accepted", "rejected", "accepted", "accepted", "accepted"]
    assert market.earned(worker) == 100
    assert market.earned(thief) == 0


@OVERTAKES.unharmed
@TAKES_NONCE.unharmed
@pytest.mark.parametrize("taken", ["commitment", "nonce"])
def test_an_audit_names_the_thief_and_never_whom_it_overtook(taken: str) -> None:
    market = Market()
    training = market.trains(subsets=2, replicas=5)

    ballot = overtaken(training, taken=taken)

    _, thief, *_ = ballot.replicas
    report = report_of(training)
    assert {remark.member for remark in report.answers[5].remarks} == ({thief.id} if taken == "commitment" else set())
    assert [blame.member for blame in report.account.blamed] == [thief.id]
    assert market.records("finding") == []
    training.market.waits_until_after(ballot.record["close_until"])
    assert training.starts_round().number == 2
    assert market.money_is_conserved()
