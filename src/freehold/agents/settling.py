"""Collecting what is due: the same for everybody who is ever paid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from freehold.agents.loop import Wait
from freehold.agents.reading import AccountSeen
from freehold.protocol.identifiers import PayoutId
from freehold.protocol.limits import PAYOUTS_PER_COLLECT

_HALF_A_CALL: Final = PAYOUTS_PER_COLLECT // 2


@dataclass(frozen=True, slots=True)
class CollectPayouts:
    """Move payouts that are due to one's account."""

    payouts: tuple[PayoutId, ...]

    def __str__(self) -> str:
        return f"collects {len(self.payouts)} payouts"


def collecting(account: AccountSeen, now: int, *, patient: bool) -> Iterator[CollectPayouts | Wait]:
    """Collects what may be collected now; `patient` waits until it is worth an action, and for the end of the work."""
    ready = sorted(payout.id for payout in account.due if payout.record.since <= now)
    later = [payout.record.since for payout in account.due if payout.record.since > now]
    if ready and not (patient and len(ready) < _HALF_A_CALL):
        yield CollectPayouts(tuple(PayoutId(payout) for payout in ready[:PAYOUTS_PER_COLLECT]))
    if later:
        yield Wait(min(later))
