"""What scenarios are made of: four operators behind proxies, under load, and figures of what became of them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, TypedDict

from tests.engines.links import Links
from tests.engines.toxiproxy import started

from consortia.members import Turns
from consortia.standing import Applications, Lost, Standing, standing
from consortia.validators import founded
from freehold.protocol.network import NetworkRecord

ALL: Final = (0, 1, 2, 3)
DELAYS: Final = (0, 20, 80, 200)
"""Milliseconds each way, give or take a tenth."""
NARROW: Final = 256
"""Kilobytes a second of each link."""
MARKETS: Final = 6
"""At each operator: about a hundred actions are on their way at a time."""
MANY_MARKETS: Final = 16
"""Where throughput is asked for: long ways need more people under way."""
WHILE: Final = 6.0
"""Seconds that a fault lasts, where nothing else says when it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of one scenario."""

    scenario: str
    recorded: int
    """Actions in the ledger at the end, all of them checked."""
    tps: float | None = None
    """While the fault lasted."""
    p50_ms: float | None = None
    p95_ms: float | None = None
    recovery_s: float | None = None
    """From the end of the fault until everybody who acts was answered again."""
    level_s: float | None = None
    """From then until all operators had come equally far, once nobody acted."""
    note: str = ""

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(slots=True)
class Ground:
    """What scenarios are made of."""

    record: NetworkRecord
    markets: Sequence[Turns]
    proxies: str
    """The program."""
    pause: int
    seconds: float = WHILE
    links: Links = field(init=False)

    @contextmanager
    def network(self, others: Mapping[int, Applications] | None = None, observers: int = 0) -> Iterator[Standing]:
        """Four operators with every link through a proxy; some with another application."""
        with ExitStack() as stack:
            self.links = Links(stack.enter_context(started(self.proxies)))
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="freehold-faults-")))
            seats = founded(
                folder, self.record, len(ALL), observers=observers, way=self.links.between, pause=self.pause
            )
            yield stack.enter_context(standing(seats, self.markets, len(ALL), others=dict(others or {})))


class Measured(TypedDict, total=False):
    """Some figures of a scenario."""

    tps: float
    p50_ms: float
    p95_ms: float
    recovery_s: float


def under_load(network: Standing, seconds: float) -> Measured:
    """Throughput and latency of the next seconds."""
    before, began = network.acknowledged(), time.monotonic()
    time.sleep(seconds)
    waited = network.waited(began)
    if not waited:
        raise Lost("nothing was decided")
    return {
        "tps": (network.acknowledged() - before) / (time.monotonic() - began),
        "p50_ms": 1e3 * waited[len(waited) // 2],
        "p95_ms": 1e3 * waited[len(waited) * 95 // 100],
    }


def settled(network: Standing, name: str, found: Measured, note: str = "") -> Told:
    """The end of a scenario: people rest, and all is checked."""
    network.rest()
    level = network.await_level(ALL)
    return Told(scenario=name, recorded=network.require_sound(ALL), level_s=level, note=note, **found)


def require_halt(network: Standing, seconds: float) -> None:
    """What was decided when the fault came may still arrive; after that nothing may."""
    time.sleep(2)
    before = network.acknowledged()
    time.sleep(seconds)
    if network.acknowledged() != before:
        raise Lost("something was decided without two thirds of the validators")
