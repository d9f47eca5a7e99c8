"""A node to be rude to, and raw sockets to do it with."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from freehold.ledger.embedded.ledger import EmbeddedLedger
from freehold.node.server import serving
from freehold.objects.folder import FolderStore
from tests.engines.embedded import embedded

OBJECT_LARGEST = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A running node and what it serves."""

    url: str
    ledger: EmbeddedLedger
    objects: Path

    def connect(self, timeout: float = 10.0) -> socket.socket:
        """A bare connection."""
        parts = urlsplit(self.url)
        return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=timeout)

    def says(self, request: bytes, *, timeout: float = 10.0) -> bytes:
        """Everything that the node answers to these bytes until it closes the connection or falls silent."""
        with self.connect(timeout) as line:
            line.sendall(request)
            return heard(line)

    def stored(self) -> set[str]:
        """Names of all objects."""
        return {str(path.relative_to(self.objects)) for path in self.objects.rglob("*") if path.is_file()}


def heard(line: socket.socket) -> bytes:
    """What comes until the other side closes."""
    answer = bytearray()
    try:
        while piece := line.recv(65_536):
            answer += piece
    except (ConnectionResetError, TimeoutError):
        pass
    return bytes(answer)


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """A node on a free port."""
    objects = folder / "objects"
    with (
        embedded(folder) as ledger,
        serving(ledger, FolderStore(objects), object_largest=OBJECT_LARGEST) as url,
    ):
        yield Served(url=url, ledger=ledger, objects=objects)
