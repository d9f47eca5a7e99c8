"""Agreements: a model is registered, a training requested with its whole price, approved by every owner."""

from typing import Any

import pytest

from tests.market import Market, refused


def test_a_model_is_registered_once_with_a_method_of_its_own_type(market: Market) -> None:
    owner, nonce = market.model_owner(), market.fresh()
    with refused("malformed"):
        owner.registers_a_model(type="linear", method="statistics-1")
    with refused("malformed"):
        owner.registers_a_model(type="magic", method="magic-1")
    with refused("unknown"):
        owner.registers_a_model(store="elsewhere")
    model = owner.registers_a_model(nonce=nonce, type="open-model", method="open-model-2")
    with refused("exists"):
        owner.registers_a_model(nonce=nonce)
    with refused("malformed"):
        owner.registers_a_model(nonce=nonce, type="linear", method="statistics-1")

    assert market.record("model", model)["method"] == "open-model-2"


def test_a_request_locks_the_price_of_every_round_over_the_largest_groups(market: Market) -> None:
    # seven subsets in groups of three, two and two; four in two groups of two
    big = market.publishes(subsets=7, group_min=2, price_job=10, price_round=1)
    small = market.publishes(subsets=4, group_min=2, replicas=5, price_job=3, price_round=2)
    owner = market.model_owner(funds=1_000)
    training = market.requests(big, small, rounds=4, owner=owner)

    price_of_round = (3 * 3 * 10 + 1) + (2 * 5 * 3 + 2)
    assert training.record["balance"] == 4 * price_of_round
    assert owner.account == 1_000 - 4 * price_of_round
    assert training.record["due"] == market.now + 20_000
    assert training.record["parts"] == [{"dataset": dataset.id, "fee": 0} for dataset in training.datasets]
    poor = market.model_owner(funds=4 * price_of_round - 1)
    with refused("no-funds"):
        market.requests(big, small, rounds=4, owner=poor)


def test_a_training_is_requested_once_and_only_for_a_model_of_ones_own(market: Market) -> None:
    dataset = market.publishes(subsets=2)
    owner, thief, nonce = market.model_owner(funds=50_000), market.model_owner(funds=50_000), market.fresh()
    model = owner.registers_a_model()
    request = {
        "nonce": nonce, "model": model, "datasets": [dataset.id], "rounds": 1, "draw_commitment": "ab" * 32
    }  # fmt: skip
    with refused("not-yours"):
        thief.does("RequestTC", **request)
    with refused("unknown"):
        owner.does("RequestTC", **{**request, "model": "ab" * 32})
    with refused("unknown"):
        owner.does("RequestTC", **{**request, "datasets": sorted([dataset.id, "ab" * 32])})
    owner.does("RequestTC", **request)
    with refused("exists"):
        owner.does("RequestTC", **request)


@pytest.mark.parametrize(
    "datasets", [[], ["cd" * 32, "ab" * 32], ["ab" * 32, "ab" * 32], [f"{n:064x}" for n in range(9)]]
)
def test_the_datasets_of_a_training_are_one_to_eight_in_ascending_order(market: Market, datasets: list[str]) -> None:
    owner = market.model_owner()
    model = owner.registers_a_model()
    with refused("limit" if len(datasets) in (0, 9) else "malformed"):
        owner.does(
            "RequestTC", nonce=market.fresh(), model=model, datasets=datasets, rounds=1, draw_commitment="ab" * 32
        )


def test_only_published_datasets_are_asked_for(market: Market) -> None:
    with refused("state"):
        market.requests(market.drafts(subsets=2))


def test_a_dataset_is_trained_only_by_the_methods_of_its_terms(market: Market) -> None:
    wide = market.publishes(subsets=2, methods=["linear-1", "statistics-1"])
    narrow = market.publishes(subsets=2, methods=["linear-1"])
    owner = market.model_owner(funds=100_000)
    model = owner.registers_a_model(type="statistics", method="statistics-1")
    market.requests(wide, owner=owner, model=model)
    with refused("unknown"):
        market.requests(wide, narrow, owner=owner, model=model)


@pytest.mark.parametrize("rounds", [0, 4])
def test_no_training_is_longer_than_the_most_careful_owner_allows(market: Market, rounds: int) -> None:
    generous = market.publishes(subsets=2, rounds_per_training=9)
    careful = market.publishes(subsets=2, rounds_per_training=3)
    with refused("limit"):
        market.requests(generous, careful, rounds=rounds, owner=market.model_owner(funds=100_000))
    market.requests(generous, careful, rounds=3)


def test_a_slow_partner_cannot_make_a_round_outlast_the_hold_of_a_stake(market: Market) -> None:
    quick = market.publishes(subsets=2, hold=80_000)
    slow = market.publishes(subsets=2, commit_window=30_001, hold=90_000)
    with refused("limit"):
        market.requests(quick, slow)
    slow_enough = market.publishes(subsets=2, commit_window=30_000, hold=80_000)
    market.requests(quick, slow_enough)


def test_a_round_of_more_than_ninety_six_jobs_is_not_even_asked_for(market: Market) -> None:
    parts = [market.publishes(subsets=4, replicas=7, price_job=0, stake=0, referee=None) for _ in range(3)]
    extra = market.publishes(subsets=2, replicas=7, price_job=0, stake=0, referee=None)
    market.requests(*parts)
    with refused("limit"):
        market.requests(*parts, extra)


def test_an_owner_approves_its_own_part_once(market: Market) -> None:
    mine, theirs = market.publishes(subsets=2), market.publishes(subsets=2)
    elsewhere = market.drafts(subsets=2, owner=mine.owner)
    training = market.requests(mine, theirs)
    approval = {"couple": training.id, "dataset": mine.id, "share": "ab" * 32}
    with refused("unknown"):
        mine.owner.does("ApproveTC", **{**approval, "couple": "ab" * 32})
    with refused("unknown"):
        mine.owner.does("ApproveTC", **{**approval, "dataset": "ab" * 32})
    with refused("not-yours"):
        mine.owner.does("ApproveTC", **{**approval, "dataset": elsewhere.id})
    with refused("not-yours"):
        theirs.owner.does("ApproveTC", **approval)
    mine.owner.does("ApproveTC", **approval)
    assert training.record["state"] == "requested"
    with refused("state"):
        mine.owner.does("ApproveTC", **approval)

    theirs.owner.does("ApproveTC", **{**approval, "dataset": theirs.id})

    assert training.record["state"] == "approved"
    assert training.record["due"] == market.now + 30_000
    assert [part["share"] for part in training.record["parts"]] == ["ab" * 32] * 2


def test_an_approval_comes_within_the_answer_window(market: Market) -> None:
    training = market.requests(market.publishes(subsets=2))
    market.now = training.record["due"] + 1
    with refused("too-late"):
        training.is_approved()
    market.now -= 1
    training.is_approved()


def test_no_owner_grants_more_rounds_than_it_ever_meant_to(market: Market) -> None:
    dataset = market.publishes(subsets=2, rounds_total=9)
    market.requests(dataset, rounds=5).is_approved()
    with refused("rounds-spent"):
        market.requests(dataset, rounds=5).is_approved()
    market.requests(dataset, rounds=4).is_approved()

    assert market.record("budget", dataset.id)["granted"] == 9


def test_an_owner_sees_every_earlier_request_of_the_same_person() -> None:
    market = Market(permissioned=True)
    dataset = market.publishes(subsets=2)
    first, second = (market.model_owner(funds=50_000, handle="ab" * 32) for _ in range(2))
    earlier = market.requests(dataset, owner=first)
    market.requests(dataset)
    later = market.requests(dataset, owner=second)

    asked = {each["couple"]: each for each in inbox_of(market, dataset.owner.id)["approvals"]}

    assert [each["id"] for each in asked[later.id]["earlier"]] == [earlier.id]
    assert asked[later.id]["handle"] == "ab" * 32
    assert len(asked) == 3


def inbox_of(market: Market, member: str) -> dict[str, Any]:
    """What waits for a member."""
    found: dict[str, Any] = market.ledger.evaluate("inbox", {"member": member})
    return found
