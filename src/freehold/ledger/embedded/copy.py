"""A copy of another operator's ledger: every block is checked as an auditor would before it is kept.

The copy has a file of its own, of the same form and with the operator's signatures; it signs nothing. Whatever the
operator later says of the past, the copy and the last checkpoint that it saw say what the operator said before.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path

from freehold.errors import FreeholdError, Invalid, Refused, Unavailable
from freehold.ledger import blocks
from freehold.ledger.embedded.execution import in_order
from freehold.ledger.embedded.executor import Answer, Clock, Executor
from freehold.ledger.embedded.file import BlockFile, Row, Title
from freehold.ledger.embedded.ledger import EmbeddedLedger
from freehold.ledger.genesis import genesis_of
from freehold.ledger.history import History, accepted_of
from freehold.ledger.proofs.checkpoint import Checkpoint
from freehold.ports.ledger import Accepted, Block, LedgerInfo
from freehold.ports.machine import Executed, Machine


class Copier(Executor):
    """The one who keeps blocks that somebody else made."""

    @classmethod
    def begin(cls, path: Path, machine: Machine, operator: bytes, clock: Clock, history: History) -> Copier:
        """Opens the copy in the file at `path`, or begins one; raises what `Executor.open` raises."""
        genesis = genesis_of(machine)
        file = BlockFile.open(path, Title(network=genesis.network, operator=operator))
        try:
            # It makes no block, so there is no key and no order of its own.
            return cls(file, machine, genesis, history.append, operator_seed=b"", clock=clock, execution=in_order)
        except FreeholdError:
            file.close()
            raise

    @property
    def tip(self) -> blocks.Tip:
        """How far the copy has come."""
        return self._tip

    def take(self, block: Block) -> list[Accepted]:
        """Checks the next block and keeps it; Invalid at the first thing that is wrong, and then nothing is kept."""
        tip, height = self._tip, self._tip.height + 1
        blocks.check_signature(height, block.header, block.signature, self.file.title.operator)
        header = blocks.parse_header(block.header)
        if header.previous != tip.digest:
            raise Invalid(f"block {height} does not follow the block that was block {tip.height} before")
        effects = self._effects(height, header.time, block)
        contents = blocks.Contents.of(block.actions, effects)
        body, change = contents.encode(), self._tree.changed(contents.writes)
        after = blocks.follow(tip, block.header, contents, body, state=change.root)
        self.file.append(Row(height=height, header=block.header, signature=block.signature, body=body))
        self._take_over(contents, change, after)
        return accepted_of(tip.log.size, height, after.time, [(each.result, each.events) for each in effects])

    def _effects(self, height: int, time: int, block: Block) -> list[Executed]:
        if not 0 < len(block.actions) <= blocks.ACTIONS_LARGEST or len(block.results) != len(block.actions):
            raise Invalid(f"block {height}: one result for each of 1 to {blocks.ACTIONS_LARGEST} actions")
        written: dict[str, bytes] = {}
        read, effects = partial(self._state.read_over, written), []
        for action, result in zip(block.actions, block.results, strict=True):
            try:
                executed = self._machine.execute(read, action, time)
            except Refused as refused:
                raise Invalid(f"block {height} records an action that the rules refuse: {refused.code}") from None
            if executed.result != result:
                raise Invalid(f"block {height} records a result that the rules do not give")
            written.update(executed.writes)
            effects.append(executed)
        return effects


class CopiedLedger(EmbeddedLedger):
    """A ledger that can be read and not written; satisfies `ports.ledger.Engine`."""

    def __init__(self, copier: Copier, history: History, leader: str) -> None:
        """`leader` is where whoever wants to write is sent."""
        super().__init__(copier, history)
        self._copier = copier
        self._note = ""
        self.trouble: FreeholdError = Unavailable(
            "this node keeps a copy and records nothing",
            next=f"send it to the node that writes: {leader}",
            now="nothing was sent",
            retry=False,
        )
        """Why nothing is recorded here."""

    @classmethod
    def begin(cls, path: Path, machine: Machine, operator: bytes, clock: Clock, leader: str) -> CopiedLedger:
        """Opens the copy in the file at `path`, or begins one; raises what `Executor.open` raises."""
        history = History()
        return cls(Copier.begin(path, machine, operator, clock, history), history, leader)

    @property
    def tip(self) -> blocks.Tip:
        """How far the copy has come."""
        return self._copier.tip

    def take(self, block: Block) -> None:
        """Checks the next block and keeps it; Invalid at the first thing that is wrong."""
        self._history.append(block.actions, self._copier.take(block))

    def agrees(self, checkpoint: Checkpoint, note: str) -> bool:
        """Whether the copy's log begins with that of a checkpoint not above it; if so, the note is what it shows."""
        if self._history.root(checkpoint.size) != checkpoint.root:
            return False
        self._note = note
        return True

    def enqueue(self, actions: Sequence[bytes]) -> Future[list[Answer]]:
        """Nothing is written here."""
        raise self.trouble.with_traceback(None)

    def info(self) -> LedgerInfo:
        """Which ledger this is a copy of, with the last checkpoint of its operator that the copy agrees with."""
        tip = self._copier.tip
        title = self._file.title
        return LedgerInfo(
            network=title.network,
            operator=title.operator.hex(),
            height=tip.height,
            size=tip.log.size,
            time=self._copier.now(),
            checkpoint=self._note,
        )
