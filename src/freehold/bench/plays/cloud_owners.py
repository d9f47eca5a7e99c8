"""How cloud owners attack: see `attacks` for what each of these is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from freehold.bench import facts, forgery
from freehold.bench.cheats import cloud_owners as cheats
from freehold.bench.cheats.cloud_owners import one_holder_cheats
from freehold.bench.cheats.data_owners import Favouring, hospital_runs
from freehold.bench.facts import Detected
from freehold.bench.market import Market
from freehold.bench.people import Person
from freehold.errors import Invalid, Unavailable


def copies(market: Market) -> Detected:
    """One worker copies instead of computing."""
    return _out_voted(market, partial(cheats.Liar, "copying"))


def returns_base(market: Market) -> Detected:
    """One worker does nothing, and hands in what it was given."""
    return _out_voted(market, partial(cheats.Liar, "lazy"))


def adds_noise(market: Market) -> Detected:
    """One worker computes the result and changes one bit of it."""
    return _out_voted(market, partial(cheats.Liar, "noisy"))


def repeats_last_answer(market: Market) -> Detected:
    """One worker works once, and sells the same answer again."""
    return _out_voted(market, cheats.Stale)


def uses_wrong_subset(market: Market) -> Detected:
    """One worker trains on rows that are not those of its subset."""
    accomplice = market.people[market.holders(0)[0]]
    other = cheats.rows_of(accomplice)
    person = market.people[market.holders(1 + market.chance.below(3))[market.chance.below(3)]]
    person.becomes(cheats.other_rows(person, lambda _: other))
    market.cheats(accomplice.name)
    market.trains()
    return market.told(person.name, "job-rejected")


def stays_silent(market: Market) -> Detected:
    """One worker takes a subset, and never works."""
    name = one_holder_cheats(market, partial(cheats.Liar, "silent"))
    market.trains()
    return market.told(name, "job-missing")


def withholds_result(market: Market) -> Detected:
    """One worker is paid for a result that it never hands over."""
    name = one_holder_cheats(market, partial(cheats.Liar, "withholding"), first=True)
    market.trains()
    return facts.misread(market, name, Unavailable)


def truncates_object(market: Market) -> Detected:
    """One worker hands over half of its result."""
    name = one_holder_cheats(
        market, partial(cheats.spoiling, spoils=lambda _, data: data[: len(data) // 2]), first=True
    )
    market.trains()
    return facts.misread(market, name, Invalid)


def swaps_object(market: Market) -> Detected:
    """One worker hands over something else of the same form."""
    name = one_holder_cheats(
        market, partial(cheats.spoiling, spoils=lambda _, data: data[:-64] + bytes(64)), first=True
    )
    market.trains()
    return facts.misread(market, name, Invalid)


def holds_two_slots(market: Market) -> Detected:
    """One worker gets two places of one subset, to be a majority on its own."""
    agent = hospital_runs(market, Favouring)
    market.drafts()
    market.lives(lambda: facts.is_drafted(market) and any(seen.subset.record.slots for seen in market.dataset.subsets))
    seen = forgery.second_slot(market)
    agent.has_tried = True
    market.trains()
    return seen


def flees_after_lie(market: Market) -> Detected:
    """One worker lies, and leaves before anybody can look."""
    name = one_holder_cheats(market, cheats.Fleeing)
    market.asks()
    market.lives(lambda: market.told(name, "job-rejected") is not None)
    ballot = facts.first_ballot_of(market, name)
    key = market.people["referee"].keys.sealing_key
    market.referee.hears(market.hospital.case(ballot, key))
    market.finishes()
    return market.told(name, "finding") if facts.is_burned(market, name) else None


def two_outvote_one(market: Market) -> Detected:
    """Two of three workers agree on the same lie, and nobody calls the referee."""
    first, second, _ = cheats.majority(market)
    market.trains()
    checked = market.now if market.progress().reason else None
    return facts.first_told(market, (first, second), "finding") or checked


def two_outvote_one_with_referee(market: Market) -> Detected:
    """Two of three workers agree on the same lie, and the third calls the referee."""
    first, second, third = cheats.majority(market)
    market.asks()
    market.lives(lambda: market.told(third, "job-rejected") is not None)
    key = market.people["referee"].keys.sealing_key
    market.referee.hears(market.cloud(third).case(facts.first_ballot_of(market, third), key))
    market.finishes()
    return facts.first_told(market, (first, second), "finding")


def _out_voted(market: Market, makes: Callable[[Person], cheats.Liar]) -> Detected:
    """One holder runs another program for a whole training: when it was first out-voted."""
    name = one_holder_cheats(market, makes)
    market.trains()
    return market.told(name, "job-rejected")
