"""Datasets: drafted, divided, published, withdrawn."""

from typing import Any

import pytest

from freehold.protocol.packages import LOW_ORDER_MASK_KEYS
from tests.market import TERMS, Market, refused

DAY = 24 * 3_600_000


def draft(market: Market, **changes: Any) -> Any:
    """A data owner drafts a dataset of four subsets, with something changed."""
    terms = {**TERMS, "group_min": 4, "referee": market.referee.id, **changes.pop("terms", {})}
    terms = {name: value for name, value in terms.items() if value is not None}
    arguments = {"nonce": market.fresh(), "m": 4, "n": 3, "card_digest": market.fresh(), **changes}
    return market.data_owner().does("CreateDS", terms=terms, **arguments)


def test_a_draft_shows_its_terms_to_whoever_may_join(market: Market) -> None:
    dataset = market.record("dataset", draft(market).id)

    assert (dataset["m"], dataset["n"], dataset["state"]) == (4, 3, "draft")
    assert dataset["terms"] == {**TERMS, "group_min": 4, "referee": market.referee.id}
    assert "groups" not in dataset
    assert market.record("budget", dataset["id"])["granted"] == 0


@pytest.mark.parametrize("n", [0, 1, 2, 4, 8, 11])
def test_the_number_of_replicas_is_odd_so_that_no_vote_ends_in_a_tie(market: Market, n: int) -> None:
    with refused("limit"):
        draft(market, n=n)


@pytest.mark.parametrize("m", [0, 1, 65])
def test_a_dataset_has_two_to_sixty_four_subsets(market: Market, m: int) -> None:
    with refused("limit"):
        draft(market, m=m)


@pytest.mark.parametrize(
    "terms",
    [
        {"group_min": 1},
        {"group_min": 5},
        {"price_job": 10**9 + 1},
        {"price_round": 10**9 + 1},
        {"stake": 10**12 + 1},
        {"rounds_per_training": 0},
        {"rounds_per_training": 1_001},
        {"rounds_total": 0},
        {"rounds_total": 100_001},
        {"answer_window": 999},
        {"close_window": 999},
        {"commit_window": 999},
        {"idle_window": 999},
        {"idle_window": 30 * DAY + 1},
        {"hold": 39_999},
        {"hold": 90 * DAY + 1},
        {"commit_window": 30 * DAY, "close_window": 30 * DAY, "hold": 90 * DAY},
        {"methods": []},
        {"referee": None},
    ],
    ids=str,
)
def test_terms_beyond_a_limit_are_refused(market: Market, terms: dict[str, Any]) -> None:
    with refused("limit"):
        draft(market, terms=terms)


@pytest.mark.parametrize(
    "terms",
    [
        {"group_min": 2},
        {"price_job": 10**9, "price_round": 10**9, "stake": 10**12},
        {"price_job": 0, "price_round": 0, "stake": 0},
        {"rounds_per_training": 1_000, "rounds_total": 100_000},
        {"answer_window": 1_000, "close_window": 1_000, "commit_window": 1_000, "idle_window": 1_000, "hold": 4_000},
        {"answer_window": 30 * DAY, "idle_window": 30 * DAY, "hold": 90 * DAY},
        {"commit_window": 30 * DAY, "close_window": 15 * DAY, "hold": 90 * DAY},
        {"referee": None, "stake": 0},
    ],
    ids=str,
)
def test_terms_at_a_limit_are_accepted(market: Market, terms: dict[str, Any]) -> None:
    draft(market, terms=terms)


@pytest.mark.parametrize("terms", [{"store": "elsewhere"}, {"referee": "ab" * 32}], ids=str)
def test_terms_name_only_what_the_network_knows(market: Market, terms: dict[str, Any]) -> None:
    with refused("unknown"):
        draft(market, terms=terms)


@pytest.mark.parametrize(
    "terms",
    [{"methods": ["magic-1"]}, {"methods": ["linear-0"]}, {"methods": ["linear-1", "linear-1"]}, {"store": "A B"}],
    ids=str,
)
def test_nothing_but_names_of_closed_lists_is_written_into_terms(market: Market, terms: dict[str, Any]) -> None:
    with refused("malformed"):
        draft(market, terms=terms)


def test_a_dataset_is_drafted_once_under_a_nonce_and_only_by_a_data_owner(market: Market) -> None:
    owner, nonce = market.data_owner(), market.fresh()
    arguments = {"m": 4, "n": 3, "terms": {**TERMS, "group_min": 4, "stake": 0}, "card_digest": "ab" * 32}
    owner.does("CreateDS", nonce=nonce, **arguments)
    with refused("exists"):
        owner.does("CreateDS", nonce=nonce, **arguments)
    with refused("not-yours"):
        market.cloud_owner().does("CreateDS", nonce=nonce, **arguments)


def test_a_subset_is_named_once_by_its_owner_while_the_dataset_is_a_draft(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    subset = {"dataset": dataset.id, "digest": "ab" * 32, "mask_key": "cd" * 32}
    with refused("exists"):
        dataset.owner.does("CreateDSS", index=1, **subset)
    with refused("limit"):
        dataset.owner.does("CreateDSS", index=2, **subset)
    with refused("not-yours"):
        market.data_owner().does("CreateDSS", index=1, **subset)
    with refused("unknown"):
        dataset.owner.does("CreateDSS", index=1, **{**subset, "dataset": "ab" * 32})
    dataset.is_held().is_published()
    with refused("state"):
        dataset.owner.does("CreateDSS", index=2, **subset)


def test_a_dataset_is_published_only_when_every_slot_is_held(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    with refused("not-full"):
        dataset.is_published()
    for index in (0, 0, 0, 1, 1):
        dataset.is_held_by(index)
    with refused("not-full"):
        dataset.is_published()
    dataset.is_held_by(1)
    dataset.is_published()

    assert dataset.record["state"] == "published"
    assert dataset.record["groups"] == [[0, 1]]


def test_a_dataset_lacking_a_subset_is_not_full(market: Market) -> None:
    dataset = market.record("dataset", draft(market).id)
    with refused("not-full"):
        market.people[dataset["owner"]].does("PublishDS", dataset=dataset["id"])


def test_only_its_owner_publishes_a_dataset_and_only_once(market: Market) -> None:
    dataset = market.drafts(subsets=2).is_held()
    with refused("not-yours"):
        market.data_owner().does("PublishDS", dataset=dataset.id)
    with refused("unknown"):
        dataset.owner.does("PublishDS", dataset="ab" * 32)
    dataset.is_published()
    with refused("state"):
        dataset.is_published()


@pytest.mark.parametrize("field", ["digest", "mask_key"])
def test_equal_packages_or_mask_keys_are_not_published(market: Market, field: str) -> None:
    subsets = [{"digest": market.fresh(), "mask_key": market.mask_key()} for _ in range(2)]
    subsets[1][field] = subsets[0][field]
    dataset = market.drafts(subsets=subsets).is_held()
    with refused("duplicate"):
        dataset.is_published()


WEAK_KEYS = [*sorted(LOW_ORDER_MASK_KEYS), "ed" + "ff" * 30 + "7f", "02" + "00" * 30 + "80", "ff" * 32]


@pytest.mark.parametrize("key", WEAK_KEYS)
def test_a_mask_key_that_everybody_can_guess_is_not_published(market: Market, key: str) -> None:
    good = {"digest": market.fresh(), "mask_key": market.mask_key()}
    dataset = market.drafts(subsets=[good, {"digest": market.fresh(), "mask_key": key}]).is_held()
    with refused("bad-key"):
        dataset.is_published()


def test_a_withdrawn_dataset_takes_nothing_new(market: Market) -> None:
    dataset = market.publishes(subsets=2)
    late = market.cloud_owner(funds=1_000)
    offer = dataset.offers(0, late)
    asked = market.requests(dataset)
    with refused("not-yours"):
        market.data_owner().does("WithdrawDS", dataset=dataset.id)
    with refused("unknown"):
        dataset.owner.does("WithdrawDS", dataset="ab" * 32)
    dataset.owner.does("WithdrawDS", dataset=dataset.id)

    with refused("state"):
        dataset.owner.does("WithdrawDS", dataset=dataset.id)
    with refused("withdrawn"):
        late.does("JoinCI", instance=offer, receipt="ab" * 32, nonce="cd" * 32)
    with refused("withdrawn"):
        asked.is_approved()
    with refused("withdrawn"):
        market.requests(dataset)
    with refused("state"):
        dataset.offers(0, market.cloud_owner())
    assert dataset.record["groups"] == [[0, 1]]


def test_a_draft_can_be_withdrawn_and_is_then_never_published(market: Market) -> None:
    dataset = market.drafts(subsets=2).is_held()
    dataset.owner.does("WithdrawDS", dataset=dataset.id)
    with refused("state"):
        dataset.is_published()
