"""One HTTP connection that cannot be held for nothing.

uvicorn limits neither the size of a request's head nor the time that it may take, queues whatever is pipelined, and
waits for ever for a reader that stopped reading. Here a connection ends whose head is too large or not there in time,
which asks far ahead of the answers, sends more framing than body, or whose reader stands still. A connection too many
is told so and may come again; far too many are cut off. (Bodies have limits of their own: `http_bodies`.)
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from freehold.errors import Unavailable
from freehold.node.http_answers import error_answer

HEAD_LARGEST = 16_384
HEAD_SECONDS = 10.0
STILL_SECONDS = 30.0
"""How long a reader may take nothing while an answer waits for it."""
AHEAD_LARGEST = 32
"""Requests of one connection that may wait for the answer of an earlier one."""
FRAMING = 8
"""Bytes on the line that a byte of a body may cost: the smallest pieces of a chunked body cost six."""

CONNECTIONS = 2_048
ONE_ADDRESS = 1_280
"""Connections of one address: a hospital behind one address, with a thousand members that wait for events."""
CUT_OFF = 128
"""How many more are still told that there are too many."""
_COME_AGAIN_SECONDS = 5.0


@dataclass(slots=True, kw_only=True)
class Places:
    """How many connections a node has room for, and who has them."""

    everybody: int = CONNECTIONS
    one_address: int = ONE_ADDRESS
    taken: Counter[str] = field(default_factory=Counter)
    count: int = 0
    turned_away: int = 0

    def take(self, address: str) -> bool:
        """Counts one more connection; whether there was a place for it."""
        self.count += 1
        self.taken[address] += 1
        return self.count <= self.everybody and self.taken[address] <= self.one_address

    def leave(self, address: str) -> None:
        """Counts one less."""
        self.count -= 1
        self.taken[address] -= 1
        if self.taken[address] <= 0:
            del self.taken[address]


class GuardedConnection(HttpToolsProtocol):
    """uvicorn's connection with the limits."""

    head_bytes = 0
    head_open = True
    surplus = 0
    head_timer: asyncio.TimerHandle | None = None
    still_timer: asyncio.TimerHandle | None = None
    address = ""

    def __init__(self, *args: Any, places: Places, **named: Any) -> None:
        super().__init__(*args, **named)
        self.places = places

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Takes a place, and gives the first head its time."""
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        if not self.places.take(self.address):
            self.places.turned_away += 1
            if self.places.count > self.places.everybody + CUT_OFF:
                transport.abort()
                return
            # Told once the head is there: an answer before the question would be lost on the way.
            self.app = error_answer(_too_many(), closes=True)
        self.head_timer = self._abort_in(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Gives the place back and forgets the clocks."""
        self.places.leave(self.address)
        self._head_is_there()
        self._reader_goes_on()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts what belongs to a head, and what comes around a body."""
        if self.transport.is_closing():
            return
        if self.head_open:
            if self.head_timer is None:
                self.head_timer = self._abort_in(HEAD_SECONDS)
            self.head_bytes += len(data)
        else:
            self.surplus += len(data)
        super().data_received(data)
        # Asked behind the parser, which alone knows where a head ends: the first piece of a body may come with it.
        if (self.head_open and self.head_bytes > HEAD_LARGEST) or self.surplus > HEAD_LARGEST:
            self.transport.abort()

    def on_headers_complete(self) -> None:
        """The head is whole: bodies are measured elsewhere."""
        self.head_open, self.head_bytes, self.surplus = False, 0, 0
        self._head_is_there()
        if len(self.pipeline) >= AHEAD_LARGEST:
            self.transport.abort()
            # Ends the parser's work on the many more that may stand in the same piece.
            raise ConnectionAbortedError
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Weighs the body against what came around it."""
        self.surplus = max(0, self.surplus - FRAMING * len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The next thing on this connection is a head again, even while this request waits for its answer."""
        self.head_open, self.surplus = True, 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """What comes now, even the rest of a body that nobody wanted, is measured like a head."""
        self.head_open = True
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The reader fell behind: it has a while to go on."""
        super().pause_writing()
        self._reader_goes_on()
        self.still_timer = self._abort_in(STILL_SECONDS)

    def resume_writing(self) -> None:
        """The reader went on."""
        self._reader_goes_on()
        super().resume_writing()

    def _abort_in(self, seconds: float) -> asyncio.TimerHandle:
        return self.loop.call_later(seconds, self.transport.abort)

    def _head_is_there(self) -> None:
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None

    def _reader_goes_on(self) -> None:
        if self.still_timer is not None:
            self.still_timer.cancel()
            self.still_timer = None


def _too_many() -> Unavailable:
    return Unavailable(
        "the node has no room for another connection",
        code="busy",
        next="close connections that are not needed, and come again",
        now="nothing was recorded",
        retry_after=_COME_AGAIN_SECONDS,
    )
