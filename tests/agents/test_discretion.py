"""Members of one cloud owner that take their own time: what the ledger shows of them, and what it costs."""

from __future__ import annotations

from itertools import pairwise

import pytest

from freehold.agents.cloud_owner import Rules
from freehold.agents.discretion import claimed_time, pace_of, pause
from freehold.agents.keys import with_fresh_member
from freehold.agents.purse import Purse
from freehold.agents.world import Signer
from freehold.learning.prepared import Prepared
from freehold.protocol.envelope import Envelope, open_action
from freehold.protocol.network import network_id
from tests.agents.town import GRACE, SKEW, Person, Town, troubles

SPREAD = 240_000
SLOTS = 6


@pytest.fixture
def recorded(town: Town) -> list[tuple[int, Envelope]]:
    """Fills itself: every recorded action with the time of its arrival."""
    heard: list[tuple[int, Envelope]] = []
    submit = town.ledger.submit

    def listening(action: bytes) -> object:
        accepted = submit(action)
        heard.append((town.now, open_action(action)))
        return accepted

    town.ledger.submit = listening  # type: ignore[method-assign, assignment]
    return heard


def owner_of_many(town: Town, spread: int) -> Person:
    """A cloud owner with several slots."""
    person = town.adds_cloud_owner("many", Rules(spread=spread))
    for _ in range(SLOTS - 1):
        person.ring = with_fresh_member(person.ring, person.chance)
    return person


def test_members_that_share_a_machine_join_far_apart_if_their_owner_minds(
    town: Town, recorded: list[tuple[int, Envelope]]
) -> None:
    town.settles(cloud_owners=0)
    many = owner_of_many(town, spread=SPREAD)
    town.rests(SPREAD)

    own = {keys.id_in("co", network_id(town.network)) for keys in many.ring.members}
    joined = sorted(time for time, action in recorded if action.function == "CreateCO" and action.member in own)
    assert len(joined) == SLOTS
    assert all(after - before > 1_000 for before, after in pairwise(joined))
    assert joined[-1] - joined[0] > SPREAD // 10


def test_a_restart_does_not_draw_the_time_of_joining_again(town: Town) -> None:
    town.settles(cloud_owners=0)
    many = owner_of_many(town, spread=SPREAD)
    first = [member.joins_at for member in many.agent.look().members]  # type: ignore[attr-defined]
    many.restarts()
    town.now += 1_000

    assert [member.joins_at for member in many.agent.look().members] == first  # type: ignore[attr-defined]


def test_a_training_ends_well_though_everybody_strews_what_its_members_do(
    town: Town, prepared: Prepared, recorded: list[tuple[int, Envelope]]
) -> None:
    spread = 60_000
    town.settles(cloud_owners=12, rules=Rules(spread=spread))
    town.lives(lambda: sum(action.function == "CreateCO" for _, action in recorded) == 12)
    dataset = town.publishes(prepared)
    progress = town.trains("heart", dataset, rounds=2)
    town.rests(2 * spread)

    assert progress.phase == "finished"
    assert all(job.record.state == "accepted" for vote in town.training(progress.couple).ballots for job in vote.jobs)
    assert not [each for each in troubles(town.people.values()) if "clock" in str(each.trouble)]
    assert not town.ledger.evaluate("list", {"kind": "payout", "where": {"state": "due"}})
    collected = sorted(time for time, action in recorded if action.function == "Collect")
    assert collected[-1] - collected[-12] > spread // 10
    assert town.money()["conserved"]


def test_claimed_times_are_rounded_and_tell_no_clock_s_offset(
    town: Town, prepared: Prepared, recorded: list[tuple[int, Envelope]]
) -> None:
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    town.trains("heart", dataset, rounds=1)

    clouds = [(time, action) for time, action in recorded if action.function in ("CreateCO", "JoinCI", "UpdateTJ")]
    assert len(clouds) == 36
    assert all(action.time % (SKEW // 4) == 0 for _, action in clouds)
    assert all(0 <= time - action.time < SKEW // 4 for time, action in clouds)


def test_an_owner_hears_before_a_withdrawal_how_many_members_it_would_show_together(town: Town) -> None:
    town.settles(cloud_owners=0, cloud_welcome=100)
    many = owner_of_many(town, spread=0)
    town.rests(5_000)
    network = network_id(town.network)
    signers = [Signer(network=network, member=keys.id_in("co", network), keys=keys) for keys in many.ring.members]
    purse = Purse(many.world, many.journal, signers, skew=SKEW)

    assert purse.givers(100) == (1, 100)
    assert purse.givers(101) == (2, 100)
    assert purse.givers(100 * SLOTS + 1) == (SLOTS, 100)
    assert purse.withdraw(250)
    assert [town.account(signer.member) for signer in signers].count(100) == SLOTS - 3


def test_two_clocks_a_little_apart_claim_the_same_time() -> None:
    skew = 30_000
    now = 1_000_000_000_000
    exact = now - now % (skew // 4)
    claimed = {claimed_time(exact + 3_000 + offset, skew) for offset in (-40, -3, 0, 17, 50)}

    assert claimed == {exact}


def test_a_deadline_that_everybody_knows_may_be_claimed_as_soon_as_it_is_over() -> None:
    skew, deadline = 30_000, 1_000_001_234

    assert claimed_time(deadline + 5, skew, at_least=deadline) == deadline
    assert claimed_time(deadline - 1, skew, at_least=deadline) < deadline
    assert claimed_time(deadline + skew, skew, at_least=deadline) > deadline


def test_what_is_claimed_is_never_too_old_for_the_ledger() -> None:
    for skew in (1, 2, 3, 250, 30_000):
        for now in range(1_000_000, 1_000_400):
            assert 0 <= now - claimed_time(now, skew) <= skew // 2


def test_pauses_follow_from_a_key_and_are_as_long_as_they_may_be(town: Town) -> None:
    ring = town.adds_cloud_owner("one").ring
    other = with_fresh_member(ring, town.chance)
    first, second = (pace_of(keys) for keys in other.members)
    pauses = [pause(first, f"job {number}", GRACE) for number in range(400)]

    assert pauses == [pause(first, f"job {number}", GRACE) for number in range(400)]
    assert pauses != [pause(second, f"job {number}", GRACE) for number in range(400)]
    assert min(pauses) < GRACE // 10
    assert GRACE - GRACE // 10 < max(pauses) <= GRACE
    assert pause(b"", "job 1", GRACE) == 0
    assert pause(first, "job 1", 0) == pause(first, "job 1", -5) == 0
