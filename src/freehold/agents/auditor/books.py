"""Double entry, kept by the auditor alone: every micro-credit that an action takes from one place it puts into another.

The contract promises that money is conserved; the auditor does not take its word. It knows of each kind of record only
which of its fields are money, and adds up what an action changed. The sum over a whole market is

    accounts + balances + locked fees + ballots' rest + stakes + payouts due or burned = deposits - withdrawals

so each action must change the two sides alike.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from freehold.protocol import assets

_MONEY: Final[Mapping[str, Callable[[Any], int]]] = {
    "account": lambda account: account.free,
    "couple": lambda couple: couple.balance + sum(part.fee for part in couple.parts),
    "ballot": lambda ballot: ballot.left,
    "instance": lambda instance: instance.stake,
    "payout": lambda payout: 0 if payout.state == "collected" else payout.amount,
    "deposits": lambda deposits: -deposits.amount,
    "withdrawal": lambda withdrawal: withdrawal.amount,
}
"""What a record adds to the left side minus the right side of the sum above."""


def weight(key: str, data: bytes | None) -> int:
    """What the record under `key` adds to the sum that must stay zero; 0 for a record that does not exist."""
    kind = key.partition("/")[0]
    count = _MONEY.get(kind)
    return 0 if count is None or data is None else count(assets.decode(kind, data))


def imbalance(before: Mapping[str, bytes | None], after: Mapping[str, bytes]) -> int:
    """What the writes of one action add to the sum that must stay zero: 0 if money is conserved."""
    return sum(weight(key, data) - weight(key, before.get(key)) for key, data in after.items())
