"""The draw: the same for everybody, and nobody's choice."""

from collections import Counter
from typing import Any

import pytest

from freehold.contract.draw import below, deal_groups, group_of_turn, numbers, shuffle
from tests.market import Market
from tests.protocol.vectors import load, named

VECTORS = load("draw")


@pytest.mark.parametrize("case", VECTORS["shuffles"])
def test_a_seed_gives_one_order(case: dict[str, Any]) -> None:
    assert shuffle(bytes.fromhex(case["seed"]), case["n"]) == case["order"]


@pytest.mark.parametrize("case", named(VECTORS["groups"]))
def test_the_digests_of_a_dataset_give_its_groups(case: dict[str, Any]) -> None:
    assert deal_groups(case["dataset"], case["digests"], case["group_min"]) == case["groups"]


@pytest.mark.parametrize("case", VECTORS["orders"])
def test_a_training_visits_the_groups_in_the_drawn_order(case: dict[str, Any]) -> None:
    order = [group_of_turn(case["seed"], case["part"], turn, case["groups"]) for turn in range(len(case["turns"]))]
    assert order == case["turns"]


def test_numbers_of_the_last_incomplete_stretch_are_thrown_away() -> None:
    fair_end = 2**64 - 2**64 % 10
    assert below(10, iter([2**64 - 1, fair_end, fair_end - 1, 3])) == 9


def test_a_shuffle_prefers_no_order() -> None:
    orders = Counter(tuple(shuffle(seed.to_bytes(32, "big"), 3)) for seed in range(1200))
    assert len(orders) == 6
    assert all(150 < count < 250 for count in orders.values())


def test_the_stream_of_a_seed_never_repeats_a_block() -> None:
    source = numbers(bytes(32))
    assert len({next(source) for _ in range(64)}) == 64


@pytest.mark.parametrize(("subsets", "group_min"), [(2, 2), (7, 2), (7, 3), (16, 5), (64, 2), (64, 63)])
def test_every_subset_is_in_one_group_and_no_group_is_too_small(subsets: int, group_min: int) -> None:
    digests = [f"{index:064x}" for index in range(subsets)]
    groups = deal_groups("ab" * 32, digests, group_min)
    assert sorted(index for group in groups for index in group) == list(range(subsets))
    assert min(map(len, groups)) >= group_min
    assert max(map(len, groups)) - min(map(len, groups)) <= 1


def test_the_ledger_deals_the_groups_at_publication_and_never_again(market: Market) -> None:
    dataset = market.publishes(subsets=6, group_min=2)
    digests = [market.record("subset", dataset.subset(index))["digest"] for index in range(6)]
    dealt = deal_groups(dataset.id, digests, 2)

    assert dataset.record["groups"] == dealt
    for _ in range(2):
        market.requests(dataset).is_approved().starts_round()
    assert dataset.record["groups"] == dealt


def test_over_complete_rounds_every_group_is_used_equally_often(market: Market) -> None:
    training = market.trains(subsets=6, rounds=7, group_min=2)
    used: Counter[tuple[str, ...]] = Counter()
    for _ in range(7):
        ballots = training.starts_round().is_agreed().ballots
        used[tuple(sorted(ballot.record["subset"] for ballot in ballots))] += 1

    assert len(used) == 3
    assert sorted(used.values()) == [2, 2, 3]
