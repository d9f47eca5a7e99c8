"""The door: what every request passes before anything of it is read.

It asks how often this address came, counts what went in and what came out, and lets the operator's pages know.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from freehold.errors import FreeholdError
from freehold.node.http_answers import error_answer
from freehold.node.lines import Lines
from freehold.node.rates import Rates, TooOften
from freehold.node.readers import Readers

_LARGEST_PATH = 64


class Counted:
    """What went through the door since the start."""

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, int]] = Counter()
        """By the first part of the address and the status of the answer."""
        self.seconds: defaultdict[str, float] = defaultdict(float)
        """Spent on whole answers, by the first part of the address; waiting for events counts as well."""
        self.in_progress = 0


class Door:
    """The outermost part of the application."""

    def __init__(self, app: ASGIApp, *, rates: Rates, counted: Counted, lines: Lines, readers: Readers | None) -> None:
        self._app = app
        self._rates = rates
        self._counted = counted
        self._readers = readers
        self._lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request in or sends it away."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kind, status, start = _kind(scope["path"]), 500, time.monotonic()

        async def noticing(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._counted.in_progress += 1
        try:
            await self._let_in(scope, receive, noticing)
        finally:
            self._counted.in_progress -= 1
            self._counted.answers[kind, status] += 1
            self._counted.seconds[kind] += time.monotonic() - start

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = scope["client"][0] if scope.get("client") else ""
        try:
            self._rates.request(address)
            if self._readers is not None and (read := self._readers.signed(scope)) is not None:
                await run_in_threadpool(self._readers.admit, read)
        except FreeholdError as error:
            if isinstance(error, TooOften):
                self._lines.seldom("refused by rate", key=address, address=address, retry_after=error.retry_after)
            await error_answer(error, closes=scope["method"] in ("POST", "PUT"))(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _kind(path: str) -> str:
    """The first part of a known address: whoever invents addresses makes no new series."""
    first = path[:_LARGEST_PATH].split("/")[1] if path.startswith("/") else ""
    return "/" + first if first in KNOWN else "other"


KNOWN = frozenset({"", "actions", "blocks", "checkpoint", "evaluate", "events", "objects", "openapi.json", "proofs"})
