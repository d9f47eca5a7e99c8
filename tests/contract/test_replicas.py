"""Replicas: offered, joined with a stake, verified or rejected, retired."""

import pytest

from tests.market import Market, refused


def test_a_cloud_owner_joins_with_its_receipt_and_its_stake(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    holder = market.cloud_owner(funds=1_500)
    holding = dataset.is_joined_by(0, holder)

    assert holding.record["state"] == "joined"
    assert holding.record["stake"] == 1_000
    assert holder.account == 500


def test_an_offer_is_made_once_by_the_owner_to_a_cloud_owner(market: Market) -> None:
    dataset, holder = market.drafts(subsets=2), market.cloud_owner()
    offer = {
        "subset": dataset.subset(0), "co": holder.id, "nonce": "ab" * 32, "object": "cd" * 32, "locator": "ef" * 560
    }  # fmt: skip
    with refused("unknown"):
        dataset.owner.does("CreateCI", **{**offer, "subset": "ab" * 32})
    with refused("unknown"):
        dataset.owner.does("CreateCI", **{**offer, "co": "ab" * 32})
    with refused("unknown"):
        dataset.owner.does("CreateCI", **{**offer, "co": market.model_owner().id})
    with refused("not-yours"):
        market.data_owner().does("CreateCI", **offer)
    dataset.owner.does("CreateCI", **offer)
    with refused("exists"):
        dataset.owner.does("CreateCI", **offer)


def test_an_offer_is_taken_once_and_by_whom_it_was_made_to(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    holding = dataset.is_joined_by(0)
    receipt = {"receipt": "ab" * 32, "nonce": "cd" * 32}
    with refused("state"):
        holding.holder.does("JoinCI", instance=holding.instance, **receipt)
    with refused("not-yours"):
        market.cloud_owner(funds=1_000).does("JoinCI", instance=holding.instance, **receipt)
    with refused("unknown"):
        holding.holder.does("JoinCI", instance="ab" * 32, **receipt)


def test_who_cannot_pay_the_stake_does_not_join(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    with refused("no-funds"):
        dataset.is_joined_by(0, market.cloud_owner(funds=999))


def test_a_verified_replica_takes_a_slot_in_the_order_of_verification(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    first, second = dataset.is_joined_by(0), dataset.is_joined_by(0)
    for holding in (second, first):
        dataset.owner.does("VerifyCI", instance=holding.instance, verdict="verified")

    assert [slot["co"] for slot in dataset.slots(0)] == [second.holder.id, first.holder.id]


def test_a_rejected_replica_gets_its_stake_back_at_once_and_no_blame(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    holding = dataset.is_joined_by(0)
    dataset.owner.does("VerifyCI", instance=holding.instance, verdict="rejected")

    assert holding.record["state"] == "rejected"
    assert holding.holder.collects() == 1_000
    assert dataset.slots(0) == []
    with refused("state"):
        dataset.owner.does("VerifyCI", instance=holding.instance, verdict="verified")
    with refused("state"):
        holding.holder.does("RetireCI", instance=holding.instance)


def test_only_the_owner_verifies_and_only_who_has_joined(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    offer = dataset.offers(0, market.cloud_owner())
    with refused("state"):
        dataset.owner.does("VerifyCI", instance=offer, verdict="verified")
    with refused("not-yours"):
        market.data_owner().does("VerifyCI", instance=offer, verdict="verified")
    with refused("unknown"):
        dataset.owner.does("VerifyCI", instance="ab" * 32, verdict="verified")
    with refused("malformed"):
        dataset.owner.does("VerifyCI", instance=offer, verdict="perhaps")


def test_a_full_subset_takes_no_further_replica_but_the_spare_may_be_rejected(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    for _ in range(3):
        dataset.is_held_by(0)
    spare = dataset.is_joined_by(0)
    with refused("full"):
        dataset.owner.does("VerifyCI", instance=spare.instance, verdict="verified")
    dataset.owner.does("VerifyCI", instance=spare.instance, verdict="rejected")


def test_nobody_holds_two_slots_of_one_subset(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    holder = market.cloud_owner(funds=3_000)
    dataset.is_held_by(0, holder)
    with refused("duplicate"):
        dataset.is_held_by(0, holder)
    dataset.is_held_by(1, holder)


def test_a_slot_that_was_freed_is_taken_by_a_replacement(market: Market) -> None:
    dataset = market.publishes(subsets=2)
    first, second, third = dataset.slots(0)
    dataset.owner.does("RetireCI", instance=first["instance"])
    assert dataset.slots(0) == [second, third]

    replacement = dataset.is_held_by(0)

    assert [slot["co"] for slot in dataset.slots(0)] == [second["co"], third["co"], replacement.holder.id]
    assert dataset.record["groups"] == [[0, 1]]


@pytest.mark.parametrize("who", ["holder", "owner"])
@pytest.mark.parametrize("state", ["free", "joined", "verified"])
def test_either_side_may_part_at_any_time(market: Market, who: str, state: str) -> None:
    dataset = market.drafts(subsets=2)
    holder = market.cloud_owner(funds=1_000)
    if state == "free":
        instance = dataset.offers(0, holder)
    else:
        instance = (dataset.is_joined_by if state == "joined" else dataset.is_held_by)(0, holder).instance
    leaver = holder if who == "holder" else dataset.owner

    leaver.does("RetireCI", instance=instance)

    assert market.record("instance", instance)["state"] == "retired"
    assert dataset.slots(0) == []
    # of a dataset that was never published nothing can have been lied about
    assert holder.collects() == 1_000
    with refused("state"):
        leaver.does("RetireCI", instance=instance)


def test_a_replica_that_could_have_worked_leaves_its_stake_behind_for_a_while(market: Market) -> None:
    dataset = market.publishes(subsets=2)
    dataset.owner.does("WithdrawDS", dataset=dataset.id)
    verified = dataset.slots(0)[0]
    market.people[verified["co"]].does("RetireCI", instance=verified["instance"])

    [payout] = market.people[verified["co"]].payouts(state="due")
    assert payout["from"] == market.now + dataset.shape["terms"]["hold"]


def test_who_only_joined_a_published_dataset_gets_its_stake_back_at_once(market: Market) -> None:
    dataset = market.publishes(subsets=2)
    dataset.owner.does("RetireCI", instance=dataset.slots(0)[0]["instance"])
    joined = dataset.is_joined_by(0)
    joined.holder.does("RetireCI", instance=joined.instance)

    assert joined.holder.collects() == 1_000


def test_a_stranger_retires_nobody(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    offer = dataset.offers(0, market.cloud_owner())
    for stranger in (market.data_owner(), market.cloud_owner(), market.model_owner()):
        with refused("not-yours"):
            stranger.does("RetireCI", instance=offer)
    with refused("unknown"):
        dataset.owner.does("RetireCI", instance="ab" * 32)


def test_replicas_of_a_withdrawn_dataset_are_still_verified_and_retired(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    joined, leaving = dataset.is_joined_by(0), dataset.is_joined_by(0)
    dataset.owner.does("WithdrawDS", dataset=dataset.id)
    dataset.owner.does("VerifyCI", instance=joined.instance, verdict="verified")
    leaving.holder.does("RetireCI", instance=leaving.instance)

    assert [slot["instance"] for slot in dataset.slots(0)] == [joined.instance]
