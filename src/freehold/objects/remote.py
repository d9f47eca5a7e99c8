"""Objects that a node serves, reached over HTTP; satisfies `ports.object_store.ObjectStore`.

Both sides hash what passes: the node before an object gets its name, this client before anybody reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import BinaryIO

from freehold.errors import Invalid
from freehold.objects.names import check, check_bytes, digest_of
from freehold.transport.client import NodeClient
from freehold.transport.signed_reads import Reader

_PIECE = 2**18


class RemoteStore:
    """The objects of the node at one URL; safe to use from many threads."""

    def __init__(self, url: str) -> None:
        self._client = NodeClient(url)

    def put(self, name: str, data: bytes | BinaryIO) -> None:
        """Brings the bytes to the node under their name.

        Raises Invalid (name, size or digest does not fit) or Unavailable (bringing them again is harmless).
        """
        digest_of(name)
        if isinstance(data, bytes):
            check_bytes(name, data)
        content = data if isinstance(data, bytes) else _pieces(data)
        self._client.request("PUT", f"/objects/{name}", content=content, largest=64, changes=True)

    def get(self, name: str, *, largest: int) -> bytes:
        """The bytes, at most `largest` of them and hashing to their name; Unavailable if there is no such object."""
        digest_of(name)
        body, digest = bytearray(), sha256()
        with self._client.answer("GET", f"/objects/{name}") as pieces:
            for piece in pieces:
                body += piece
                digest.update(piece)
                if len(body) > largest:
                    raise Invalid(f"object {name} has more than the {largest} bytes that are read")
        check(name, digest.hexdigest())
        return bytes(body)

    def exists(self, name: str) -> bool:
        """Whether an object lies under this name."""
        digest_of(name)
        return self._client.finds(f"/objects/{name}")

    def sign_reads(self, reader: Reader) -> None:
        """Shows who reads, from when on the node asks for it."""
        self._client.sign_reads(reader)

    def close(self) -> None:
        """Closes all connections."""
        self._client.close()


def _pieces(data: BinaryIO) -> Iterator[bytes]:
    while piece := data.read(_PIECE):
        yield piece
