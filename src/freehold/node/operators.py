"""What a node shows to whoever runs it, at an address of its own that members need not reach.

    GET /health    200 while the process lives
    GET /ready     200 if writes are possible, 503 with the reason if they are not; reads may go on meanwhile
    GET /metrics   Prometheus text (version 0.0.4)
    GET /header    of a consortium's node: height and hash of its newest header, for whoever joins with a snapshot

It runs in a thread of its own, so that it answers when the members' side is at its limits.
"""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from freehold.errors import FreeholdError, Unavailable
from freehold.node.http_answers import json_answer
from freehold.node.server import Node, listen

Sample = tuple[Mapping[str, str], float]

_START_SECONDS = 10
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class OperatorPages:
    """The three pages about one node."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def application(self) -> Starlette:
        """They are GET and have no parameters."""
        return Starlette(
            routes=[
                Route("/health", self.health, methods=["GET"]),
                Route("/ready", self.ready, methods=["GET"]),
                Route("/metrics", self.metrics, methods=["GET"]),
                Route("/header", self.header, methods=["GET"]),
            ]
        )

    async def health(self, _: Request) -> Response:
        """The process lives."""
        return json_answer({"alive": True})

    async def ready(self, _: Request) -> Response:
        """Whether writes are possible, and why not."""
        reason = self._node.condition.reason()
        status = HTTPStatus.OK if reason is None else HTTPStatus.SERVICE_UNAVAILABLE
        reads = not self._node.condition.stopping
        return json_answer({"writes": reason is None, "reads": reads, "reason": reason or ""}, status)

    async def metrics(self, _: Request) -> Response:
        """Everything that is counted."""
        return Response("".join(self._families()), media_type=_TEXT)

    async def header(self, _: Request) -> Response:
        """What a newcomer's operator is told, by telephone for instance."""
        told = self._node.trusted_header
        if told is None:
            return json_answer({"what": "this node has no headers of its own"}, HTTPStatus.NOT_FOUND)
        height, hash = await run_in_threadpool(told)
        return json_answer({"height": height, "hash": hash})

    def _families(self) -> Iterator[str]:
        node, counted = self._node, self._node.counted
        condition = node.condition
        yield _family(
            "requests_total",
            "counter",
            "Requests answered.",
            [({"page": page, "status": str(status)}, count) for (page, status), count in list(counted.answers.items())],
        )
        yield _family(
            "request_seconds_total",
            "counter",
            "Seconds spent on answers; waiting for events counts as well.",
            [({"page": page}, seconds) for page, seconds in list(counted.seconds.items())],
        )
        yield _family(
            "refused_by_rate_total",
            "counter",
            "Requests refused because an address or a member came too often.",
            [({"who": who}, count) for who, count in list(node.rates.refused.items())],
        )
        if node.behind is not None:
            yield _family("behind_blocks", "gauge", "Blocks that another node of the network is ahead.", _behind(node))
        singles = [
            ("requests_in_progress", "gauge", "Requests begun and not yet answered.", counted.in_progress),
            ("connections", "gauge", "Open connections.", node.places.count),
            ("connections_largest", "gauge", "Connections for which there is room.", node.places.everybody),
            ("connections_turned_away_total", "counter", "Connections too many.", node.places.turned_away),
            ("actions_accepted_total", "counter", "Actions recorded since the start.", condition.accepted),
            ("actions_refused_total", "counter", "Actions that a rule refused since the start.", condition.refused),
            ("writes_failed_total", "counter", "Requests that the ledger could not record.", condition.failed),
            ("clock_jumps_total", "counter", "Times that the machine's clock jumped.", condition.jumps),
            ("ready", "gauge", "1 if writes are possible.", float(condition.reason() is None)),
        ]
        for name, kind, words, value in singles:
            yield _family(name, kind, words, [({}, value)])
        yield from _process()


@contextmanager
def operators_page(node: Node, address: str) -> Iterator[str]:
    """Serves the pages at HOST:PORT while the block runs; gives the URL; Unavailable if the address is taken."""
    host, _, port = address.rpartition(":")
    listener = listen(host.strip("[]"), int(port))
    server = uvicorn.Server(
        uvicorn.Config(
            OperatorPages(node).application(),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=64,
            timeout_graceful_shutdown=1,
        )
    )
    host, port = listener.getsockname()[:2]
    thread = threading.Thread(target=server.run, args=([listener],), name="node-operators", daemon=True)
    thread.start()
    ends = time.monotonic() + _START_SECONDS
    while not server.started:
        if time.monotonic() > ends or not thread.is_alive():
            raise Unavailable("the operators' pages did not start")
        time.sleep(0.01)
    try:
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def _behind(node: Node) -> list[Sample]:
    """Nothing as long as the node cannot say: a gap in the curve is a sign, too."""
    try:
        return [] if node.behind is None else [({}, node.behind())]
    except FreeholdError:
        return []


def _process() -> Iterator[str]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    yield _family(
        "process_cpu_seconds_total", "counter", "Of the front process.", [({}, usage.ru_utime + usage.ru_stime)]
    )
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[1])
        open_now = len(os.listdir("/proc/self/fd"))
    except (OSError, ValueError):
        return
    yield _family(
        "process_resident_bytes", "gauge", "Memory of the front process.", [({}, pages * resource.getpagesize())]
    )
    yield _family("process_open_descriptors", "gauge", "Open descriptors.", [({}, open_now)])
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    yield _family("process_largest_descriptors", "gauge", "Descriptors allowed.", [({}, most)])


def _family(name: str, kind: str, words: str, samples: Iterable[Sample]) -> str:
    lines = [f"# HELP freehold_{name} {words}", f"# TYPE freehold_{name} {kind}"]
    for labels, value in samples:
        inner = ",".join(f'{label}="{text}"' for label, text in labels.items())
        lines.append(f"freehold_{name}{{{inner}}} {value:.17g}" if inner else f"freehold_{name} {value:.17g}")
    return "\n".join(lines) + "\n"
