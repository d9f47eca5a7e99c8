"""Who takes part, as the ledger says: whose signatures make blocks, and whose nodes may connect.

An engine does not understand records. So it is told by a word of the rules' side which keys to watch, and asks what
follows from them whenever a block wrote one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from freehold.ports.state_view import Read, StateView

POWER: Final = 10
"""Of each validator: all are equal."""


class Seats(Protocol):
    """What the records say about operators."""

    @property
    def watched(self) -> tuple[str, ...]:
        """How the keys of such records begin."""
        ...

    def validators(self, read: Read) -> frozenset[bytes] | None:
        """Whose signatures make blocks, Ed25519, 32 bytes each; None if the records leave it to the genesis."""
        ...

    def nodes(self, state: StateView) -> frozenset[str] | None:
        """The names of nodes that may connect; None if the records leave it open."""
        ...


def changes(before: frozenset[bytes] | None, after: frozenset[bytes] | None) -> Iterator[tuple[bytes, int]]:
    """The validators that come, with their power, and those that go, with none; ascending."""
    known, wanted = before or frozenset(), after or frozenset()
    for key in sorted(known ^ wanted):
        yield key, POWER if key in wanted else 0
