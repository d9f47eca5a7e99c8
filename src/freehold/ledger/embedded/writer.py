"""The one thread that writes.

Everybody who submits puts actions into one queue and waits. The writer takes all that wait, up to a block's worth,
makes one block of them, and so pays one sync for all of them: group commit without a timer. An idle ledger answers
after one sync, a busy one makes larger blocks. The queue is bounded: who comes when it is full is told so.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeAlias

from freehold.errors import Unavailable
from freehold.ledger.blocks import ACTIONS_LARGEST
from freehold.ledger.embedded.executor import Answer

Record: TypeAlias = Callable[[Sequence[bytes]], list[Answer]]
"""Makes one block of some actions; the answer of each stands at its place. Never raises."""

WAITING_LARGEST = 2_048
"""Actions that may wait: about a fifth of a second of work."""


class Writer:
    """Runs `record` on whatever waits, in the order of arrival, in a thread of its own."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._waiting: deque[tuple[bytes, Future[Answer]]] = deque()
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    def submit(self, actions: Sequence[bytes]) -> list[Answer]:
        """Queues the actions side by side and waits for all answers; Unavailable if there is no room for them."""
        futures: list[Future[Answer]] = [Future() for _ in actions]
        with self._changed:
            if self._stopped:
                raise Unavailable("the ledger is closed", now="nothing was sent", retry=False)
            if len(self._waiting) + len(actions) > WAITING_LARGEST:
                raise Unavailable("the ledger is busy", next="try again", now="nothing was sent", retry_after=0.5)
            self._waiting.extend(zip(actions, futures, strict=True))
            self._changed.notify()
        return [future.result() for future in futures]

    def stop(self) -> None:
        """Lets what waits be recorded, then ends the thread."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while some := self._take():
            answers = self._record([action for action, _ in some])
            for (_, future), answer in zip(some, answers, strict=True):
                future.set_result(answer)

    def _take(self) -> list[tuple[bytes, Future[Answer]]]:
        """Everything that waits, up to a block's worth; empty once the writer is stopped and nothing waits."""
        with self._changed:
            while not self._waiting and not self._stopped:
                self._changed.wait()
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), ACTIONS_LARGEST))]
