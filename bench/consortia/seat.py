"""An operator's process: the engine of its node, and clients who wait for outcomes.

    python bench/consortia/seat.py FILE

The file (JSON) names the engine's folder, the other nodes, and the turns of some markets. The process says what it
runs in as soon as the engine answers, waits for a line, lets its people act until every action is decided, and prints
what it saw; then it waits for another line before it ends.

Every action is a request of its own unless the file asks for lots. No client has a thread: whoever is next is told by
the outcome that it waited for.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeAlias

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from consortia.members import Turns
from consortia.validators import Seat

from freehold.errors import FreeholdError, Unavailable
from freehold.ledger.frames import unframe
from freehold.node.runtime import open_ledger
from freehold.ports.ledger import Accepted
from ledgers.processes import children

Answers: TypeAlias = "list[Accepted | FreeholdError]"
_LARGEST = 2**30


class Queue(Protocol):
    """As much of an engine as clients need."""

    def enqueue(self, actions: Sequence[bytes]) -> Future[Answers]:
        """Submits without waiting."""
        ...


class Crowd:
    """The people of some markets at one engine."""

    def __init__(self, engine: Queue, markets: Sequence[Turns], *, lot: int = 1, together: int = 1_000) -> None:
        """`together` is how many markets are under way at a time."""
        self._engine = engine
        self._markets = markets
        self._lot = lot
        self._together = together
        self._open = [[len(some) for some in market.after] for market in markets]
        self._next = [_followers(market) for market in markets]
        self._told: queue.SimpleQueue[tuple[int, Sequence[int], float, Answers]] = queue.SimpleQueue()
        self.seen: list[tuple[float, float]] = []
        """When each action was sent, and how long its sender waited, in seconds."""
        self.refused: list[str] = []
        self.busy = 0
        """How often the engine had no room."""

    def act(self) -> None:
        """Lets everybody act until all is decided."""
        left = [len(market.actions) for market in self._markets]
        later = iter(range(len(self._markets)))
        for number in islice(later, self._together):
            self._begin(number)
        while any(left):
            number, places, began, answers = self._told.get()
            if len(places) == 1 and isinstance(answers[0], Unavailable):
                self.busy += 1
                self._send(number, places)
                continue
            self.seen += [(began, time.monotonic() - began)] * len(places)
            self.refused += [f"{each.code}: {each}" for each in answers if not isinstance(each, Accepted)]
            self._send(number, self._freed(number, places))
            left[number] -= len(places)
            if not left[number] and (fresh := next(later, None)) is not None:
                self._begin(fresh)

    def _begin(self, number: int) -> None:
        self._send(number, [place for place, some in enumerate(self._markets[number].after) if not some])

    def _freed(self, number: int, places: Sequence[int]) -> list[int]:
        """Whose turn it is once these are decided."""
        free = []
        for place in places:
            for after in self._next[number][place]:
                self._open[number][after] -= 1
                if not self._open[number][after]:
                    free.append(after)
        return sorted(free)

    def _send(self, number: int, places: Sequence[int]) -> None:
        for at in range(0, len(places), self._lot):
            some = places[at : at + self._lot]
            actions = [self._markets[number].actions[place] for place in some]
            began = time.monotonic()
            self._enqueued(actions).add_done_callback(partial(self._tell, number, some, began))

    def _enqueued(self, actions: Sequence[bytes]) -> Future[Answers]:
        while True:
            try:
                return self._engine.enqueue(actions)
            except Unavailable as full:
                self.busy += 1
                time.sleep(full.retry_after or 0.01)

    def _tell(self, number: int, places: Sequence[int], began: float, future: Future[Answers]) -> None:
        self._told.put((number, places, began, future.result()))


def _followers(market: Turns) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in market.actions]
    for place, some in enumerate(market.after):
        for before in some:
            found[before].append(place)
    return found


def markets_in(path: Path) -> list[list[bytes]]:
    """The actions of some markets, as the bench wrote them."""
    return [unframe(each, largest=_LARGEST, most=_LARGEST) for each in unframe(path.read_bytes(), largest=_LARGEST,
                                                                              most=_LARGEST)]


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
            "busy": crowd.busy,
        }
        print(json.dumps(found), flush=True)
        while sys.stdin.readline().strip() == "size":
            print(size(), flush=True)


if __name__ == "__main__":
    main()
