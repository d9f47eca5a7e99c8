"""How often one address or one member may ask: buckets of tokens that fill with time, in bounded memory.

An address pays for every request and every action that it sends, before anything is parsed. A member pays for its
actions, but only for those whose signature proved to be its own: the key stands open in front of an action, and if
anybody could spend with a copied key, anybody could silence a member. So the member's bucket is only looked at before
signatures are checked, which costs nothing, and paid from afterwards.

A bucket may go below zero, so that a large request is paid for later rather than never. Of the buckets that do not
fit, the one not used for longest is forgotten, which makes it full: the limit errs in favour of whoever asks.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Annotated

import msgspec

from freehold.errors import FreeholdError, Refused, Unavailable
from freehold.ports.ledger import Accepted

BUCKETS_LARGEST = 65_536
_KEY_BYTES = 32
_NOTHING = 1e-6
"""What rounding may leave missing of a token."""

Positive = Annotated[float, msgspec.Meta(gt=0, le=1e9)]


class Rate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many a second on the whole, and so many at once after a rest."""

    per_second: Positive
    burst: Annotated[float, msgspec.Meta(ge=1, le=1e9)]


ADDRESS_RATE = Rate(per_second=1_000.0, burst=10_000.0)
MEMBER_RATE = Rate(per_second=50.0, burst=2_000.0)


class TooOften(Unavailable):
    """Somebody asks more often than the node allows."""


class Buckets:
    """One bucket for each key that was seen lately; used by one thread."""

    def __init__(
        self, rate: Rate, *, largest: int = BUCKETS_LARGEST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._largest = largest
        self._clock = clock
        self._levels: OrderedDict[str | bytes, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._levels)

    def wait(self, key: str | bytes) -> float:
        """Seconds until the bucket holds a whole token again; 0 if it does."""
        missing = 1.0 - self._level(key)
        return 0.0 if missing < _NOTHING else missing / self._rate.per_second

    def pay(self, key: str | bytes, cost: float) -> None:
        """Takes `cost` out of the bucket, below zero if need be."""
        self._levels[key] = (self._level(key) - cost, self._clock())
        self._levels.move_to_end(key)
        if len(self._levels) > self._largest:
            self._levels.popitem(last=False)

    def _level(self, key: str | bytes) -> float:
        found = self._levels.get(key)
        if found is None:
            return self._rate.burst
        level, at = found
        return min(self._rate.burst, level + (self._clock() - at) * self._rate.per_second)


class Rates:
    """What a node allows: addresses and members, each with its own limit; None for no limit."""

    def __init__(
        self, address: Rate | None, member: Rate | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.addresses = None if address is None else Buckets(address, clock=clock)
        self.members = None if member is None else Buckets(member, clock=clock)
        self.refused = {"address": 0, "member": 0}

    def request(self, address: str) -> None:
        """One request of an address; TooOften if it is one too many."""
        self._ask(address, 1.0)

    def actions(self, address: str, actions: Sequence[bytes]) -> None:
        """Actions that an address brings, before their signatures are checked; TooOften if they are not to be."""
        if self.members is not None:
            for key in {action[:_KEY_BYTES] for action in actions}:
                if seconds := self.members.wait(key):
                    self.refused["member"] += 1
                    raise _too_often("this member sends actions", seconds)
        if self.addresses is not None and actions:
            self.addresses.pay(_shared(address), float(len(actions)))

    def outcomes(self, actions: Sequence[bytes], outcomes: Sequence[Accepted | FreeholdError]) -> None:
        """What became of them: whose signature fitted has spent from its own bucket."""
        if self.members is None:
            return
        for action, outcome in zip(actions, outcomes, strict=True):
            if not (isinstance(outcome, Refused) and outcome.code == "malformed"):
                self.members.pay(action[:_KEY_BYTES], 1.0)

    def _ask(self, address: str, cost: float) -> None:
        if self.addresses is None:
            return
        key = _shared(address)
        if seconds := self.addresses.wait(key):
            self.refused["address"] += 1
            raise _too_often("this address asks", seconds)
        self.addresses.pay(key, cost)


def _shared(address: str) -> str:
    """What counts as one address: whoever has one of IPv6 has 2^64 of them."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return found.packed[:8].hex()


def _too_often(who: str, seconds: float) -> TooOften:
    return TooOften(
        f"{who} more often than the node allows",
        code="busy",
        next=f"wait {seconds:.1f} seconds; if honest work needs more, ask the node's operator for a higher rate",
        now="nothing was sent to the ledger",
        retry_after=min(seconds, 3_599.0),
    )
