"""What others wait for, in simulated time: a clock, machines with cores, threads on them, and links between operators.

Pure and without chance: the same calls give the same times.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

Then = Callable[[], None]


class Clock:
    """Simulated seconds, and what is to happen when."""

    def __init__(self) -> None:
        self.now = 0.0
        self._agenda: list[tuple[float, int, Then]] = []
        self._count = 0

    def after(self, seconds: float, then: Then) -> None:
        """Calls `then` so much later; at one moment, in the order in which it was asked for."""
        self._count += 1
        heapq.heappush(self._agenda, (self.now + seconds, self._count, then))

    def run(self, until: float) -> None:
        """Lets everything happen up to a moment."""
        while self._agenda and self._agenda[0][0] <= until:
            self.now, _, then = heapq.heappop(self._agenda)
            then()
        self.now = until


class Machine:
    """Cores, and threads that take turns on them. A thread does one thing at a time, in the order it was asked."""

    def __init__(self, clock: Clock, cores: int) -> None:
        self._clock = clock
        self._free = cores
        self._waiting: dict[Hashable, deque[tuple[float, Then]]] = {}
        self._ready: deque[Hashable] = deque()
        self._busy: set[Hashable] = set()
        self._loose = 0
        self.spent: dict[str, float] = {}
        """Seconds of processor time by kind of thread."""

    def work(self, kind: str, seconds: float, then: Then, *, thread: Hashable = None) -> None:
        """Does so much, then calls `then`; work without a thread of its own may use any free core."""
        self.spent[kind] = self.spent.get(kind, 0.0) + seconds
        if thread is None:
            self._loose += 1
            thread = ("loose", self._loose)
        queue = self._waiting.setdefault(thread, deque())
        queue.append((seconds, then))
        if len(queue) == 1 and thread not in self._busy:
            self._ready.append(thread)
        self._start()

    def _start(self) -> None:
        while self._free and self._ready:
            thread = self._ready.popleft()
            seconds, then = self._waiting[thread].popleft()
            self._free -= 1
            self._busy.add(thread)
            self._clock.after(seconds, lambda thread=thread, then=then: self._end(thread, then))  # type: ignore[misc]

    def _end(self, thread: Hashable, then: Then) -> None:
        self._free += 1
        self._busy.discard(thread)
        if self._waiting[thread]:
            self._ready.append(thread)
        else:
            del self._waiting[thread]
        then()
        self._start()


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """From every operator to every other."""

    seconds: Sequence[Sequence[float]]
    """Of one way."""
    bytes_per_second: float
    """That one operator's line sends."""


class Uplink:
    """An operator's line: what it sends leaves byte after byte."""

    def __init__(self, clock: Clock, links: Links, own: int) -> None:
        self._clock, self._links, self._own = clock, links, own
        self._free_at = 0.0
        self.sent = 0.0

    def send(self, to: int, size: float, then: Then) -> None:
        """Calls `then` when the last byte has arrived."""
        self.sent += size
        self._free_at = max(self._free_at, self._clock.now) + size / self._links.bytes_per_second
        self._clock.after(self._free_at - self._clock.now + self._links.seconds[self._own][to], then)
