"""A cloud owner that looks for its neighbour's answer in what the neighbour says about where it will lie.

An object's name is its hash; so whoever reads the name of an answer before the vote can commit to it without having
computed anything. A commitment's locator is sealed to the model owner, who may be the attacker's friend.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from freehold.agents.cloud_owner import CloudOwner
from freehold.agents.cloud_owner.plan import Deliver, Known
from freehold.agents.loop import Step
from freehold.agents.reading import ReplicaSeen, Work
from freehold.demo.cheaters import Cheater
from freehold.learning.prepared import Prepared
from freehold.protocol.digests import sha256
from freehold.protocol.identifiers import Digest, JobId, Locator, MemberId, StoreName
from freehold.protocol.sealing import open_locator, seal_locator
from tests.adversaries.attack import Attack
from tests.agents.test_market import plaintext_weights
from tests.agents.test_trouble import slots_of, weights_of
from tests.agents.town import PRICE_JOB, Town

READS_NAMES = Attack(
    by="cloud owner",
    does="reads its neighbour's object name with the model owner's key, and commits to it",
    stopped_by="S-10: before the vote a locator names the job and never the digest, to whoever opens it",
)


class ReadsNames(Cheater):
    """Computes nothing; commits to the object that a neighbour's locator names, which the model owner opens for it."""

    def __init__(self, town: Town, name: str) -> None:
        # a copier waits until a neighbour has committed
        super().__init__("copying", town.cloud_owner(name), town.people[name].world)
        self._town = town

    def next_steps(self, known: Known, now: int) -> Iterator[Step]:
        """As a copier; it has nothing to deliver."""
        return (step for step in super().next_steps(known, now) if not isinstance(step, Deliver))

    def act(self, step: Step, known: Known) -> None:
        """As a cheater of the demo that says something false, not as one that copies bytes."""
        self._kind = "reading"
        super().act(step, known)
        self._kind = "copying"

    def _claimed(self, member: MemberId, replica: ReplicaSeen, work: Work) -> Digest:
        friend = self._town.people["buyer"].ring.members[0]
        neighbours = [job for job in work.vote.jobs if job.record.locator is not None]
        locator = neighbours[0].record.locator
        assert locator is not None
        _, name = open_locator(friend.sealing, JobId(neighbours[0].id), locator)
        return Digest(name)


def names_its_digest(agent: CloudOwner, work: Work) -> Locator:
    """A locator as the paper has it: it says under which name the answer will lie, and a name is a hash."""
    owner = agent._agreements.owner(work.couple.record.mo)
    replica = next(each for each in agent._reader.replicas(work.job.record.co) if work.job.id in _jobs(each))
    result = agent._workbench.answer(
        work.couple, work.vote.ballot, replica.subset, lambda: agent._package(work.job.record.co, replica)
    )
    return seal_locator(owner.sealing_key, JobId(work.job.id), _store(agent, work), sha256(result).hex())


def _jobs(replica: ReplicaSeen) -> set[str]:
    return {work.job.id for work in replica.work}


def _store(agent: CloudOwner, work: Work) -> StoreName:
    return agent._agreements.model(work.couple.record.model).store


def with_a_reader(town: Town, prepared: Prepared) -> list[str]:
    """One round in which the first holder of a subset reads its neighbours' locators: their jobs' states after it."""
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    reader = slots_of(town, dataset)[1][0]
    town.people[reader].agent = ReadsNames(town, reader)
    couple = town.requests("heart", dataset, rounds=1, map_name="identity")
    town.approves(couple)
    town.lives(lambda: town.buyer().progress("heart").phase in ("finished", "failed"))
    town.rests()
    return [job.record.state for job in town.training(couple).of_round(1)[1].jobs]


@READS_NAMES.without
def test_where_a_locator_names_the_digest_its_reader_is_paid_for_nothing(
    town: Town, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CloudOwner, "_locator", names_its_digest)

    assert with_a_reader(town, prepared) == ["accepted", "accepted", "accepted"]


@READS_NAMES.against
@READS_NAMES.unharmed
def test_a_locator_tells_nobody_what_to_commit_to_and_who_was_read_is_paid(town: Town, prepared: Prepared) -> None:
    assert with_a_reader(town, prepared) == ["rejected", "accepted", "accepted"]

    done = town.buyer().progress("heart")
    assert done.phase == "finished", done.reason
    assert np.array_equal(weights_of(done), plaintext_weights(prepared, rounds=1))
    accounts = [town.account(each.id) for each in town.reader.members("co", after=None)]
    assert sorted(accounts) == [0] + [PRICE_JOB] * 11
    assert town.ledger.evaluate("list", {"kind": "finding"}) == []
    town.money()
