"""How long a new node takes to the tip, with a snapshot and from the beginning.

`python -m tests.cometbft.joined [ACTIONS [ACTIONS_OF_A_BLOCK]]`; blocks of all sizes cost a node that replays about the
same, so many small ones are what makes a history long.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from freehold.ledger.cometbft.client import CometLedger
from freehold.ledger.cometbft.configuration import Joining
from tests.cometbft.giving import EVERY
from tests.cometbft.test_joining import Joinable
from tests.cometbft.test_network import root, until
from tests.engines.notebook import add


def measure(folder: Path, actions: int, lot: int) -> str:
    """Lets four validators decide so many actions, and then two new nodes join, one after the other."""
    joinable = Joinable(folder, ["honest"] * 4)
    with joinable.running() as ledgers:
        for first in range(0, actions, lot):
            some = [add(f"c{number % 1_000}", 1, number) for number in range(first, min(first + lot, actions))]
            ledgers[0].submit_all(some)
        height, digest = ledgers[0].trusted_header()
        until(lambda: ledgers[0].trusted_header()[0] > height + EVERY + 2, 120)
        servers = [f"http://{each}" for each in joinable.light[:2]]
        known = Joining(servers=servers, height=height, hash=digest)
        taken, replayed = (_joined(joinable, name, ledgers[0], how) for name, how in [("a", known), ("b", None)])
    return (
        f"{actions} actions in {height} blocks of CometBFT: at the tip after {taken:.1f} s with a snapshot, "
        f"after {replayed:.1f} s from the beginning"
    )


def _joined(joinable: Joinable, name: str, other: CometLedger, joining: Joining | None) -> float:
    joinable.folder = joinable.folder.with_name(name)
    start = time.monotonic()
    node = joinable.join(joining)
    try:
        until(lambda: node.info().size >= other.info().size, 3_600)
        seconds = time.monotonic() - start
        assert root(node) == root(other)
        return seconds
    finally:
        node.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        count, size = (*map(int, sys.argv[1:]), *(20_000, 64)[len(sys.argv) - 1 :])
        print(measure(Path(temporary), count, size))
