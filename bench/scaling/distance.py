"""One action at a time between operators who are far from each other: every link delayed by a proxy (Toxiproxy)."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Distant:
    """A network that does nothing else."""

    operators: int
    one_way_ms: float
    alone_ms: float
    """The median of actions sent one after the other."""


def measure(one_ways_ms: Sequence[int], operators: int = 4) -> list[Distant]:
    """The same network at several distances, nearest first; nothing where Toxiproxy is not installed."""
    # Whoever only computes needs none of these.
    from tests.engines import toxiproxy
    from tests.engines.links import Links

    from caliper.generate import sign
    from consortia.standing import standing
    from consortia.validators import founded

    program = toxiproxy.find_program()
    if program is None:
        return []
    signed = sign(1)
    actions = signed.markets[0]
    share = len(actions) // len(one_ways_ms)
    found = []
    with tempfile.TemporaryDirectory(prefix="freehold-distance-") as folder, toxiproxy.started(program) as server:
        links = Links(server)
        seats = founded(Path(folder), signed.network, operators, way=links.between)
        with standing(seats, [], operators) as network:
            for number, one_way in enumerate(one_ways_ms):
                links.heal()
                links.delay(one_way)
                spent = []
                for action in actions[number * share : (number + 1) * share]:
                    began = time.monotonic()
                    network.ledgers[0].submit(action)
                    spent.append(1e3 * (time.monotonic() - began))
                found.append(Distant(operators=operators, one_way_ms=one_way, alone_ms=statistics.median(spent)))
    return found
