"""The application on its Unix socket, and a bell beside it.

A node opens four connections, sends many requests at once and expects the answers to each connection's in their order:
one thread answers all of them, each lot in one write. Only what joining nodes are given is read in another thread,
while that connection waits and the others go on. If a request fails, nothing is answered and the process ends.
The node sees the connection close and stops too; both start again from what is on disk. Going on from a state that is
in doubt could fork this validator from the others.

The bell is for the node's own ledger in another process: a message without content after each commit, so that it reads
the application's file, and a message of digest and trouble whenever an action was turned away at the door.
"""

from __future__ import annotations

import asyncio
import signal
from collections import deque
from pathlib import Path

import msgspec

from freehold.errors import Broken, FreeholdError
from freehold.ledger.cometbft import abci
from freehold.ledger.cometbft.application import Application
from freehold.ledger.cometbft.snapshot_messages import (
    ApplySnapshotChunk,
    ListSnapshots,
    LoadSnapshotChunk,
    OfferSnapshot,
)
from freehold.ledger.frames import frame
from freehold.ledger.protobuf import framed, take_frames
from freehold.protocol.digests import sha256
from freehold.transport.trouble import trouble_of

SOCKET_PATH_LARGEST = 107
"""Bytes of the path of a Unix socket: the operating system's limit."""
_BACKLOG_LARGEST = 2**20
"""Bytes that may wait for a listener to the bell: one that does not read is hung up on, and asks the file instead."""


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

    def __init__(self, application: Application, bell: Bell, failed: asyncio.Future[None]) -> None:
        self._application = application
        self._bell = bell
        self._failed = failed
        self._buffer = bytearray()
        self._requests: deque[abci.Request] = deque()
        """What arrived whole and waits behind a request that takes long."""
        self._reading: asyncio.Future[bytes] | None = None
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The node has come."""
        if isinstance(transport, asyncio.WriteTransport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answers every request that has arrived whole; a request that fails ends the process, and nothing is said."""
        if self._failed.done() or self._transport is None:
            return
        self._buffer += data
        try:
            self._requests.extend(abci.read_request(each) for each in take_frames(self._buffer))
            if self._reading is None:
                self._answer_in_order(self._transport)
        except Exception as error:
            self._failed.set_exception(error)

    def _answer_in_order(self, transport: asyncio.WriteTransport) -> None:
        answers: list[bytes] = []
        while self._requests and self._reading is None:
            request = self._requests.popleft()
            if isinstance(request, ListSnapshots | LoadSnapshotChunk):
                self._reading = asyncio.get_running_loop().run_in_executor(None, self._answer, request)
                self._reading.add_done_callback(self._go_on)
            else:
                answers.append(framed(self._answer(request)))
        if answers:
            transport.write(b"".join(answers))

    def _go_on(self, read: asyncio.Future[bytes]) -> None:
        """Answers what took long, and then whatever has waited behind it."""
        self._reading = None
        if self._failed.done() or self._transport is None or read.cancelled():
            return
        try:
            self._transport.write(framed(read.result()))
            self._answer_in_order(self._transport)
        except Exception as error:
            self._failed.set_exception(error)

    def _answer(self, request: abci.Request) -> bytes:
        application = self._application
        match request:
            case abci.CheckTx():
                answer, trouble = application.check_tx(request)
                if trouble is not None:
                    self._turn_away(request.transaction, trouble)
                return answer
            case abci.Commit():
                answer = application.commit()
                self._bell.ring(b"")
                return answer
            case abci.FinalizeBlock():
                return application.finalize_block(request)
            case abci.PrepareProposal():
                return application.prepare_proposal(request)
            case abci.ProcessProposal():
                return application.process_proposal(request)
            case abci.Query():
                return application.query(request)
            case abci.InitChain():
                return application.init_chain(request)
            case abci.Info():
                return application.info()
            case abci.Echo(message):
                return abci.echo(message)
            case abci.Flush():
                return abci.flush()
            case OfferSnapshot():
                return application.offer_snapshot(request)
            case ApplySnapshotChunk():
                answer = application.apply_snapshot_chunk(request)
                self._bell.ring(b"")
                return answer
            case ListSnapshots() | LoadSnapshotChunk():
                return application.shelf.answer(request)

    def _turn_away(self, transaction: bytes, trouble: FreeholdError) -> None:
        self._bell.ring(sha256(transaction) + msgspec.json.encode(trouble_of(trouble)))


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
    hall = await asyncio.start_unix_server(listeners.welcome, bell)
    door = await loop.create_unix_server(lambda: _Connection(application, listeners, ended), socket)
    try:
        await ended
    finally:
        door.close()
        hall.close()
