"""Whose money is where."""

from typing import Any

from freehold.contract import records
from freehold.contract.books import books_of
from freehold.contract.queries.shown import existing, shown
from freehold.ports.state_view import StateView
from freehold.protocol.assets import Account, Payout


def account(view: StateView, *, member: object) -> dict[str, Any]:
    """A member's free micro-credits, and every payout that is due to it."""
    free = existing(view, Account, member, "member").free
    payouts = records.every_where(view, Payout, "payee", {str(member)})
    return {"free": free, "due": [shown(id, payout) for id, payout in payouts if payout.state == "due"]}


def totals(view: StateView) -> dict[str, Any]:
    """The sums of all places where money can be, and whether they add up."""
    books = books_of(view)
    return {**books.as_dict(), "conserved": books.conserved}
