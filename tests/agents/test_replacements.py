"""Replicas come and go: declined, rejected, retired; and the next round finds another holder of the same package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from freehold.agents.cloud_owner import CloudOwner
from freehold.agents.cloud_owner.agent import Joined
from freehold.agents.journal import Journal
from freehold.agents.world import World
from freehold.errors import Invalid
from freehold.learning.prepared import Prepared
from freehold.protocol.identifiers import Digest, InstanceId
from tests.agents.test_trouble import Silent, slots_of
from tests.agents.town import Town


def cloud(town: Town, name: str) -> CloudOwner:
    agent = town.people[name].agent
    assert isinstance(agent, CloudOwner)
    return agent


def replica_of(town: Town, name: str) -> InstanceId:
    """What this cloud owner holds or was offered last."""
    return InstanceId(town.reader.replicas(next(iter(cloud(town, name).signers())))[-1].instance.id)


def test_a_replica_that_leaves_is_replaced_from_the_same_package_and_the_next_round_uses_the_new_one(
    town: Town, prepared: Prepared
) -> None:
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    couple = town.requests("heart", dataset, rounds=6, map_name="identity")
    town.approves(couple)
    town.lives(lambda: town.couple(couple).round == 1)
    leaver = slots_of(town, dataset)[1][0]
    town.adds_cloud_owner("spare")

    cloud(town, leaver).retire(replica_of(town, leaver))
    town.lives(lambda: town.buyer().progress("heart").phase == "finished")
    town.rests()

    assert leaver not in slots_of(town, dataset)[1]
    assert "spare" in slots_of(town, dataset)[1]
    rounds = {
        work.record.state
        for vote in town.training(couple).ballots
        for work in vote.jobs
        if work.record.co in cloud(town, "spare").signers()
    }
    assert rounds == {"accepted"}
    seen = town.dataset(dataset)
    assert seen.dataset.record.state == "published"
    town.money()


def test_open_jobs_of_a_replica_that_left_are_still_done_and_paid(town: Town, prepared: Prepared) -> None:
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    couple = town.requests("heart", dataset, rounds=1, map_name="identity")
    town.approves(couple)
    town.lives(lambda: town.couple(couple).round == 1)
    leaver = slots_of(town, dataset)[0][0]
    cloud(town, leaver).retire(replica_of(town, leaver))

    town.lives(lambda: town.buyer().progress("heart").phase == "finished")

    states = [job.record.state for vote in town.training(couple).ballots for job in vote.jobs]
    assert states == ["accepted"] * 12


def test_an_offer_that_is_declined_goes_to_somebody_else_without_waiting_for_the_answer_time(
    town: Town, prepared: Prepared
) -> None:
    town.settles(cloud_owners=12)
    town.lives(lambda: len(town.reader.candidates()) == 12)
    town.people["cloud 03"].agent = Silent()
    dataset = town.data_owner().publish(prepared, town.terms(prepared))
    member = next(iter(town.people["cloud 03"].ring.members)).id_in("co", town.data_owner()._signer.network)
    town.lives(lambda: bool(town.reader.replicas(member)))
    offered = town.now
    town.people["cloud 03"].restarts()

    cloud(town, "cloud 03").retire(InstanceId(town.reader.replicas(member)[0].instance.id))
    town.adds_cloud_owner("spare")
    town.lives(lambda: town.state("dataset", dataset) == "published")

    assert town.now < offered + 5_000
    assert town.reader.replicas(member)[0].instance.record.state == "retired"
    with pytest.raises(Invalid, match="hold no replica"):
        cloud(town, "spare").retire(InstanceId("00" * 32))


def test_a_receipt_that_no_holder_of_the_package_could_make_is_rejected_and_the_stake_returns_at_once(
    town: Town, prepared: Prepared
) -> None:
    town.settles(cloud_owners=12)
    town.lives(lambda: len(town.reader.candidates()) == 12)
    liar = town.people["cloud 07"]

    class Forger:
        """A journal in which every receipt is made up."""

        def __init__(self, journal: Journal) -> None:
            self._journal = journal

        def __getattr__(self, name: str) -> Any:
            return getattr(self._journal, name)

        def decide(self, kind: Any, subject: str, make: Callable[[], Any]) -> Any:
            if kind is Joined:
                return Joined(nonce=make().nonce, receipt=Digest("ab" * 32))
            return self._journal.decide(kind, subject, make)

    def forges(world: World, journal: Journal) -> tuple[World, Journal]:
        forger: Any = Forger(journal)
        return world, forger

    liar.wears(forges)
    town.adds_cloud_owner("spare")

    dataset = town.publishes(prepared)

    member = next(iter(cloud(town, "cloud 07").signers()))
    assert [replica.instance.record.state for replica in town.reader.replicas(member)] == ["rejected"]
    assert "cloud 07" not in [name for slots in slots_of(town, dataset) for name in slots]
    assert town.reader.replicas(member)[0].instance.record.stake == 0
