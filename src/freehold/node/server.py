"""The node: serves one ledger and one folder of objects over HTTP, on this machine alone unless told otherwise.

Members talk to it only through the two ports (`ledger.remote`, `objects.remote`). It knows no member and keeps no
session: what an action may do is decided by its signature and the rules, and everything else is public to read.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from freehold.errors import FreeholdError, Unavailable
from freehold.node.condition import Condition
from freehold.node.door import Counted, Door
from freehold.node.followers import Followers
from freehold.node.http_answers import on_any_error, on_freehold_error, on_http_error
from freehold.node.http_connections import GuardedConnection, Places
from freehold.node.http_description import description_route
from freehold.node.http_ledger import LedgerPages
from freehold.node.http_objects import ObjectPages
from freehold.node.http_proofs import ProofPages
from freehold.node.lines import Lines
from freehold.node.rates import Rates
from freehold.node.readers import Readers
from freehold.objects.folder import FolderStore
from freehold.objects.names import OBJECT_LARGEST
from freehold.ports.ledger import Engine

LOOPBACK = "127.0.0.1"
PORT = 7420

_BACKLOG = 512
_GOODBYE_SECONDS = 5
_CLOCK_SECONDS = 1.0
_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]", "::1")

Ready = Callable[[str], None]
"""Told the node's URL once it answers."""


class Node:
    """One server for one ledger and one store."""

    def __init__(
        self,
        engine: Engine,
        store: FolderStore,
        *,
        host: str = LOOPBACK,
        port: int = PORT,
        object_largest: int = OBJECT_LARGEST,
        places: Places | None = None,
        rates: Rates | None = None,
        lines: Lines | None = None,
        tls: ssl.SSLContext | None = None,
        proxies: Sequence[str] = (),
        readers: Readers | None = None,
        witnessed: Callable[[], str] = lambda: "",
    ) -> None:
        """Takes the address at once (port 0: any free one); Unavailable if somebody else has it.

        Without `rates` everybody may ask as often as they like; without `lines` nothing is told.
        Of `proxies`, and of nobody else, it is believed for whom they ask.
        """
        self.places = places or Places()
        self.rates = rates or Rates(None, None)
        self.counted = Counted()
        self.behind: Callable[[], int] | None = getattr(engine, "behind", None)
        """Of a node among several: how many blocks another one is ahead."""
        self.trusted_header: Callable[[], tuple[int, str]] | None = getattr(engine, "trusted_header", None)
        """Of a validator: height and hash of its newest header."""
        self._readers = readers
        self.lines = lines or Lines(None)
        self.condition = Condition(engine, self.lines)
        self._socket = listen(host, port)
        self.url = _url(self._socket, secure=tls is not None)
        self._ledger_pages = LedgerPages(engine, self.rates, self.condition)
        self._proof_pages = ProofPages(engine, witnessed)
        self._object_pages = ObjectPages(store, largest=object_largest)
        self._engine = engine
        self._server = CalmServer(
            uvicorn.Config(
                self._application(local=_is_loopback(host)),
                # uvicorn asks for a class and calls it
                http=functools.partial(GuardedConnection, places=self.places),  # type: ignore[arg-type]
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                # An address that a header gives would be anybody's word.
                proxy_headers=bool(proxies),
                forwarded_allow_ips=list(proxies),
                ssl_context_factory=None if tls is None else lambda _, __: tls,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=_GOODBYE_SECONDS,
            )
        )

    def run(self, ready: Ready = lambda _: None) -> None:
        """Serves until `stop` or, in the main thread, SIGTERM or Ctrl-C; lets what has begun end."""
        self._server.ready = lambda: ready(self.url)
        self._server.goodbye = self._say_goodbye
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        """Asks the node to end; may be called from any thread."""
        self._server.should_exit = True

    def _application(self, *, local: bool) -> Starlette:
        # A page from anywhere may make a browser on this machine ask a local node under a name that the page's owner
        # points here: a node that serves this machine answers to this machine's names alone.
        door = Middleware(Door, rates=self.rates, counted=self.counted, lines=self.lines, readers=self._readers)
        hosts = [Middleware(TrustedHostMiddleware, allowed_hosts=list(_LOCAL_NAMES))] if local else []
        pages = (self._ledger_pages, self._proof_pages, self._object_pages)
        return Starlette(
            routes=[description_route(), *(route for each in pages for route in each.routes())],
            middleware=[door, *hosts],
            exception_handlers={
                FreeholdError: on_freehold_error,
                HTTPException: on_http_error,
                Exception: on_any_error,
            },
            lifespan=self._following,
        )

    @asynccontextmanager
    async def _following(self, _: Starlette) -> AsyncIterator[None]:
        self._ledger_pages.followers = Followers(self._engine)
        watching = asyncio.create_task(self._watch_clock())
        yield
        watching.cancel()
        self._say_goodbye()

    async def _watch_clock(self) -> None:
        while True:
            self.condition.look_at_clock(time.time(), time.monotonic())
            await asyncio.sleep(_CLOCK_SECONDS)

    def _say_goodbye(self) -> None:
        self.condition.stopping = True
        if self._ledger_pages.followers is not None:
            self._ledger_pages.followers.close()


@contextmanager
def serving(
    engine: Engine,
    store: FolderStore,
    *,
    object_largest: int = OBJECT_LARGEST,
    places: Places | None = None,
    rates: Rates | None = None,
    readers: Readers | None = None,
) -> Iterator[str]:
    """Serves from a thread of its own on a free local port while the block runs; gives the node's URL."""
    node = Node(engine, store, port=0, object_largest=object_largest, places=places, rates=rates, readers=readers)
    ready = threading.Event()
    thread = threading.Thread(target=node.run, args=(lambda _: ready.set(),), name="node", daemon=True)
    thread.start()
    if not ready.wait(10):
        raise Unavailable("the node did not start")
    try:
        yield node.url
    finally:
        node.stop()
        thread.join()


class CalmServer(uvicorn.Server):
    """uvicorn's server, which tells when it answers, and ends quietly when it is asked to."""

    ready: Callable[[], None] = staticmethod(lambda: None)
    goodbye: Callable[[], None] = staticmethod(lambda: None)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Whoever waits for events would hold the node until its time is over.
        self.goodbye()
        await asyncio.sleep(0)
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn raises the signal again once it has ended, which would kill the process before the ledger is closed.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.signal(each, self._asked_to_end) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def _asked_to_end(self, _: int, __: FrameType | None) -> None:
        self.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's algorithm off only then; with it each answer takes 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name != "nt":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"the node cannot listen on {host}:{port}: {error.strerror or error}",
            next="stop what listens there, or choose another port",
            now="nothing was started",
            retry=False,
        ) from None
    listener.setblocking(False)
    return listener


def _url(listener: socket.socket, *, secure: bool) -> str:
    host, port = listener.getsockname()[:2]
    scheme = "https" if secure else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
