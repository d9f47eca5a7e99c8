"""What happens to a training when somebody is silent, lies, or withholds: who is replaced, who is paid, who stops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from freehold.agents.cloud_owner import CloudOwner, Rules
from freehold.agents.journal import Journal
from freehold.agents.loop import Turn
from freehold.agents.model_owner import Progress
from freehold.agents.world import World
from freehold.errors import Invalid, Refused, Unavailable
from freehold.learning.model_file import read_model
from freehold.learning.prepared import Prepared
from freehold.ports.ledger import Accepted
from freehold.protocol.envelope import open_action
from tests.agents.conftest import prepared_table
from tests.agents.perils import PerilousLedger, Perils, dies
from tests.agents.test_market import plaintext_weights
from tests.agents.town import PRICE_JOB, MemoryStore, Town


class Silent:
    """A cloud owner that is gone."""

    def step(self, now: int) -> Turn:
        return Turn(acted=False, look_again=now + 60_000)


class Withholding(PerilousLedger):
    """A way to the ledger on which one function gets lost."""

    def __init__(self, world: World, function: str) -> None:
        super().__init__(world.ledger, Perils(dies))
        self._function = function

    def submit(self, action: bytes) -> Accepted:
        if open_action(action).function == self._function:
            raise Unavailable("the line is cut", now="nothing was sent")
        return self._ledger.submit(action)


def keeps_back(function: str) -> Callable[[World, Journal], tuple[World, Journal]]:
    """A person whose actions of one kind never arrive."""

    def through(world: World, journal: Journal) -> tuple[World, Journal]:
        return replace(world, ledger=Withholding(world, function)), journal

    return through


class Forgetful(MemoryStore):
    """A store that takes every upload and keeps none."""

    def put(self, name: str, data: object) -> None:
        pass


def cloud_of(town: Town, member: str) -> str:
    """Whose member this is."""
    return next(
        person.name
        for person in town.people.values()
        if isinstance(person.agent, CloudOwner) and member in person.agent.signers()
    )


def weights_of(progress: Progress) -> npt.NDArray[np.float64]:
    """The weights of the model that a training gave."""
    assert progress.model is not None
    return read_model(progress.model).weights


def slots_of(town: Town, dataset: str) -> list[list[str]]:
    """The cloud owners of every subset, by name."""
    seen = town.reader.dataset(dataset)
    assert seen is not None
    return [[cloud_of(town, slot.co) for slot in subset.subset.record.slots] for subset in seen.subsets]


def test_a_silent_replica_is_retired_after_its_first_miss_and_a_spare_takes_its_slot(
    town: Town, prepared: Prepared
) -> None:
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    silent = slots_of(town, dataset)[2][0]
    town.people[silent].agent = Silent()
    town.adds_cloud_owner("spare")

    done = town.trains("heart", dataset, rounds=4, map_name="identity")

    assert done.phase == "finished", done.reason
    assert np.array_equal(weights_of(done), plaintext_weights(prepared, rounds=4))
    assert "spare" in slots_of(town, dataset)[2]
    assert silent not in slots_of(town, dataset)[2]
    assert town.account(next(iter(town.cloud_owner("spare").signers()))) >= 2 * PRICE_JOB
    assert sum(len(slots) for slots in slots_of(town, dataset)) == 12


def test_a_round_without_majority_is_void_and_asked_again_with_a_fresh_input(town: Town, prepared: Prepared) -> None:
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    couple = town.requests("heart", dataset, rounds=4, map_name="identity")
    town.approves(couple)
    for name in slots_of(town, dataset)[0][:2]:
        town.people[name].wears(keeps_back("UpdateTJ"))
    town.lives(lambda: town.state("couple", couple) == "training")
    first = town.couple(couple)
    for name in ("spare 1", "spare 2"):
        town.adds_cloud_owner(name)
    town.lives(lambda: town.couple(couple).round == 2)
    second = town.couple(couple)
    assert first.base != second.base
    assert second.turn == 0

    town.lives(lambda: town.buyer().progress("heart").phase == "finished")

    votes = town.training(couple)
    assert {vote.ballot.record.state for vote in votes.of_round(1)} == {"void", "decided"}
    assert np.array_equal(
        weights_of(town.buyer().progress("heart")),
        plaintext_weights(prepared, rounds=town.couple(couple).turn),
    )
    town.money()


def test_when_no_replica_closes_a_ballot_the_data_owner_does(town: Town, prepared: Prepared) -> None:
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    for name in slots_of(town, dataset)[1]:
        town.people[name].wears(keeps_back("CloseRound"))

    done = town.trains("heart", dataset, rounds=1, map_name="identity")

    assert done.phase == "finished", done.reason
    votes = town.training(done.couple)
    assert all(job.record.state == "accepted" for vote in votes.ballots for job in vote.jobs)


def test_a_majority_that_withholds_its_results_costs_one_round_and_then_the_buyer_stops(
    town: Town, prepared: Prepared
) -> None:
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    for name in slots_of(town, dataset)[3]:
        town.people[name].wears(lambda world, journal: (replace(world, stores={"main": _Sink(town)}), journal))

    done = town.trains("heart", dataset, rounds=4, map_name="identity")

    assert done.phase == "failed"
    assert "not delivered" in done.reason
    assert town.couple(done.couple).round == 1
    assert town.state("couple", done.couple) == "ended"
    town.money()


class _Sink(Forgetful):
    """Reads what others stored, and loses what is given to it."""

    def __init__(self, town: Town) -> None:
        super().__init__()
        assert isinstance(town.store, MemoryStore)
        self.objects = town.store.objects


def test_one_honest_delivery_is_enough(town: Town, prepared: Prepared) -> None:
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    for name in slots_of(town, dataset)[3][:2]:
        town.people[name].wears(lambda world, journal: (replace(world, stores={"main": _Sink(town)}), journal))

    assert town.trains("heart", dataset, rounds=2, map_name="identity").phase == "finished"


def test_a_refused_training_ends_and_the_money_returns(town: Town, prepared: Prepared) -> None:
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    before = town.account(town.buyer().member)
    couple = town.requests("heart", dataset, rounds=2, map_name="identity")
    assert town.account(town.buyer().member) < before

    town.data_owner().refuse(couple)
    town.lives(lambda: town.buyer().progress("heart").phase == "failed")
    town.rests()

    assert town.account(town.buyer().member) == before
    assert "approved" in town.buyer().progress("heart").reason


def test_a_training_that_nobody_approves_expires_and_the_money_returns(town: Town, prepared: Prepared) -> None:
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    before = town.account(town.buyer().member)
    town.requests("heart", dataset, rounds=2, map_name="identity")

    town.lives(lambda: town.buyer().progress("heart").phase == "failed")
    town.rests()

    assert town.account(town.buyer().member) == before


def test_a_silent_candidate_is_passed_over_and_somebody_else_gets_the_offer(town: Town, prepared: Prepared) -> None:
    town.settles(cloud_owners=12)
    town.lives(lambda: len(town.reader.candidates()) == 12)
    for name in ("cloud 03", "cloud 07"):
        town.people[name].agent = Silent()
    for name in ("spare 1", "spare 2", "spare 3"):
        town.adds_cloud_owner(name)

    dataset = town.publishes(prepared)

    holders = [name for slots in slots_of(town, dataset) for name in slots]
    assert not {"cloud 03", "cloud 07"} & set(holders)
    assert len(set(holders)) == 12


def test_offers_below_a_cloud_owners_price_are_declined_in_silence(town: Town, prepared: Prepared) -> None:
    town.settles(cloud_owners=12)
    town.adds_cloud_owner("dear", Rules(min_price_job=PRICE_JOB + 1))

    dataset = town.publishes(prepared)

    assert "dear" not in [name for slots in slots_of(town, dataset) for name in slots]


def test_a_buyer_who_allows_too_little_sends_nothing(town: Town, prepared: Prepared) -> None:
    from freehold.agents.model_owner import Wish

    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    wish = Wish(datasets=(dataset,), rounds=2, map_name="identity")
    cost = town.buyer().quote(wish).cost
    assert cost == 2 * (12 * PRICE_JOB + 400)

    with pytest.raises(Refused, match="you allow"):
        town.buyer().train("heart", wish, max_cost=cost - 1)

    assert town.buyer().orders() == {}


def test_the_same_name_never_buys_twice(town: Town, prepared: Prepared) -> None:
    from freehold.agents.model_owner import Wish

    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    wish = Wish(datasets=(dataset,), rounds=2, map_name="identity")
    first = town.buyer().train("heart", wish, max_cost=10**6)

    assert town.buyer().train("heart", wish, max_cost=10**6).couple == first.couple
    with pytest.raises(Invalid, match="another training"):
        town.buyer().train("heart", replace(wish, rounds=3), max_cost=10**6)


def test_the_same_table_on_other_terms_is_refused_and_on_the_same_terms_goes_on(town: Town, prepared: Prepared) -> None:
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)

    assert town.data_owner().publish(prepared, town.terms(prepared)) == dataset
    with pytest.raises(Invalid, match="already published"):
        town.data_owner().publish(prepared, town.terms(prepared, price_job=7))


def test_whole_statistics_are_asked_for_once_and_give_a_model(town: Town, prepared: Prepared) -> None:
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)

    done = town.trains("heart", dataset, rounds=4, map_name="identity", method="statistics-1")

    assert done.phase == "finished", done.reason
    assert town.couple(done.couple).round == 1
    # five features and two outputs: after zero and three rounds of directions nothing is left to learn
    assert np.allclose(weights_of(done), plaintext_weights(prepared, rounds=4), rtol=1e-6, atol=1e-9)


def test_two_hospitals_train_one_model_and_groups_take_turns(town: Town, tmp_path: Path) -> None:
    tables = [
        prepared_table(tmp_path / f"table {number}", rows=160 + 40 * number, seed=number, group_min=2)
        for number in (1, 2)
    ]
    town.settles(cloud_owners=24, data_owners=2)
    datasets = [town.publishes(table, number=number) for number, table in enumerate(tables, 1)]

    done = town.trains("together", *datasets, rounds=6, map_name="identity")

    assert done.phase == "finished", done.reason
    couple = town.couple(done.couple)
    assert (couple.round, couple.turn) == (6, 6)
    # two groups of each hospital take turns, so six rounds ask everybody three times
    assert np.array_equal(weights_of(done), plaintext_weights(*tables, rounds=3))
    assert len(couple.parts) == 2
    assert town.account(town.data_owner(1).member) == town.account(town.data_owner(2).member) == 6 * 400
    votes = town.training(done.couple)
    assert all(len(votes.of_round(number)) == 4 for number in range(1, 7))
    town.money()
