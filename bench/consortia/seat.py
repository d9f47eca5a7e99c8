"""An operator's process: the engine of its node, and clients who wait for outcomes.

    python bench/consortia/seat.py FILE

The file (JSON) names the engine's folder, the other nodes, and the turns of some markets. The process says what it
runs in as soon as the engine answers, waits for a line, lets its people act until every action is decided, and prints
what it saw; then it waits for another line before it ends.

Every action is a request of its own unless the file asks for lots.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from consortia.crowd import Crowd, Queue
from consortia.members import Turns
from consortia.validators import Seat
from freehold.ledger.frames import unframe
from freehold.node.runtime import open_ledger
from ledgers.processes import children

_LARGEST = 2**30


def markets_in(path: Path) -> list[list[bytes]]:
    """The actions of some markets, as the bench wrote them."""
    return [
        unframe(each, largest=_LARGEST, most=_LARGEST)
        for each in unframe(path.read_bytes(), largest=_LARGEST, most=_LARGEST)
    ]


def _opened(asked: dict[str, Any], stack: ExitStack) -> tuple[Queue, dict[str, int], Callable[[], int]]:
    """The engine, its processes beside this one, and how many actions it holds."""
    folder = Path(asked["folder"])
    if asked["engine"] == "embedded":
        front = stack.enter_context(open_ledger(folder))
        (executor,) = children(os.getpid())
        return front, {"application": executor}, lambda: front.info().size
    seat = Seat(
        folder=folder,
        listen=asked["listen"],
        peers=tuple(map(tuple, asked["peers"])),
        pause=asked["pause"],
        idle=asked["idle"],
    )
    ledger = seat.start()
    stack.callback(ledger.close)
    application, node = ledger.pair.processes
    return ledger, {"application": application, "node": node}, lambda: ledger.info().size


def main() -> None:
    """Serves one seat."""
    asked = json.loads(Path(sys.argv[1]).read_bytes())
    actions = markets_in(Path(asked["actions"]))
    markets = [
        Turns(actions=tuple(some), after=tuple(map(tuple, after)))
        for some, after in zip(actions, asked["after"], strict=True)
    ]
    with ExitStack() as stack:
        engine, processes, size = _opened(asked, stack)
        crowd = Crowd(engine, markets, lot=asked["lot"], together=asked["together"])
        print(json.dumps(processes | {"front": os.getpid()}), flush=True)
        sys.stdin.readline()
        began = time.monotonic()
        crowd.act()
        found = {
            "began": began,
            "ended": time.monotonic(),
            "seen": crowd.seen,
            "refused": crowd.refused[:10],
            "again": crowd.again,
        }
        print(json.dumps(found), flush=True)
        while sys.stdin.readline().strip() == "size":
            print(size(), flush=True)


if __name__ == "__main__":
    main()
