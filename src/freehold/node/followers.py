"""Members that wait for events: one thread waits on the ledger for all of them.

A long poll costs a coroutine, not a thread, so hundreds of members may wait. The thread only says that something
happened; each who waits then asks the ledger for its own events.
"""

from __future__ import annotations

import asyncio
import threading
import time

from freehold.errors import FreeholdError
from freehold.ports.ledger import Ledger

_WAIT_SECONDS = 1.0
_NOBODY = ""
"""No member has this id: asking for its events gives the cursor at the end and nothing to read."""


class Followers:
    """Wakes coroutines of one event loop whenever the ledger has new events."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.closing = False
        self._thread = threading.Thread(target=self._watch, name="node-followers", daemon=True)
        self._thread.start()

    def change(self) -> asyncio.Event:
        """What is set at the next change. Take it before asking the ledger: then no change falls in between."""
        return self._changed

    def close(self) -> None:
        """Sends everybody who waits away."""
        self.closing = True
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _watch(self) -> None:
        cursor = None
        while not self.closing:
            try:
                if cursor is None:
                    cursor = self._ledger.events(0, to=_NOBODY).cursor
                page = self._ledger.events(cursor, wait=_WAIT_SECONDS)
            except FreeholdError:
                time.sleep(_WAIT_SECONDS)
                continue
            cursor = page.cursor
            if page.events and not self.closing:
                self._loop.call_soon_threadsafe(self._wake)
