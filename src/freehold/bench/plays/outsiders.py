"""How outsiders attack, and whoever runs the ledger: see `attacks` for what each of these is."""

from __future__ import annotations

from freehold.bench import facts, forgery
from freehold.bench.facts import Detected
from freehold.bench.market import Market


def replays_actions(market: Market) -> Detected:
    """Somebody without any key sends what others have signed once more."""
    market.trains()
    market.cheats("outsider")
    return facts.all_refused(market, facts.recorded(market))


def alters_actions(market: Market) -> Detected:
    """Somebody without any key sends what others have signed, with one bit turned."""
    market.trains()
    market.cheats("outsider")
    return facts.all_refused(
        market, [forgery.one_bit_turned(action, market.chance) for action in facts.recorded(market)]
    )


def rewrites_result(market: Market) -> Detected:
    """Whoever runs the ledger changes what it recorded."""
    market.trains()
    file, _ = forgery.copied_file(market)
    market.acts()
    forgery.rewrite(file)
    return market.now if forgery.audit_fails(market, file, None) else None


def truncates_ledger(market: Market) -> Detected:
    """Whoever runs the ledger forgets how it ended."""
    market.trains()
    file, checkpoint = forgery.copied_file(market)
    market.acts()
    forgery.truncate(file, blocks=10)
    return market.now if forgery.audit_fails(market, file, checkpoint) else None
