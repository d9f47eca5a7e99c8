"""What an action would do, tried by the real rules on a copy of the ledger; nothing leaves this machine.

The copy is either empty, where only the action's own values are in question, or the whole ledger replayed block by
block, so that its answer does not rest on what a node says about the present.
"""

from __future__ import annotations

from freehold.agents.auditor.evidence import record
from freehold.agents.auditor.replay import replay
from freehold.agents.world import Signer
from freehold.contract.host import Contract
from freehold.ledger.state import State
from freehold.ports.ledger import Ledger
from freehold.ports.machine import Executed
from freehold.protocol.actions import Arguments
from freehold.protocol.envelope import sign_action
from freehold.protocol.network import NetworkRecord


class DryRun:
    """A copy of a ledger that takes actions and forgets them with itself."""

    def __init__(self, network: NetworkRecord, state: State | None = None) -> None:
        """Without `state`, the ledger before its first action."""
        self._contract = Contract(network)
        self._state = State(self._contract.genesis()) if state is None else state

    @classmethod
    def on_copy_of(cls, ledger: Ledger) -> DryRun:
        """A copy of everything that `ledger` holds, replayed; raises Invalid if it does not come out as written."""
        replayed = replay(record(ledger))
        return cls(replayed.recording.network, replayed.history.state)

    def knows(self, key: str) -> bool:
        """Whether a record lies under `key`."""
        return self._state.read([key])[0] is not None

    def submit(self, signer: Signer, arguments: Arguments, time: int) -> Executed:
        """What the action would write and tell at `time` (ms); raises Refused as the ledger would."""
        action = sign_action(
            signer.keys.signing,
            network=signer.network,
            function=type(arguments).__name__,
            member=signer.member,
            time=time,
            arguments=arguments,
        )
        executed = self._contract.execute(self._state.read, action, time)
        self._state.apply(executed.writes)
        return executed
