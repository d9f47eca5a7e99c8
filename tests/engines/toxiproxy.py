"""Toxiproxy: a server of proxies that delay, narrow, cut and swallow, told over HTTP on the loopback.

It is found as FREEHOLD_TOXIPROXY, or as `toxiproxy-server` in the path:

    go install github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from typing import Any, Final

from tests.engines.cometbft import free_ports

DIRECTIONS: Final = ("upstream", "downstream")
_START_SECONDS: Final = 10.0


def find_program() -> str | None:
    """The server, if it is installed."""
    return shutil.which(os.environ.get("FREEHOLD_TOXIPROXY", "toxiproxy-server"))


class Toxiproxy:
    """A running server."""

    def __init__(self, port: int) -> None:
        self._port = port

    def add(self, proxies: Mapping[str, tuple[str, str]]) -> None:
        """Adds proxies by name: where each listens, and whither it leads."""
        for name, (listen, upstream) in proxies.items():
            self._ask("POST", "/proxies", {"name": name, "listen": listen, "upstream": upstream, "enabled": True})

    def cut(self, names: Sequence[str]) -> None:
        """Ends the connections through these proxies, and takes no new ones."""
        for name in names:
            self._ask("POST", f"/proxies/{name}", {"enabled": False})

    def poison(self, names: Sequence[str], kind: str, attributes: Mapping[str, int]) -> None:
        """Puts a toxic on both directions of these proxies."""
        for name in names:
            for stream in DIRECTIONS:
                toxic = {"name": f"{kind}-{stream}", "type": kind, "stream": stream, "attributes": dict(attributes)}
                self._ask("POST", f"/proxies/{name}/toxics", toxic)

    def heal(self) -> None:
        """Takes every toxic away and opens every proxy."""
        self._ask("POST", "/reset", {})

    def version(self) -> str:
        """Of the server."""
        return str(self._ask("GET", "/version", None).get("version"))

    def _ask(self, method: str, path: str, content: object) -> dict[str, Any]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            body = None if content is None else json.dumps(content)
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise RuntimeError(f"toxiproxy answered {method} {path} with {answer.status}: {said[:300]!r}")
        found: dict[str, Any] = json.loads(said) if said.strip() else {}
        return found


@contextmanager
def started(program: str) -> Iterator[Toxiproxy]:
    """A server of proxies, for as long as the block runs."""
    (port,) = free_ports(1)
    command = [program, "-host", "127.0.0.1", "-port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            server = Toxiproxy(port)
            deadline = time.monotonic() + _START_SECONDS
            while True:
                try:
                    server.version()
                    break
                except (OSError, HTTPException):
                    if time.monotonic() > deadline or process.poll() is not None:
                        raise
                    time.sleep(0.02)
            yield server
        finally:
            process.terminate()
