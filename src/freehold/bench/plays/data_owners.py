"""How data owners attack: see `attacks` for what each of these is."""

from __future__ import annotations

from functools import partial

from freehold.bench import facts, forgery
from freehold.bench.cheats import data_owners as cheats
from freehold.bench.facts import Detected, seen_now
from freehold.bench.market import Market
from freehold.errors import Invalid
from freehold.protocol.identifiers import DatasetId, InstanceId


def deals_unequal_packages(market: Market) -> Detected:
    """The data owner gives one worker other data than the rest, so that it is out-voted though it is honest."""
    cheats.hospital_runs(market, cheats.Unequal)
    market.drafts()
    market.lives(partial(facts.declined, market))
    return seen_now(market, market.trains)


def copies_mask_keys(market: Market) -> Detected:
    """A second data owner makes masks cancel where they should not."""
    copy = forgery.dataset_with_copied_keys(market)
    try:
        market.quotes(copy)
    except Invalid:
        return seen_now(market, market.trains)
    return None


def rejects_honest_holder(market: Market) -> Detected:
    """The data owner says of a right receipt that it is wrong."""
    agent = cheats.hospital_runs(market, cheats.Rejecting)
    market.drafts()
    market.lives(lambda: agent.rejected is not None)
    name = facts.holder_of(market, str(agent.rejected))
    is_right = cheats.receipt_is_right(market.people[name])
    market.trains()
    return market.told(name, "instance-rejected") if is_right else None


def never_verifies(market: Market) -> Detected:
    """The data owner leaves a worker waiting, its stake locked."""
    agent = cheats.hospital_runs(market, cheats.Neglecting)
    market.drafts()
    market.lives(lambda: agent.neglected is not None)
    instance = InstanceId(str(agent.neglected))
    market.lives(lambda: market.state("instance", instance) == "retired")
    return seen_now(market, market.trains)


def withdraws_in_training(market: Market) -> Detected:
    """The data owner takes its dataset away while a training that was paid for runs."""
    market.asks()
    market.lives(partial(facts.round_is, market, 2))
    market.cheats("hospital")
    market.acts()
    dataset = DatasetId(market.dataset.dataset.id)
    market.hospital.withdraw(dataset)
    market.lives(lambda: market.state("dataset", dataset) == "withdrawn")
    return seen_now(market, market.finishes)
