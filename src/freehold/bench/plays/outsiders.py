"""How outsiders attack, and whoever runs the ledger: see `attacks` for what each of these is."""

from __future__ import annotations

from functools import partial

from freehold.bench import forgery
from freehold.bench.cheats import outsiders as cheats
from freehold.bench.facts import Detected
from freehold.bench.market import Market


def replays_actions(market: Market) -> Detected:
    """Somebody without any key sends what others have signed once more."""
    outsider = cheats.outsider_sends(market, lambda action: action)
    market.trains()
    return outsider.found()


def alters_actions(market: Market) -> Detected:
    """Somebody without any key sends what others have signed, with one bit turned."""
    outsider = cheats.outsider_sends(market, partial(forgery.one_bit_turned, chance=market.chance))
    market.trains()
    return outsider.found()


def rewrites_result(market: Market) -> Detected:
    """Whoever runs the ledger changes what it recorded."""
    market.trains()
    file, _ = forgery.copied_file(market)
    market.acts()
    forgery.rewrite(file)
    return market.now if forgery.audit_fails(market, file, None) else None


def signs_false_balance(market: Market) -> Detected:
    """Whoever runs the ledger gives somebody money, and signs that it was always so."""
    market.trains()
    file, _ = forgery.copied_file(market)
    market.acts()
    forgery.sign_false_balance(market, file)
    return market.now if forgery.audit_fails(market, file, None) else None


def shows_two_histories(market: Market) -> Detected:
    """Whoever runs the ledger shows one history to some members and another to the rest."""
    market.trains()
    file, checkpoint = forgery.copied_file(market)
    market.cheats("treasury")
    market.acts()
    forgery.truncate(file, blocks=10)
    forgery.go_on_otherwise(market, file, actions=20)
    return market.now if forgery.audit_fails(market, file, checkpoint) else None


def truncates_ledger(market: Market) -> Detected:
    """Whoever runs the ledger forgets how it ended."""
    market.trains()
    file, checkpoint = forgery.copied_file(market)
    market.acts()
    forgery.truncate(file, blocks=10)
    return market.now if forgery.audit_fails(market, file, checkpoint) else None
