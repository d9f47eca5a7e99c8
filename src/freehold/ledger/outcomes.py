"""What became of an action, in the words that every engine of several operators agrees on."""

from __future__ import annotations

from freehold.ledger.embedded.execution import Outcome
from freehold.ports.machine import Executed
from freehold.protocol import canonical


def said(outcome: Outcome) -> bytes:
    """What became of an action, as canonical JSON without any word that is meant for people."""
    if isinstance(outcome, Executed):
        events = [{"name": e.name, "subject": e.subject, "to": e.to} for e in outcome.events]
        # The result is canonical already, as every engine's rules and replays write it.
        return b'{"events":' + canonical.encode(events) + b',"result":' + outcome.result + b"}"
    return canonical.encode({"refused": outcome.code or type(outcome).__name__.lower()})
