"""S-13: a referee re-executes one job from its package: who lied loses stake and slot, the honest lose nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from freehold.agents.cloud_owner import Rules
from freehold.agents.data_owner import DataOwner
from freehold.agents.journal import Journal
from freehold.agents.keys import new_ring
from freehold.agents.loop import Wait
from freehold.agents.reading import Seen
from freehold.agents.referee.agent import Referee
from freehold.agents.referee.case import case_for, open_case
from freehold.agents.referee.plan import CaseKnown, Drop, Known, Rule, next_steps
from freehold.agents.workbench import Workbench
from freehold.agents.world import World
from freehold.errors import Invalid, Refused
from freehold.learning.prepared import Prepared
from freehold.protocol.assets import Ballot, DataSubset, TrainCouple
from freehold.protocol.identifiers import BallotId, DatasetId, InstanceId, MemberId, PublicKey
from tests.agents.perils import Perils, dies
from tests.agents.test_trouble import Silent, slots_of
from tests.agents.town import Chance, Person, Town

STAKE = 1_000
WELCOMED = 5_000


class Lying(Workbench):
    """A bench whose answers are off by one bit, the same for all who use it."""

    def answer(
        self,
        couple: Seen[TrainCouple],
        ballot: Seen[Ballot],
        subset: Seen[DataSubset],
        package: Callable[[], bytes],
    ) -> bytes:
        right = bytearray(super().answer(couple, ballot, subset, package))
        right[-16] ^= 1
        return bytes(right)


def lies(town: Town, name: str) -> None:
    """From now on this cloud owner commits to wrong results."""
    agent = town.cloud_owner(name)
    agent._workbench = Lying(agent._world, agent._agreements)


@pytest.fixture
def judged(tmp_path: Path) -> Town:
    """A town with a referee, where cloud owners have money for a stake."""
    ring = new_ring("referee", "", Chance("referee"))
    town = Town(tmp_path, referees=(ring.members[0].signing_key,))
    town.settles(cloud_owners=12, cloud_welcome=WELCOMED, rules=Rules(max_stake=STAKE))
    town.arrives("referee", ring, referee)
    return town


def referee(person: Person) -> Referee:
    return Referee(
        network=person.town.network,
        keys=person.ring.members[0],
        world=person.world,
        journal=person.journal,
        tell=person.told.append,
    )


def the_referee(town: Town) -> Referee:
    agent = town.people["referee"].agent
    assert isinstance(agent, Referee)
    return agent


def sealing_key(town: Town) -> PublicKey:
    return town.people["referee"].ring.members[0].sealing_key


def publishes(town: Town, prepared: Prepared) -> DatasetId:
    return town.publishes(prepared, stake=STAKE, referee=town.network.referees[0], hold=600_000)


def ballot_of(town: Town, couple: str, subset: int) -> BallotId:
    """The ballot of one subset in the first round."""
    return BallotId(town.training(couple).of_round(1)[subset].ballot.id)


def findings(town: Town) -> set[str]:
    return {finding["co"] for finding in town.ledger.evaluate("list", {"kind": "finding"})}


def member(town: Town, name: str) -> MemberId:
    return next(iter(town.cloud_owner(name).signers()))


def test_two_liars_out_vote_an_honest_replica_and_the_referee_turns_it_around(judged: Town, prepared: Prepared) -> None:
    town = judged
    dataset = publishes(town, prepared)
    first, second, honest = slots_of(town, dataset)[1]
    lies(town, first)
    lies(town, second)
    couple = town.requests("heart", dataset, rounds=1, map_name="identity")
    town.approves(couple)
    town.lives(lambda: town.state("couple", couple) == "ended")
    ballot = ballot_of(town, couple, 1)
    states = {job.record.co: job.record.state for job in town.training(couple).of_round(1)[1].jobs}
    assert states[member(town, honest)] == "rejected"
    town.adds_cloud_owner("spare 1", Rules(max_stake=STAKE))
    town.adds_cloud_owner("spare 2", Rules(max_stake=STAKE))

    case = town.cloud_owner(honest).case(ballot, sealing_key(town))
    assert the_referee(town).hears(case) == ballot
    town.lives(lambda: the_referee(town).ruling(ballot) is not None)
    town.lives(lambda: len(slots_of(town, dataset)[1]) == 3)
    town.rests()

    assert findings(town) == {member(town, first), member(town, second)}
    assert set(slots_of(town, dataset)[1]) == {honest, "spare 1", "spare 2"}
    money = town.money()
    assert money["burned"] == 2 * STAKE
    for name in (first, second):
        assert [r.instance.record.state for r in town.reader.replicas(member(town, name))] == ["retired"]


def test_honest_replicas_never_get_a_finding_whatever_the_referee_is_asked(judged: Town, prepared: Prepared) -> None:
    town = judged
    dataset = publishes(town, prepared)
    silent = slots_of(town, dataset)[2][1]
    town.people[silent].agent = Silent()
    couple = town.requests("heart", dataset, rounds=2, map_name="identity")
    town.approves(couple)
    town.lives(lambda: town.state("couple", couple) == "ended")
    hospital = town.data_owner()

    ballots = [BallotId(vote.ballot.id) for vote in town.training(couple).ballots]
    for ballot in ballots:
        the_referee(town).hears(hospital.case(ballot, sealing_key(town)))
    town.lives(lambda: all(the_referee(town).ruling(ballot) is not None for ballot in ballots))

    for vote in town.training(couple).ballots:
        assert vote.ballot.record.ruling == vote.ballot.record.digest
    assert findings(town) == set()
    assert town.money()["burned"] == 0


def test_a_referee_refuses_a_wrong_package_and_what_is_not_its_business(
    judged: Town, prepared: Prepared, tmp_path: Path
) -> None:
    town = judged
    dataset = publishes(town, prepared)
    couple = town.requests("heart", dataset, rounds=1, map_name="identity")
    town.approves(couple)
    town.lives(lambda: town.state("couple", couple) == "ended")
    hospital = town.data_owner()
    ballot, other = ballot_of(town, couple, 0), ballot_of(town, couple, 1)
    case = hospital.case(ballot, sealing_key(town))

    private = town.people["referee"].ring.members[0].sealing
    package = open_case(private, case)[1]
    altered = bytes([*package[:-1], package[-1] ^ 1])
    for wrong in (case_for(sealing_key(town), ballot, altered), case_for(sealing_key(town), other, package)):
        with pytest.raises(Invalid, match="digest is public"):
            the_referee(town).hears(wrong)
    for junk in (
        b"",
        case[:-1],
        b"x" * 500,
        hospital.case(ballot, town.people["hospital 1"].ring.members[0].sealing_key),
    ):
        with pytest.raises(Invalid):
            the_referee(town).hears(junk)
    town.rests()

    assert the_referee(town).ruling(ballot) is None
    assert findings(town) == set()


def test_a_referee_that_the_terms_do_not_name_refuses_to_rule(judged: Town, prepared: Prepared) -> None:
    town = judged
    dataset = town.publishes(prepared)
    couple = town.requests("heart", dataset, rounds=1, map_name="identity")
    town.approves(couple)
    town.lives(lambda: town.state("couple", couple) == "ended")

    with pytest.raises(Refused, match="do not name you"):
        the_referee(town).hears(town.data_owner().case(ballot_of(town, couple, 0), sealing_key(town)))


def test_a_key_that_the_network_does_not_list_is_no_referee(judged: Town) -> None:
    stranger = judged.people["hospital 1"]

    with pytest.raises(Invalid, match="lists no referee"):
        referee(stranger)


def test_a_liar_that_retires_at_once_still_loses_its_stake_but_not_after_the_hold(
    judged: Town, prepared: Prepared
) -> None:
    town = judged
    dataset = publishes(town, prepared)
    liar, late = slots_of(town, dataset)[0][0], slots_of(town, dataset)[1][0]
    lies(town, liar)
    lies(town, late)
    couple = town.requests("heart", dataset, rounds=1, map_name="identity")
    town.approves(couple)
    town.lives(lambda: town.state("couple", couple) == "ended")
    for name in (liar, late):
        agent = town.cloud_owner(name)
        agent.retire(InstanceId(town.reader.replicas(member(town, name))[0].instance.id))
    town.rests(2_000)
    hospital = town.data_owner()
    assert isinstance(hospital, DataOwner)

    the_referee(town).hears(hospital.case(ballot_of(town, couple, 0), sealing_key(town)))
    town.rests(2_000)
    assert findings(town) == {member(town, liar)}
    town.rests(620_000)
    ballot = ballot_of(town, couple, 1)
    the_referee(town).hears(hospital.case(ballot, sealing_key(town)))
    town.rests(2_000)

    assert "over" in (the_referee(town).silence(ballot) or "")
    assert findings(town) == {member(town, liar)}
    assert town.money()["burned"] == STAKE
    assert town.account(member(town, late)) >= WELCOMED


def test_a_referee_that_is_killed_before_and_after_everything_rules_once(judged: Town, prepared: Prepared) -> None:
    town = judged
    dataset = publishes(town, prepared)
    liar = slots_of(town, dataset)[3][2]
    lies(town, liar)
    couple = town.requests("heart", dataset, rounds=1, map_name="identity")
    town.approves(couple)
    town.lives(lambda: town.state("couple", couple) == "ended")
    ballot = ballot_of(town, couple, 3)
    case = town.data_owner().case(ballot, sealing_key(town))
    perils = Perils(dies)

    def through(world: World, journal: Journal) -> tuple[World, Journal]:
        return perils(world, journal)

    judge = town.people["referee"]
    judge.wears(through)
    judge.survives(lambda: the_referee(town).hears(case))
    town.lives(lambda: the_referee(town).ruling(ballot) is not None)
    town.rests(2_000)

    assert {"ReportFraud", "decide Case", "decide Ruling"} <= perils.effects
    assert findings(town) == {member(town, liar)}
    assert town.money()["burned"] == STAKE


def test_a_referee_that_knows_the_right_result_keeps_it_to_itself_while_the_vote_runs() -> None:
    ballot = BallotId("ab" * 32)
    known = Known(
        cases=(CaseKnown(ballot=ballot, ruled=False, executed=True, dropped=False, open_until=500, until=9_000),)
    )

    # a ruling names the digest, which whoever has not committed yet could copy
    assert list(next_steps(known, 499)) == [Wait(500)]
    assert list(next_steps(known, 500)) == [Rule(ballot)]
    assert list(next_steps(known, 9_000)) == [Rule(ballot)]
    assert list(next_steps(known, 9_001)) == [Drop(ballot)]
