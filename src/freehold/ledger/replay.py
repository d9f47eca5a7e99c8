"""State = replay(blocks): whoever holds the network record and the blocks can run every action again.

The replay trusts nobody. It checks each signature of the operator and the chain of headers, executes every action at
its block's time, and compares results, events, written records and the state's root with what the header promised. What
comes out is the state, or the first thing that is wrong.
"""

from __future__ import annotations

from freehold.errors import Invalid, Refused
from freehold.ledger import blocks
from freehold.ledger.genesis import genesis_of
from freehold.ledger.proofs.state_tree import StateTree
from freehold.ledger.state import State
from freehold.ports.ledger import Block
from freehold.ports.machine import Executed, Machine
from freehold.protocol.limits import ACTION_LARGEST


class Replay:
    """A ledger run again from its blocks; `state` and `tip` are those after the blocks applied so far."""

    def __init__(self, machine: Machine, operator: bytes | None) -> None:
        """`operator` is the 32-byte public key that signs; None for a ledger that nobody signs."""
        genesis = genesis_of(machine)
        self._machine = machine
        self._operator = operator
        self.state = State(genesis.records)
        self._tree = StateTree(genesis.records)
        self.tip = blocks.first_tip(genesis.network_id)

    @property
    def root(self) -> bytes:
        """Of the state tree over all records."""
        return self._tree.root

    def apply(self, block: Block) -> tuple[Executed, ...]:
        """Runs the next block and returns what each of its actions did; Invalid at the first thing that is wrong."""
        height = self.tip.height + 1
        if self._operator is not None:
            blocks.check_signature(height, block.header, block.signature, self._operator)
        if not 0 < len(block.actions) <= blocks.ACTIONS_LARGEST or len(block.results) != len(block.actions):
            raise Invalid(f"block {height}: one result for each of 1 to {blocks.ACTIONS_LARGEST} actions")
        time = blocks.parse_header(block.header).time
        effects = tuple(self._execute(height, time, *pair) for pair in zip(block.actions, block.results, strict=True))
        contents = blocks.Contents.of(block.actions, effects)
        change = self._tree.changed(contents.writes)
        self.tip = blocks.follow(self.tip, block.header, contents, contents.encode(), state=change.root)
        self._tree.apply(change)
        return effects

    def _execute(self, height: int, time: int, action: bytes, result: bytes) -> Executed:
        if len(action) > ACTION_LARGEST:
            raise Invalid(f"block {height}: an action has more than {ACTION_LARGEST} bytes")
        try:
            executed = self._machine.execute(self.state.read, action, time)
        except Refused as refused:
            raise Invalid(f"block {height} records an action that the rules refuse: {refused.code}") from None
        if executed.result != result:
            raise Invalid(f"block {height} records a result that the rules do not give")
        self.state.apply(executed.writes)
        return executed
