"""What a rule may see of the state: point reads inside a call, and scans inside a query.

Keys are strings of the form `kind/id`; values are the canonical bytes of one record and mean nothing to an engine.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeAlias

Read: TypeAlias = Callable[[Sequence[str]], list[bytes | None]]
"""The only thing a call can do with the state: values in the order of the keys, None where nothing is recorded."""


class StateView(Protocol):
    """One unchanging view of the state, for queries."""

    def read(self, keys: Sequence[str]) -> list[bytes | None]:
        """Values in the order of the keys, None where nothing is recorded."""
        ...

    def scan(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """Every (key, value) whose key begins with `prefix`, in ascending order of keys."""
        ...


class Version(NamedTuple):
    """A record as one block left it."""

    height: int
    time: int
    """The block's, in milliseconds."""
    value: bytes


class RecordedView(StateView, Protocol):
    """A view that also remembers, for queries."""

    def past(self, key: str, after: int) -> Iterator[Version]:
        """The record under `key` as each block above the height `after` that wrote it left it, ascending."""
        ...
