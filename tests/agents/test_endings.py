"""Every training ends: in each state, by each party, by a stranger when it is overdue; and the money goes home."""

from __future__ import annotations

import pytest

from freehold.agents.cloud_owner import CloudOwner
from freehold.agents.data_owner import DataOwner
from freehold.agents.model_owner import ModelOwner
from freehold.errors import Invalid
from freehold.learning.prepared import Prepared
from freehold.protocol.identifiers import CoupleId, DatasetId
from tests.agents.test_trouble import Silent
from tests.agents.town import PRICE_JOB, PRICE_ROUND, WELCOME, Town


def brings(town: Town, couple: CoupleId, state: str) -> None:
    """Everybody does their part until the training is in this state."""
    if state != "requested":
        town.approves(couple)
        if state == "approved":
            town.people["buyer"].agent = Silent()
        town.lives(lambda: town.state("couple", couple) == state)


def somebody(town: Town, who: str) -> ModelOwner | DataOwner:
    return town.buyer() if who == "the model owner" else town.data_owner()


def nothing_is_stuck(town: Town) -> None:
    """Every escrow, ballot and payout has gone where it belongs; stakes may wait for the end of their hold."""
    money = town.money()
    assert money["balances"] == money["left"] == money["fees"] == money["due"] == 0


@pytest.mark.parametrize("state", ["requested", "approved", "training"])
@pytest.mark.parametrize("who", ["the model owner", "the data owner"])
def test_either_party_ends_a_training_in_any_state_and_what_is_unused_returns(
    town: Town, prepared: Prepared, state: str, who: str
) -> None:
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    couple = town.requests("heart", dataset, rounds=6, map_name="identity")
    brings(town, couple, state)

    if state == "approved":
        # whoever ends it, the buyer's own agent must not start a round meanwhile
        town.people["buyer"].restarts()
    somebody(town, who).end(couple)
    town.lives(lambda: town.state("couple", couple) == "ended")
    town.lives(lambda: town.buyer().progress("heart").phase in ("finished", "failed"))
    town.rests()

    ended = town.couple(couple)
    assert ended.round <= 2
    assert town.dataset(dataset).granted == ended.round
    assert town.account(town.buyer().member) == WELCOME - ended.round * (12 * PRICE_JOB + PRICE_ROUND)
    nothing_is_stuck(town)


def test_a_hospital_that_ends_a_training_right_after_a_vote_costs_the_buyer_no_answer_it_paid_for(
    town: Town, prepared: Prepared
) -> None:
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    couple = town.requests("heart", dataset, rounds=6, map_name="identity")
    town.approves(couple)
    town.lives(lambda: town.couple(couple).round == 1)
    town.people["buyer"].agent = Silent()
    town.data_owner().end(couple)
    town.lives(lambda: town.state("couple", couple) == "ended")
    assert all(vote.ballot.record.state == "decided" for vote in town.training(couple).of_round(1))

    town.people["buyer"].restarts()
    town.lives(lambda: town.buyer().progress("heart").phase == "finished")

    assert town.buyer().progress("heart").model is not None
    nothing_is_stuck(town)


@pytest.mark.parametrize("state", ["requested", "approved", "training"])
def test_a_stranger_ends_what_everybody_else_has_left_and_only_when_it_is_overdue(
    town: Town, prepared: Prepared, state: str
) -> None:
    town.settles(cloud_owners=12)
    town.adds_model_owner("stranger")
    dataset = town.publishes(prepared)
    couple = town.requests("heart", dataset, rounds=2, map_name="identity")
    brings(town, couple, state)
    for name in ("buyer", "hospital 1"):
        town.people[name].agent = Silent()

    town.buyer("stranger").end(couple)
    town.lives(lambda: town.state("couple", couple) == "ended")

    assert town.now > town.couple(couple).due + town.network.grace
    assert town.money()["balances"] == 0


def test_a_cloud_owner_ends_an_overdue_training_too(town: Town, prepared: Prepared) -> None:
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    couple = town.requests("heart", dataset, rounds=2, map_name="identity")
    for name in ("buyer", "hospital 1"):
        town.people[name].agent = Silent()
    agent = town.people["cloud 05"].agent
    assert isinstance(agent, CloudOwner)

    agent.end(couple)
    town.lives(lambda: town.state("couple", couple) == "ended")


def test_a_buyer_who_vanishes_in_a_round_is_not_waited_for_and_the_hospital_is_paid(
    town: Town, prepared: Prepared
) -> None:
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    couple = town.requests("heart", dataset, rounds=6, map_name="identity")
    brings(town, couple, "training")
    town.people["buyer"].agent = Silent()

    town.lives(lambda: town.state("couple", couple) == "ended")
    town.rests()

    assert town.account(town.data_owner().member) == PRICE_ROUND
    assert town.dataset(dataset).granted == 1


def test_a_dataset_withdrawn_in_mid_training_finishes_its_round_and_nothing_new_begins(
    town: Town, prepared: Prepared
) -> None:
    town.settles(cloud_owners=12)
    town.adds_model_owner("other")
    dataset = town.publishes(prepared)
    couple = town.requests("heart", dataset, rounds=6, map_name="identity")
    brings(town, couple, "training")
    waiting = town.requests("later", dataset, rounds=2, buyer="other", map_name="identity")

    town.data_owner().withdraw(dataset)
    town.lives(lambda: town.state("couple", couple) == town.state("couple", waiting) == "ended")
    town.rests()

    assert town.state("dataset", dataset) == "withdrawn"
    done = town.couple(couple)
    assert done.turn == done.round < 6
    assert town.buyer().progress("heart").phase == "finished"
    assert town.buyer("other").progress("later").phase == "failed"
    assert town.account(town.buyer("other").member) == WELCOME
    seen = town.dataset(dataset)
    assert all(not subset.subset.record.slots for subset in seen.subsets)
    nothing_is_stuck(town)


def test_only_its_owner_can_withdraw_a_dataset_and_a_training_that_does_not_wait_cannot_be_refused(
    town: Town, prepared: Prepared
) -> None:
    town.settles(cloud_owners=12, data_owners=2)
    dataset = town.publishes(prepared)
    with pytest.raises(Invalid, match="published no dataset"):
        town.data_owner(2).withdraw(dataset)
    couple = town.requests("heart", dataset, rounds=2, map_name="identity")
    brings(town, couple, "training")

    with pytest.raises(Invalid, match="waits for you"):
        town.data_owner().refuse(couple)
    town.lives(lambda: town.buyer().progress("heart").phase == "finished")


def test_a_draft_that_was_withdrawn_is_never_published_and_its_holders_get_their_stake_back(
    town: Town, prepared: Prepared
) -> None:
    town.settles(cloud_owners=11)
    dataset: DatasetId = town.data_owner().publish(prepared, town.terms(prepared))
    town.rests(2_000)
    assert town.state("dataset", dataset) == "draft"

    town.data_owner().withdraw(dataset)
    town.rests()

    assert town.state("dataset", dataset) == "withdrawn"
    with pytest.raises(Invalid, match="which you withdrew"):
        town.data_owner().publish(prepared, town.terms(prepared))
    seen = town.dataset(dataset)
    assert {instance.record.state for subset in seen.subsets for instance in subset.instances} == {"retired"}
    nothing_is_stuck(town)
