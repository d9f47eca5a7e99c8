"""Cloud owners that each tell another lie, so that nothing has a majority and nobody is missing.

Whoever is silent is sent away after one miss. Whoever commits to something is at work as far as the ledger shows, and
where nothing was decided nobody is out-voted either. So two of three can keep every round from being decided, and stay.
"""

from __future__ import annotations

from collections.abc import Callable

from freehold.agents.reading import Seen
from freehold.agents.workbench import Workbench
from freehold.learning.prepared import Prepared
from freehold.protocol.assets import Ballot, DataSubset, TrainCouple
from tests.adversaries.attack import Attack
from tests.adversaries.cloud_owner.programs import works_with
from tests.agents.test_trouble import slots_of
from tests.agents.town import PRICE_JOB, WELCOME, Town
from tests.market import Market

VOIDS = Attack(
    by="cloud owner",
    does="lies like most of its subset, each otherwise, so that rounds are void",
    stopped_by="V-2 takes an honest majority. The buyer pays the other subsets in each attempt that was approved; a"
    " referee who looks at one void round burns the stakes",
    promised=False,
)
ROUNDS = 1


class OwnLie(Workbench):
    """A bench whose answers are off by a bit that nobody else turns."""

    bit: int = 1

    def answer(
        self,
        couple: Seen[TrainCouple],
        ballot: Seen[Ballot],
        subset: Seen[DataSubset],
        package: Callable[[], bytes],
    ) -> bytes:
        right = bytearray(super().answer(couple, ballot, subset, package))
        right[-16] ^= self.bit
        return bytes(right)


def with_two_who_lie_apart(town: Town, prepared: Prepared) -> list[str]:
    """A training in which two holders of a subset lie in all rounds, each in its own way: who held that subset."""
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    holders = slots_of(town, dataset)[1]
    works_with(town, holders[0], OwnLie, bit=1)
    works_with(town, holders[1], OwnLie, bit=2)
    for number in (1, 2):
        town.adds_cloud_owner(f"spare {number}")
    town.trains("heart", dataset, rounds=ROUNDS, map_name="identity")
    return holders


@VOIDS.without
def test_two_that_lie_apart_spend_the_buyers_round_and_keep_their_slots_for_the_next_one(
    town: Town, prepared: Prepared
) -> None:
    holders = with_two_who_lie_apart(town, prepared)

    done = town.buyer().progress("heart")
    assert done.model is None
    assert (town.couple(done.couple).round, town.couple(done.couple).turn) == (ROUNDS, 0)
    assert town.account(town.buyer().member) == WELCOME - ROUNDS * 9 * PRICE_JOB
    # two spares are there, and nobody sends the liars away: they have missed nothing
    [dataset] = town.data_owner().publications()
    assert slots_of(town, dataset)[1] == holders


@VOIDS.unharmed
def test_a_referee_who_looks_at_a_void_round_burns_the_stakes_of_those_who_lied_apart() -> None:
    market = Market()
    training = market.trains(subsets=2)
    round = training.starts_round()
    ballot = round.ballot(subset=0)
    for replica, result in zip(ballot.replicas, (b"one lie", b"another", b"gradient"), strict=True):
        replica.commits(result)
    round.ballot(subset=1).is_agreed()
    market.waits_until_after(ballot.record["close_until"])

    ballot.is_ruled(b"gradient")

    first, second, honest = ballot.replicas
    assert {finding["co"] for finding in market.records("finding")} == {first.id, second.id}
    assert market.ledger.evaluate("totals", {})["burned"] == 2 * 1_000
    assert market.record("instance", honest.record["instance"])["stake"] == 1_000
    for _ in range(2):
        training.datasets[0].is_held_by(0)
    training.starts_round().is_agreed()
    assert market.earned(honest) == 100
    assert market.money_is_conserved()
