"""What an engine needs from the rules: a function over bytes.

An engine orders, stores and proves actions without understanding them; it is handed a machine that does. The machine is
pure: the same reads, action and time give the same effects or the same refusal, on every engine, for ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from freehold.ports.state_view import Read, RecordedView
from freehold.protocol.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """What one accepted action does."""

    writes: Mapping[str, bytes]
    """Key to the new value; nothing is ever deleted."""
    result: bytes
    """Canonical JSON `{"id": …}` of the asset created or moved."""
    events: tuple[Event, ...] = field(default=())
    """In the order of the effects."""


class Machine(Protocol):
    """The rules as a function over bytes."""

    def genesis(self) -> Mapping[str, bytes]:
        """The state before the first action: holds exactly one key `network/<network id>`, whose value is the
        canonical network record."""
        ...

    def execute(self, read: Read, action: bytes, time: int) -> Executed:
        """The effects of one signed action at the engine's time (milliseconds).

        Raises Refused, which leaves no trace.
        """
        ...

    def query(self, view: RecordedView, name: str, arguments: Mapping[str, object]) -> Any:
        """A JSON-able answer about the state. Raises Refused or Invalid for a question that cannot be asked."""
        ...
