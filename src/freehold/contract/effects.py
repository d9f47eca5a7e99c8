"""What an accepted action does: records to store and events to tell, in the order of the argument.

A rule never writes. It reads, decides, and hands back its effects; so a refusal leaves nothing behind, and the events
of an action stand on the ledger in the order in which a reader meets them in the rule.
"""

from typing import NamedTuple, TypeAlias

from freehold.errors import Refused
from freehold.protocol.events import Event
from freehold.protocol.records import Record
from freehold.protocol.refusals import CODES


class Put(NamedTuple):
    """A record to store under its id: a new one, or the new state of an old one."""

    id: str
    record: Record


Step: TypeAlias = Put | Event


class Effects:
    """The steps of one accepted action, and the id of the asset that it created or moved."""

    __slots__ = ("id", "steps")

    def __init__(self, id: str, *steps: Step) -> None:
        self.id = id
        self.steps = steps


def require(holds: bool, code: str) -> None:
    """Refuses the action with `code` unless the condition holds."""
    if not holds:
        raise refused(code)


def refused(code: str, what: str = "") -> Refused:
    """The refusal with this code, which says what it means and what to do next."""
    explanation = CODES[code]
    return Refused(code, what or explanation.meaning, next=explanation.next, now="Nothing was recorded.")
