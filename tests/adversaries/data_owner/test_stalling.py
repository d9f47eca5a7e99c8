"""A data owner that lets others wait: for a verification, a publication, an approval, or a replacement.

Each of them has something locked meanwhile. So whoever waits may leave without asking, and takes what is its own.
"""

from __future__ import annotations

import pytest

from freehold.agents.cloud_owner import plan
from freehold.contract.call import Call
from freehold.contract.effects import Effects, require
from freehold.contract.registry import RULES
from freehold.contract.view import View
from freehold.learning.prepared import Prepared
from freehold.protocol.assets import Member as MemberRecord
from tests.adversaries.attack import Attack
from tests.adversaries.careless import decides_by
from tests.adversaries.data_owner.programs import Neglects, runs
from tests.agents.town import Town
from tests.market import Dataset, Holding, Market, Training, refused

LEAVES = (
    "V-4: whoever holds a replica or an offer may part at any time, and before a publication its stake is due at once"
)
ENDS = "V-3: the model owner may end what no round runs of, at any time, and what was not spent returns"
NEVER_VERIFIES = Attack(by="data owner", does="never verifies whoever has joined, its stake locked", stopped_by=LEAVES)
NEVER_PUBLISHES = Attack(by="data owner", does="never publishes what others hold for it", stopped_by=LEAVES)
NEVER_APPROVES = Attack(by="data owner", does="never approves a training whose price is locked", stopped_by=ENDS)
NEVER_REPLACES = Attack(
    by="data owner", does="sends its replicas away in mid-training, so that no round can start", stopped_by=ENDS
)
KEEPS_WAITING = Attack(
    by="data owner",
    does="never verifies who joined, and so keeps agents and their stakes",
    stopped_by="V-4: an agent waits for its verification as long as a buyer for an answer, then it retires",
)
MONTH = 30 * 24 * 3_600_000


def only_data_owners(monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    """A rule by which nothing is ended without the data owner."""
    careful = RULES[function].decide

    def asks_the_data_owner(call: Call[object], view: View) -> Effects:  # type: ignore[type-var]
        require(view.get(MemberRecord, call.member).role == "do", "not-yours")
        return careful(call, view)

    decides_by(monkeypatch, function, asks_the_data_owner)


def never_verifies(market: Market) -> Holding:
    return market.drafts(subsets=2).is_joined_by(0)


def never_publishes(market: Market) -> Holding:
    dataset = market.drafts(subsets=2).is_held()
    [slot, *_] = dataset.slots(0)
    return Holding(dataset, slot["instance"], market.people[slot["co"]])


WAITING = {"verification": never_verifies, "publication": never_publishes}


@NEVER_VERIFIES.without
@NEVER_PUBLISHES.without
@pytest.mark.parametrize("waits_for", WAITING)
def test_where_leaving_takes_the_data_owners_consent_a_stake_is_locked_for_ever(
    waits_for: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_data_owners(monkeypatch, "RetireCI")
    market = Market()

    waiting = WAITING[waits_for](market)
    market.waits(MONTH)

    with refused("not-yours"):
        waiting.holder.does("RetireCI", instance=waiting.instance)
    assert waiting.record["stake"] == 1_000


@NEVER_VERIFIES.against
@NEVER_PUBLISHES.against
@pytest.mark.parametrize("waits_for", WAITING)
def test_who_waits_for_a_data_owner_leaves_and_has_its_stake_at_once(waits_for: str) -> None:
    market = Market()

    waiting = WAITING[waits_for](market)
    waiting.holder.does("RetireCI", instance=waiting.instance)

    assert waiting.holder.collects() == 1_000


@NEVER_VERIFIES.unharmed
@NEVER_PUBLISHES.unharmed
@pytest.mark.parametrize("waits_for", WAITING)
def test_who_left_a_stalling_data_owner_works_for_another_one(waits_for: str) -> None:
    market = Market()
    waiting = WAITING[waits_for](market)
    waiting.holder.does("RetireCI", instance=waiting.instance)
    waiting.holder.collects()

    other = market.drafts(subsets=2)
    other.is_held_by(0, waiting.holder)
    while len(other.slots(0)) < 3:
        other.is_held_by(0)
    for _ in range(3):
        other.is_held_by(1)
    market.requests(other.is_published()).is_approved().starts_round().is_agreed()

    assert market.earned(waiting.holder) == 100
    assert market.records("finding") == []
    assert market.money_is_conserved()


def never_approves(market: Market) -> Training:
    """One of two hospitals approves; the other one never says anything."""
    first, second = market.publishes(subsets=2), market.publishes(subsets=2)
    training = market.requests(first, second)
    first.owner.does("ApproveTC", couple=training.id, dataset=first.id, share=market.fresh())
    return training


def never_replaces(market: Market) -> Training:
    """After the first round a data owner sends two of three replicas of a subset away, and asks nobody else."""
    training = market.trains(subsets=2)
    training.starts_round().is_agreed()
    [dataset] = training.datasets
    for slot in dataset.slots(0)[:2]:
        dataset.owner.does("RetireCI", instance=slot["instance"])
    with refused("replica-missing"):
        training.starts_round()
    return training


def of_approval(training: Training) -> Dataset:
    """The dataset whose owner approved."""
    return next(each for each in training.datasets if training.market.record("budget", each.id)["granted"])


STALLED = {"approval": never_approves, "replacement": never_replaces}


@NEVER_APPROVES.without
@NEVER_REPLACES.without
@pytest.mark.parametrize("waits_for", STALLED)
def test_where_only_data_owners_end_trainings_the_buyers_money_is_locked_for_ever(
    waits_for: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_data_owners(monkeypatch, "EndTC")
    market = Market()

    training = STALLED[waits_for](market)
    market.waits(MONTH)

    with refused("not-yours"):
        training.ends()
    assert training.record["balance"] > 0


@NEVER_APPROVES.against
@NEVER_REPLACES.against
@pytest.mark.parametrize(("waits_for", "returns"), [("approval", 8_000), ("replacement", 3_000)])
def test_the_buyer_ends_a_stalled_training_without_asking_and_has_back_what_was_not_spent(
    waits_for: str, returns: int
) -> None:
    market = Market()
    training = STALLED[waits_for](market)
    before = training.owner.collects()

    training.ends()

    assert training.owner.collects() == before + returns


@NEVER_APPROVES.unharmed
def test_the_hospital_that_had_approved_has_its_rounds_back_and_may_sell_them_again() -> None:
    market = Market()
    training = never_approves(market)
    approved = of_approval(training)

    training.ends()

    assert market.record("budget", approved.id)["granted"] == 0
    again = market.requests(approved).is_approved()
    again.starts_round().is_agreed()
    assert market.earned(approved.owner) == 0
    again.ends()
    assert market.earned(approved.owner) == 400
    assert market.records("finding") == []
    assert market.money_is_conserved()


@NEVER_REPLACES.unharmed
def test_replicas_that_are_sent_away_keep_their_pay_and_get_their_stake_after_the_hold() -> None:
    market = Market()
    training = never_replaces(market)
    workers = [market.people[job["co"]] for job in market.records("job")]
    training.ends()

    market.waits(80_000)

    # two were sent away and get their stake; the stake of the others stays where it works
    assert sorted(worker.collects() for worker in workers) == [100] * 4 + [1_100] * 2
    assert market.records("finding") == []
    assert market.money_is_conserved()


def keeps_everybody_waiting(town: Town, prepared: Prepared) -> None:
    """A hospital offers its subsets to all cloud owners of the town, verifies nobody, and time passes."""
    town.settles(cloud_owners=12, data_owners=2)
    runs(town, Neglects, number=2)
    town.lives(lambda: len(town.reader.candidates()) == 12)
    town.people["hospital 2"].survives(lambda: town.data_owner(2).publish(prepared, town.terms(prepared)))
    town.rests(town.terms(prepared).answer_window // 2)
    assert states(town) == {"joined"}
    town.rests(town.terms(prepared).answer_window)


def states(town: Town) -> set[str]:
    """What the offers of the town have come to."""
    return {instance["state"] for instance in town.ledger.evaluate("list", {"kind": "instance"})}


@KEEPS_WAITING.without
def test_agents_without_patience_of_their_own_wait_for_ever(
    town: Town, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "_waits_until", lambda replica, known, now: now + MONTH)

    keeps_everybody_waiting(town, prepared)
    town.rests(3 * town.terms(prepared).answer_window)

    assert states(town) == {"joined"}


@KEEPS_WAITING.against
def test_after_the_answer_time_every_agent_has_left_by_itself(town: Town, prepared: Prepared) -> None:
    keeps_everybody_waiting(town, prepared)

    assert states(town) == {"retired"}
    assert town.money()["stakes"] == 0


@KEEPS_WAITING.unharmed
def test_a_cloud_owner_that_was_kept_waiting_takes_other_work_with_a_fresh_member(
    town: Town, prepared: Prepared
) -> None:
    keeps_everybody_waiting(town, prepared)
    town.leaves("hospital 2")

    for number in range(12):
        town.adds_cloud_owner(f"fresh {number:02}")
    dataset = town.publishes(prepared)

    assert town.state("dataset", dataset) == "published"
    assert town.ledger.evaluate("list", {"kind": "finding"}) == []
