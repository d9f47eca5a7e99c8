"""Where packages, bases and results lie: bytes under the name of their digest.

A name is `<digest>` or `results/<job>/<digest>`, each part 64 lower-case hex digits; its last part is the SHA-256 of
the bytes, so whoever reads can check, and writing the same name again changes nothing.
"""

from typing import BinaryIO, Protocol


class ObjectStore(Protocol):
    """Content-addressed objects."""

    def put(self, name: str, data: bytes | BinaryIO) -> None:
        """Stores the bytes under their name, wholly or not at all.

        Raises Invalid (name, size or digest does not fit) or Unavailable.
        """
        ...

    def get(self, name: str, *, largest: int) -> bytes:
        """The bytes, at most `largest` of them and hashing to their name.

        Raises Unavailable if there is no such object, Invalid if it is larger or not what its name says.
        """
        ...

    def exists(self, name: str) -> bool:
        """Whether an object lies under this name."""
        ...
