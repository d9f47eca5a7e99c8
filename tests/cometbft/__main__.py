"""How many actions a second one machine decides: `python -m tests.cometbft [ACTIONS]`, for one and four validators."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

from freehold.errors import Unavailable
from freehold.ports.ledger import Accepted
from tests.engines.cometbft import Network
from tests.engines.notebook import add

_LOT = 256


def measure(folder: Path, validators: int, actions: int) -> str:
    """Decides so many actions through one validator, and then some more one by one."""
    network = Network(folder, validators, pause=100)
    before = _seconds()
    with network.running() as ledgers:
        ledger = ledgers[0]
        ledger.submit(add("c", 1, 0))
        start, lots = time.monotonic(), []
        for first in range(1, actions + 1, _LOT):
            lot = [add("c", 1, number) for number in range(first, min(first + _LOT, actions + 1))]
            while True:
                try:
                    lots.append(ledger.enqueue(lot))
                    break
                except Unavailable:
                    time.sleep(0.002)
        accepted = sum(isinstance(answer, Accepted) for lot in lots for answer in lot.result())
        rate = accepted / (time.monotonic() - start)
        latencies = []
        for number in range(20):
            start = time.monotonic()
            ledger.submit(add("d", 1, number))
            latencies.append(time.monotonic() - start)
    each, median = (_seconds() - before) / accepted, sorted(latencies)[10]
    return (
        f"{validators} validators: {accepted} of {actions} decided, {rate:.0f} a second; one alone takes "
        f"{median * 1_000:.0f} ms (median); {each * 1_000:.2f} ms of CPU each, starts included"
    )


def _seconds() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in both)


if __name__ == "__main__":
    for count in (1, 4):
        with tempfile.TemporaryDirectory() as temporary:
            print(measure(Path(temporary), count, int(sys.argv[1]) if len(sys.argv) > 1 else 8_000))
