"""One HTTP connection that cannot be held for nothing.

uvicorn limits neither the size of a request's head nor the time that it may take, and waits for ever for a reader that
stopped reading. Here a connection whose head is too large, or not there in time, or whose reader stands still, ends.
(Bodies have limits of their own: `http_bodies`.)
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_LARGEST = 16_384
HEAD_SECONDS = 10.0
STILL_SECONDS = 30.0
"""How long a reader may take nothing while an answer waits for it."""


class GuardedConnection(HttpToolsProtocol):
    """uvicorn's connection with the three limits."""

    head_bytes = 0
    head_open = True
    timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Gives the first head its time."""
        super().connection_made(transport)
        self._within(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the clock."""
        self._in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts what belongs to a head."""
        if self.head_open:
            if self.timer is None:
                self._within(HEAD_SECONDS)
            self.head_bytes += len(data)
        super().data_received(data)
        # Asked behind the parser, which alone knows where a head ends: the first piece of a body may come with it.
        if self.head_open and self.head_bytes > HEAD_LARGEST:
            self.transport.abort()

    def on_headers_complete(self) -> None:
        """The head is whole: bodies are measured elsewhere."""
        self.head_open, self.head_bytes = False, 0
        self._in_time()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """The next thing on this connection is a head again."""
        self.head_open = True
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The reader fell behind: it has a while to go on."""
        super().pause_writing()
        self._within(STILL_SECONDS)

    def resume_writing(self) -> None:
        """The reader went on."""
        self._in_time()
        super().resume_writing()

    def _within(self, seconds: float) -> None:
        self._in_time()
        self.timer = self.loop.call_later(seconds, self.transport.abort)

    def _in_time(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
