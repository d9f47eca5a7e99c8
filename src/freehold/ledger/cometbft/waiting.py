"""Actions whose outcome is awaited, and which of them are sent in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from freehold.ledger.cometbft.bundle import bundled
from freehold.ledger.lots import Take


@dataclass(slots=True)
class Waiting:
    """An action whose outcome is awaited."""

    action: bytes
    until: float
    due: float
    """When it is to be sent, or sent again."""
    lot: Sequence[bytes] = ()
    """Digests of what was submitted together with it."""
    place: int = 0
    """Of its own among them."""
    group: Sequence[Waiting] = ()
    """What was sent last in one transaction with it."""
    takers: list[Take] = field(default_factory=list)


def groups_of(due: Sequence[Waiting]) -> list[Sequence[Waiting]]:
    """What goes into one transaction each. What was sent together before is sent as the same bytes again, by which a
    node knows that it has them already."""
    again = {id(each.group): each.group for each in due if each.group}
    fresh = bundled((each.action, each) for each in due if not each.group)
    return [*again.values(), *([each for _, each in some] for some in fresh)]
