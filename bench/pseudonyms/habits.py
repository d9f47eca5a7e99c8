"""What people and their machines are like. Nothing here is measured from real people: these are the assumptions.

Everything that could make two members of one owner alike is there and differs between owners: the way to the node, the
speed of the machine, its clock, its line, when it is switched off, what work it takes, when its owner takes money out.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final, Literal

from freehold.agents.cloud_owner import Rules

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
CREDIT: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of a market there is."""

    owners: int = 200
    datasets: int = 56
    trainings: int = 2
    """Of each dataset."""
    rounds: int = 4
    days: int = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """How cloud owners behave; without any word it is the product as it comes."""

    spread: int = 0
    """`freehold cloud open --spread`: over how long (ms) members strew joining and collecting."""
    own_clock: bool = False
    """Whether an action claims the machine's clock to the millisecond: the agents before claimed times were rounded."""
    withdraws: Literal["together", "one"] = "together"
    """Whether an owner takes money from as many members as needed, as `money withdraw` does, or from one at a time."""
    collects_together: bool = False
    """A leak on purpose: an owner collects for all its members at one moment, every other day."""
    one_key: bool = False
    """A leak on purpose: all members of an owner have the same sealing key."""
    rotates: float = 0.0
    """The share of owners that rotate the keys of all their members at once, one day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One owner's machine, its line and its clock; times in milliseconds."""

    one_way: float
    """To the node."""
    jitter: float
    speed: float
    """Times the processor time of a usual machine."""
    bytes_a_millisecond: float
    clock: float
    """How far its clock is ahead."""

    @classmethod
    def of(cls, chance: random.Random) -> Machine:
        """Most clocks follow a time server within some milliseconds; one in ten does not."""
        synchronized = chance.random() < 0.9
        return cls(
            one_way=chance.lognormvariate(3.0, 0.7),
            jitter=chance.uniform(0.5, 6.0),
            speed=chance.lognormvariate(0.0, 0.4),
            bytes_a_millisecond=chance.lognormvariate(8.0, 0.8),
            clock=chance.gauss(0, 15) if synchronized else chance.gauss(0, 4_000),
        )


def sessions(chance: random.Random, days: int) -> list[tuple[int, int]]:
    """When an owner opens slots (milliseconds from the beginning), and how many: two to five in one or two sittings."""
    slots = chance.randint(2, 5)
    first = chance.randint(1, slots)
    times = sorted(chance.randrange(days * DAY // 2) for _ in range(2))
    return [(times[0], slots)] if slots == first else [(times[0], first), (times[1], slots - first)]


def rules(chance: random.Random, spread: int) -> Rules:
    """What an owner takes."""
    price = chance.choice((0, CREDIT // 10, CREDIT // 5))
    return Rules(min_price_job=price, max_stake=chance.choice((0, 5 * CREDIT, 5 * CREDIT)), spread=spread)


def outages(chance: random.Random, days: int) -> list[tuple[int, int]]:
    """When the machine is switched off: every ten days or so, for about an hour."""
    found, at = [], 0.0
    while at < days * DAY:
        at += chance.expovariate(1 / (10 * DAY))
        length = chance.lognormvariate(8.3, 1.0) * SECOND
        found.append((int(at), int(at + length)))
        at += length
    return found


def withdrawals(chance: random.Random, days: int) -> list[int]:
    """When an owner takes money out: every two weeks or so."""
    found, at = [], 10.0 * DAY
    while (at := at + chance.expovariate(1 / (14 * DAY))) < days * DAY:
        found.append(int(at))
    return found
