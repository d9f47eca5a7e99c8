"""Several actions in one transaction of CometBFT: what waits at a node at the same moment travels together.

A transaction costs every node about as much as the rules cost for an action: it is handed over, looked up, gossiped and
answered by itself. So a node sends up to `LARGEST` actions behind a mark, each behind its length. One action alone is
sent as it is; no action begins with the mark, since it would have to be a public key that somebody has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar

from freehold.errors import Invalid
from freehold.ledger.frames import frame, unframe
from freehold.protocol.limits import ACTION_LARGEST

MARK: Final = b"freehold/actions"
LARGEST: Final = 16
"""Actions of one transaction: fewer make nodes work more, and more do not spare much."""
BYTES_LARGEST: Final = 49_152
"""Bytes of one transaction of several actions; a node takes at most 65,536."""

T = TypeVar("T")


def bundle(actions: Sequence[bytes]) -> bytes:
    """The transaction of these actions."""
    return actions[0] if len(actions) == 1 else MARK + frame(actions)


def actions_of(transaction: bytes) -> tuple[bytes, ...]:
    """The actions of a transaction, in their order; Invalid if it is none that `bundle` makes."""
    if not transaction.startswith(MARK):
        return (transaction,)
    actions = tuple(unframe(transaction[len(MARK) :], largest=ACTION_LARGEST, most=LARGEST))
    if not 1 < len(actions) == len(set(actions)) or any(each.startswith(MARK) for each in actions):
        raise Invalid("a transaction of several actions holds at least two, each once")
    return actions


def bundled(some: Iterable[tuple[bytes, T]]) -> Iterator[list[tuple[bytes, T]]]:
    """Cuts a row of actions, each with something of its sender's, into what goes into one transaction."""
    group: list[tuple[bytes, T]] = []
    size = 0
    for action, owner in some:
        if group and (len(group) == LARGEST or size + len(action) > BYTES_LARGEST):
            yield group
            group, size = [], 0
        group.append((action, owner))
        size += len(action)
    if group:
        yield group
