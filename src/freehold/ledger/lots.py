"""Actions that were submitted together, and are answered together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeAlias

from freehold.errors import FreeholdError
from freehold.ports.ledger import Accepted

Outcome: TypeAlias = Accepted | FreeholdError
"""What became of one action, as its sender hears it."""
Take: TypeAlias = Callable[[Outcome], None]
"""Takes what became of one action."""


class Lot:
    """What was submitted together, and is answered together."""

    def __init__(self, size: int) -> None:
        self.future: Future[list[Accepted | FreeholdError]] = Future()
        self._answers: list[Accepted | FreeholdError | None] = [None] * size
        self._left = size
        self._turn = threading.Lock()
        if not size:
            self.future.set_result([])

    def taker(self, place: int) -> Take:
        """Takes the answer at a place; the last one answers the lot."""

        def take(outcome: Outcome) -> None:
            with self._turn:
                self._answers[place] = outcome
                self._left -= 1
                done = not self._left
            if done:
                self.future.set_result([each for each in self._answers if each is not None])

        return take
