"""The application on its Unix socket, and a bell beside it.

A node opens four connections, sends many requests at once and expects the answers to each connection's in their order:
one thread answers all of them (`desk`), each lot in one write. Only what joining nodes are given is read in another
thread, while that connection waits and the others go on. If a request fails, nothing is answered and the process ends.
The node sees the connection close and stops too; both start again from what is on disk. Going on from a state that is
in doubt could fork this validator from the others.

The bell is for the node's own ledger in another process: a message without content after each commit, so that it reads
the application's file, and a message of digest and trouble whenever an action was turned away at the door.
"""

from __future__ import annotations

import asyncio
import signal
from collections import deque
from contextlib import suppress
from pathlib import Path

from freehold.errors import Broken
from freehold.ledger.cometbft import abci
from freehold.ledger.cometbft.application import Application
from freehold.ledger.cometbft.desk import Desk
from freehold.ledger.cometbft.snapshot_messages import ListSnapshots, LoadSnapshotChunk
from freehold.ledger.frames import frame
from freehold.ledger.protobuf import take_frames

SOCKET_PATH_LARGEST = 107
"""Bytes of the path of a Unix socket: the operating system's limit."""
_BACKLOG_LARGEST = 2**20
"""Bytes that may wait for a listener to the bell: one that does not read is hung up on, and asks the file instead."""

_TOGETHER = 64
"""Requests of one connection that are answered before it is another's turn."""
_WAITING_LARGEST = 2**25
"""Bytes of requests of one connection that may wait here; what is beyond waits in the node."""


class Bell:
    """Everybody who listens."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.StreamWriter] = set()

    async def welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Takes a listener on until it hangs up."""
        self._listeners.add(writer)
        try:
            while await reader.read(1_024):
                pass
        except OSError:
            pass
        finally:
            self._listeners.discard(writer)
            writer.close()

    def ring(self, message: bytes) -> None:
        """Tells all listeners, without waiting for any."""
        for writer in list(self._listeners):
            if writer.transport.get_write_buffer_size() > _BACKLOG_LARGEST:
                self._listeners.discard(writer)
                writer.transport.abort()
            else:
                writer.write(frame([message]))


class _Connection(asyncio.Protocol):
    """One of the node's connections."""

    def __init__(self, desk: Desk, failed: asyncio.Future[None]) -> None:
        self._desk = desk
        self._failed = failed
        self._buffer = bytearray()
        self._requests: deque[tuple[int, abci.Request]] = deque()
        """What arrived whole and is not asked yet, each with its size."""
        self._waiting = 0
        """Bytes of it."""
        self._asked = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The node has come."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Has every request answered that has arrived whole; one that fails ends the process, and nothing is said."""
        if self._failed.done() or self._transport is None:
            return
        self._buffer += data
        try:
            for each in take_frames(self._buffer):
                self._requests.append((len(each), abci.read_request(each)))
                self._waiting += len(each)
        except Exception as error:
            self._failed.set_exception(error)
            return
        if self._waiting > _WAITING_LARGEST:
            self._transport.pause_reading()
        self._ask()

    def _ask(self) -> None:
        if self._asked or not self._requests:
            return
        self._asked = True
        answers: asyncio.Future[bytes]
        if isinstance(request := self._requests[0][1], ListSnapshots | LoadSnapshotChunk):
            self._taken(1)
            answers = asyncio.get_running_loop().run_in_executor(None, self._desk.shown, request)
        else:
            answers = asyncio.wrap_future(self._desk.ask(self._taken(_TOGETHER)))
        answers.add_done_callback(self._take)

    def _taken(self, most: int) -> list[abci.Request]:
        """The next requests, up to one that is answered elsewhere."""
        some: list[abci.Request] = []
        while self._requests and len(some) < most:
            size, request = self._requests[0]
            if some and isinstance(request, ListSnapshots | LoadSnapshotChunk):
                break
            self._requests.popleft()
            self._waiting -= size
            some.append(request)
        return some

    def _take(self, answers: asyncio.Future[bytes]) -> None:
        self._asked = False
        if answers.cancelled() or self._failed.done() or self._transport is None:
            return
        if (error := answers.exception()) is not None:
            self._failed.set_exception(error)
            return
        self._transport.write(answers.result())
        if self._waiting <= _WAITING_LARGEST and not self._transport.is_closing():
            self._transport.resume_reading()
        self._ask()


def serve(application: Application, socket: Path, bell: Path, *, lifeline: int | None = None) -> None:
    """Answers the node on `socket` and rings on `bell` until SIGTERM; raises what made a request fail.

    `lifeline` is a pipe's read end: once nobody holds the other end, the supervisor is gone and this ends too.
    """
    asyncio.run(_serve(application, socket, bell, lifeline))


async def _serve(application: Application, socket: Path, bell: Path, lifeline: int | None) -> None:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def end() -> None:
        if not ended.done():
            ended.set_result(None)

    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, end)
    if lifeline is not None:
        loop.add_reader(lifeline, end)
    for path in (socket, bell):
        if len(str(path).encode()) > SOCKET_PATH_LARGEST:
            raise Broken(f"the path {path} is too long for a Unix socket", next="give the node a shorter folder")
        # What an application that was killed left behind: nobody listens there, and a node would wait for it.
        path.unlink(missing_ok=True)
    listeners = Bell()
    desk = Desk(application, lambda message: _from_elsewhere(loop, listeners, message))
    hall = await asyncio.start_unix_server(listeners.welcome, bell)
    door = await loop.create_unix_server(lambda: _Connection(desk, ended), socket)
    try:
        await ended
    finally:
        desk.close()
        door.close()
        hall.close()


def _from_elsewhere(loop: asyncio.AbstractEventLoop, bell: Bell, message: bytes) -> None:
    # A process that is ending rings no more.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(bell.ring, message)
