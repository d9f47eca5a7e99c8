"""The one thread that writes.

Everybody who submits puts a lot of actions into one queue and waits. The writer takes the lots that wait, up to a
block's worth, makes one block of them, and so pays one sync for all: group commit without a timer. An idle ledger
answers after one sync, a busy one makes larger blocks. The queue is bounded: who comes when it is full is told so.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeAlias

from freehold.errors import Unavailable
from freehold.ledger.blocks import ACTIONS_LARGEST
from freehold.ledger.embedded.executor import Answer

Record: TypeAlias = Callable[[Sequence[bytes]], list[Answer]]
"""Makes one block of some actions; the answer of each stands at its place. Never raises."""

WAITING_LARGEST = 2_048
"""Actions that may wait: about a fifth of a second of work."""


@dataclass(frozen=True, slots=True)
class _Lot:
    """What was submitted together, and answered together."""

    actions: Sequence[bytes]
    answered: Future[list[Answer]] = field(default_factory=Future)


class Writer:
    """Runs `record` on whatever waits, in the order of arrival, in a thread of its own."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._waiting: deque[_Lot] = deque()
        self._changed = threading.Condition()
        self._actions = 0
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    def enqueue(self, actions: Sequence[bytes]) -> Future[list[Answer]]:
        """Queues the actions side by side; Unavailable if there is no room for them."""
        lot = _Lot(actions)
        with self._changed:
            if self._stopped:
                raise closed()
            if self._actions + len(actions) > WAITING_LARGEST:
                raise busy()
            self._actions += len(actions)
            self._waiting.append(lot)
            self._changed.notify()
        return lot.answered

    def stop(self) -> None:
        """Lets what waits be recorded, then ends the thread."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while lots := self._take():
            answers = iter(in_blocks(self._record, [action for lot in lots for action in lot.actions]))
            for lot in lots:
                lot.answered.set_result([next(answers) for _ in lot.actions])

    def _take(self) -> list[_Lot]:
        """The lots that wait, up to a block's worth; empty once the writer is stopped and nothing waits."""
        with self._changed:
            while not self._waiting and not self._stopped:
                self._changed.wait()
            lots: list[_Lot] = []
            taken = 0
            while self._waiting and (not lots or taken + len(self._waiting[0].actions) <= ACTIONS_LARGEST):
                lots.append(self._waiting.popleft())
                taken += len(lots[-1].actions)
            self._actions -= taken
            return lots


def in_blocks(record: Record, actions: Sequence[bytes]) -> list[Answer]:
    """Records actions of any number, in as few blocks as they need."""
    starts = range(0, len(actions), ACTIONS_LARGEST)
    return [answer for at in starts for answer in record(actions[at : at + ACTIONS_LARGEST])]


def busy() -> Unavailable:
    """There is no room for more."""
    return Unavailable("the ledger is busy", next="try again", now="nothing was sent", retry_after=0.5)


def closed() -> Unavailable:
    """Nothing is taken any more."""
    return Unavailable("the ledger is closed", now="nothing was sent", retry=False)
