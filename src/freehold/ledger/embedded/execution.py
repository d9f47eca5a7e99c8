"""One block of actions against the state.

Actions run one after the other, each seeing what those before it in the block wrote; a refusal leaves no trace. The
state itself is only read: what the block would change is handed back and takes effect once it is durable.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol, TypeAlias

from freehold.errors import Broken, FreeholdError
from freehold.ledger.blocks import RESULT_LARGEST
from freehold.ledger.history import asset_id
from freehold.ledger.state import State
from freehold.ports.machine import Executed, Machine
from freehold.ports.state_view import Read

Outcome: TypeAlias = Executed | FreeholdError
"""What became of one action of a block: its effects, or the trouble that kept it out."""


class Execution(Protocol):
    """How the actions of one block are run; the outcome of each stands at its place."""

    def __call__(self, machine: Machine, state: State, actions: Sequence[bytes], time: int) -> list[Outcome]: ...


def in_order(machine: Machine, state: State, actions: Sequence[bytes], time: int) -> list[Outcome]:
    """Runs the actions one after the other, each on what those before it left."""
    written: dict[str, bytes] = {}
    read = partial(state.read_over, written)
    outcomes: list[Outcome] = []
    for action in actions:
        outcome = execute(machine, read, action, time)
        if isinstance(outcome, Executed):
            written.update(outcome.writes)
        outcomes.append(outcome)
    return outcomes


def execute(machine: Machine, read: Read, action: bytes, time: int) -> Outcome:
    """Runs one action. A fault of the rules themselves is Broken for this action alone: nothing of it took effect, and
    one hostile action that finds such a fault must not stop the market for everybody."""
    try:
        executed = machine.execute(read, action, time)
        asset_id(executed.result)
    except FreeholdError as error:
        return error
    except Exception as error:
        return _fault(f"{type(error).__name__}: {error}")
    if len(executed.result) > RESULT_LARGEST:
        return _fault(f"a result of {len(executed.result)} bytes")
    return executed


def _fault(what: str) -> Broken:
    return Broken(
        f"the rules failed on this action: {what[:300]}",
        next="report it with the action; other actions are not affected",
        now="the action was not recorded",
    )
