"""The people of some markets at one engine: each acts once it was told the outcome that it waited for.

Whoever sends a lot may see some of it refused, because the network took its actions in another order: gossip promises
none. It sends those again.

No client has a thread. Whoever is told to come again sends the same bytes again; whoever then hears that the action is
recorded already has what it wanted.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from itertools import islice
from typing import Final, Protocol, TypeAlias

from consortia.members import Turns
from freehold.errors import FreeholdError, Refused, Unavailable
from freehold.ports.ledger import Accepted

Answer: TypeAlias = Accepted | FreeholdError
_AGAIN_SECONDS: Final = 0.05
_LOOK_SECONDS: Final = 0.2
_AGAIN_LARGEST: Final = 1_000
"""Actions of lots that are sent again before a refusal counts as one."""


class Queue(Protocol):
    """As much of an engine as clients need."""

    def enqueue(self, actions: Sequence[bytes]) -> Future[list[Answer]]:
        """Submits without waiting."""
        ...

    def resolve(self, action: bytes) -> Accepted | None:
        """What became of an action."""
        ...


class Crowd:
    """Everybody who acts at one engine."""

    def __init__(self, engine: Queue, markets: Sequence[Turns], *, lot: int = 1, together: int = 1_000) -> None:
        """`lot` is the number of actions of one request, `together` how many markets are under way at a time."""
        self.engine = engine
        self._markets = markets
        self._lot = lot
        self._together = together
        self._open = [[len(some) for some in market.after] for market in markets]
        self._next = [_followers(market) for market in markets]
        self._told: queue.SimpleQueue[tuple[int, Sequence[int], float, list[Answer]]] = queue.SimpleQueue()
        self.stopping = threading.Event()
        self.acknowledged: list[tuple[bytes, Accepted]] = []
        self.seen: list[tuple[float, float]] = []
        """When each acknowledged action was sent, and how long its sender waited, in seconds."""
        self.refused: list[str] = []
        self.again = 0
        """How often somebody had to come again."""

    def act(self) -> None:
        """Lets everybody act until all is decided, or until `stopping` is set."""
        left = [len(market.actions) for market in self._markets]
        later = iter(range(len(self._markets)))
        for number in islice(later, self._together):
            self._begin(number)
        while any(left) and not self.stopping.is_set():
            try:
                number, places, began, answers = self._told.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                continue
            if again := self._take(number, places, began, answers):
                self.again += len(again)
                time.sleep(_AGAIN_SECONDS)
                self._send(number, again)
            done = [place for place in places if place not in again]
            self._send(number, self._freed(number, done))
            left[number] -= len(done)
            if not left[number] and (fresh := next(later, None)) is not None:
                self._begin(fresh)

    def _take(self, number: int, places: Sequence[int], began: float, answers: Sequence[Answer]) -> list[int]:
        """Notes the answers, and returns the places of those who have to come again."""
        again, took = [], time.monotonic() - began
        for place, answer in zip(places, answers, strict=True):
            action = self._markets[number].actions[place]
            recorded = self.engine.resolve(action) if isinstance(answer, Refused) else None
            if isinstance(answer, Accepted):
                self.acknowledged.append((action, answer))
                self.seen.append((began, took))
            elif recorded is not None:
                self.acknowledged.append((action, recorded))
            elif isinstance(answer, Unavailable) or (self._lot > 1 and self.again < _AGAIN_LARGEST):
                again.append(place)
            else:
                self.refused.append(f"{answer.code}: {answer}")
        return again

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
            began = time.monotonic()
            tell = partial(self._tell, number, some, began)
            try:
                sent = self.engine.enqueue([self._markets[number].actions[place] for place in some])
            except FreeholdError as error:
                self._told.put((number, some, began, [error] * len(some)))
            else:
                sent.add_done_callback(tell)

    def _tell(self, number: int, places: Sequence[int], began: float, future: Future[list[Answer]]) -> None:
        self._told.put((number, places, began, future.result()))


def _followers(market: Turns) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in market.actions]
    for place, some in enumerate(market.after):
        for before in some:
            found[before].append(place)
    return found
