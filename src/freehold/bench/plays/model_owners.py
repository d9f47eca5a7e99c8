"""How model owners attack: see `attacks` for what each of these is."""

from __future__ import annotations

from functools import partial

from freehold.bench import facts, forgery
from freehold.bench.cheats import model_owners as cheats
from freehold.bench.facts import Detected, seen_now
from freehold.bench.market import Market
from freehold.errors import Invalid
from freehold.protocol.actions import EndTC, StartRound
from freehold.protocol.identifiers import CoupleId, Digest, Secret


def starves_replicas(market: Market) -> Detected:
    """The model owner shows its base to one worker of a subset only, to have a result that it need not pay."""
    victims = market.holders(market.chance.below(4))[1:]
    cheats.hides_base(market, victims)
    market.trains()
    void = market.told("buyer", "ballot-void")
    return void if all(market.people[name].shelf.misread for name in victims) else None


def sends_another_base(market: Market) -> Detected:
    """The model owner gives one worker another base, so that it is out-voted, or masks meet twice."""
    victim = market.holders(market.chance.below(4))[market.chance.below(3)]
    cheats.swaps_base(market, victim)
    market.trains()
    return facts.bad_base(market, victim)


def vanishes(market: Market) -> Detected:
    """The model owner is never heard of again while rounds that it asked for are open."""
    market.asks()
    market.lives(partial(facts.round_is, market, 2))
    market.cheats("buyer")
    market.acts()
    market.leaves("buyer")
    market.finishes()
    return market.told("hospital", "training-ended")


def ends_in_mid_round(market: Market) -> Detected:
    """The model owner ends the training while workers compute, to have its money back."""
    market.asks()
    market.lives(partial(facts.round_is, market, 1))
    market.cheats("buyer")
    couple = CoupleId(market.training.couple.id)
    seen = facts.refused(market, lambda: market.people["buyer"].sends(EndTC(couple=couple)), "round-open")
    market.finishes()
    return seen


def opens_another_draw(market: Market) -> Detected:
    """The model owner chooses anew which subsets are trained when, after it has seen the other side's share."""
    couple = market.asks()
    market.cheats("buyer")
    other = StartRound(couple=couple, round=1, base=Digest("ab" * 32), secret=Secret(market.chance(32).hex()))
    seen = facts.refused(market, lambda: market.people["buyer"].sends(other), "bad-opening")
    market.finishes()
    return seen


def sends_malformed_ciphertext(market: Market) -> Detected:
    """The model owner sends bytes that are no ciphertext, to crash workers or to learn from what they do."""
    cheats.buyer_runs(market, cheats.Malforming)
    market.asks()
    market.lives(partial(facts.gave_up, market))
    return seen_now(market, market.finishes)


def asks_for_exhausting_method(market: Market) -> Detected:
    """A second model owner asks for a training that is meant to exhaust the workers."""
    couple = forgery.asks_for_too_much(market)
    try:
        market.hospital.approve(couple)
    except Invalid:
        market.hospital.refuse(couple)
        return seen_now(market, market.trains)
    return None
