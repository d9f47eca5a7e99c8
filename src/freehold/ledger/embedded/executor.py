"""The path of an action from a block's beginning to its answer, on one machine and in one thread.

Promise: what was acknowledged is on disk and survives a power loss; what was not is wholly there or wholly absent; the
state is the replay of the blocks; nobody sees what is not durable.

The argument is made at each step of `_record_block`, where the power may fail between any two lines. Memory is changed
only after the disk, so memory is never ahead of it. If a write fails in a way that leaves open what the disk holds,
memory may be *behind* it: then nothing more is written, questions are still answered from memory (all of it durable),
and a restart reads back what is there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from freehold.errors import Broken, FreeholdError, Unavailable
from freehold.ledger import blocks
from freehold.ledger.embedded.execution import Execution, in_order
from freehold.ledger.embedded.file import BlockFile, Row, Title
from freehold.ledger.embedded.recovery import Heard, recover
from freehold.ledger.genesis import Genesis, genesis_of
from freehold.ledger.history import accepted_of
from freehold.ledger.past import RecordedState
from freehold.ledger.proofs.checkpoint import sign_checkpoint
from freehold.ledger.proofs.state_tree import Change
from freehold.ports.ledger import Accepted, LedgerInfo, RecordProof
from freehold.ports.machine import Executed, Machine
from freehold.protocol import signatures

Clock: TypeAlias = Callable[[], int]
"""The operator's time in milliseconds."""
Answer: TypeAlias = Accepted | FreeholdError


class Executor:
    """The one who writes: rules, trees and file of one ledger. One thread records; any thread asks."""

    def __init__(
        self,
        file: BlockFile,
        machine: Machine,
        genesis: Genesis,
        heard: Heard,
        *,
        operator_seed: bytes,
        clock: Clock,
        execution: Execution,
    ) -> None:
        recovered = recover(file, genesis, heard)
        self.file = file
        self._machine = machine
        self._genesis = genesis
        self._operator_seed = operator_seed
        self._clock = clock
        self._execution = execution
        self._state = recovered.state
        self._tree = recovered.tree
        self._past = recovered.past
        self._recorded = RecordedState(state=self._state, past_blocks=self._past, written=self._written)
        self._tip = recovered.tip
        self._reading = threading.Lock()
        self._broken: Broken | None = None

    @classmethod
    def open(
        cls,
        path: Path,
        machine: Machine,
        operator_seed: bytes,
        clock: Clock,
        *,
        execution: Execution = in_order,
        heard: Heard = lambda _, __: None,
    ) -> Executor:
        """Opens the ledger in the file at `path`, or begins one there; `heard` is told every action that it holds.

        Raises Unavailable if another node has it open or the disk does not allow it, Invalid if the file is another
        network's or another operator's, Broken if any byte of its blocks was altered.
        """
        genesis = genesis_of(machine)
        title = Title(network=genesis.network, operator=signatures.public_key(operator_seed))
        file = BlockFile.open(path, title)
        try:
            return cls(file, machine, genesis, heard, operator_seed=operator_seed, clock=clock, execution=execution)
        except FreeholdError:
            file.close()
            raise

    def query(self, query: str, arguments: Mapping[str, object]) -> Any:
        """Asks the rules about the newest durable state."""
        with self._reading:
            return self._machine.query(self._recorded, query, arguments)

    def prove(self, key: str) -> RecordProof:
        """What a record holds, or that there is none, against the newest block; Unavailable before the first."""
        with self._reading:
            tip = self._tip
            (value,) = self._state.read([key])
            proof = self._tree.prove(key)
        if tip.height == 0:
            raise Unavailable("no block names a state yet", next="ask again after the first action", retry=False)
        (row,) = self.file.rows(tip.height - 1, 1)
        return RecordProof(
            value=value, bucket=proof.bucket, siblings=proof.siblings, header=row.header, signature=row.signature
        )

    def info(self) -> LedgerInfo:
        """Which ledger this is and how far it has come, with a signed checkpoint of durable actions alone."""
        tip = self._tip
        return LedgerInfo(
            network=self._genesis.network,
            operator=self.file.title.operator.hex(),
            height=tip.height,
            size=tip.log.size,
            time=self._now(tip),
            checkpoint=sign_checkpoint(tip.log, network_id=self._genesis.network_id, operator_seed=self._operator_seed),
        )

    def now(self) -> int:
        """The ledger's present time, milliseconds."""
        return self._now(self._tip)

    def record(self, actions: Sequence[bytes]) -> list[Answer]:
        """Makes one block of some actions, at most `blocks.ACTIONS_LARGEST`; the answer of each stands at its place.

        Never raises. What it answers is durable.
        """
        if self._broken is None:
            try:
                return self._record_block(actions)
            except Broken as error:
                self._broken = error
            except Unavailable as error:
                # A refusal of this block may rest on an action before it that is now lost: so none is given.
                return [error] * len(actions)
            except Exception as error:
                self._broken = Broken(
                    f"the ledger failed: {type(error).__name__}: {error}",
                    next="start the node again: it reads back what is on disk",
                    now="sent, outcome unknown",
                )
        return [self._broken] * len(actions)

    def close(self) -> None:
        """Closes the file."""
        self.file.close()

    def _written(self, height: int) -> tuple[int, Mapping[str, bytes]]:
        (row,) = self.file.rows(height - 1, 1)
        return blocks.parse_header(row.header).time, blocks.decode_body(row.body).writes

    def _now(self, tip: blocks.Tip) -> int:
        # The operator's clock may be set back; the time of a ledger never is.
        return max(self._clock(), tip.time)

    def _take_over(self, contents: blocks.Contents, change: Change, after: blocks.Tip) -> None:
        """A block that is on the disk becomes the present."""
        with self._reading:
            self._state.apply(contents.writes)
            self._tree.apply(change)
            self._past.wrote(after.height, contents.writes)
            self._tip = after

    def _record_block(self, actions: Sequence[bytes]) -> list[Answer]:
        """The write path. One thread is here at a time, and only here state and tip change."""
        tip = self._tip
        time = self._now(tip)

        # 1. Execute. State is read, not written. Power lost here: nothing is on disk and nobody was told; it never was.
        outcomes = self._execution(self._machine, self._state, actions, time)
        accepted = [
            (action, outcome)
            for action, outcome in zip(actions, outcomes, strict=True)
            if isinstance(outcome, Executed)
        ]
        if not accepted:
            return [outcome for outcome in outcomes if isinstance(outcome, FreeholdError)]

        # 2. Seal the block: state root, header, chain, signature. Still in memory only, in values of its own.
        contents = blocks.Contents.of([action for action, _ in accepted], [effects for _, effects in accepted])
        body = contents.encode()
        change = self._tree.changed(contents.writes)
        header, after = blocks.next_block(tip, time, contents, body, state=change.root)
        signature = blocks.sign_header(header, self._operator_seed)

        # 3. Commit. One row, one transaction, one sync for all actions of the block. Power lost before the sync is
        # complete: at the next start SQLite finds the row's frames whole, and takes it, or not, and drops all of it.
        # Nobody was told either way. Power lost after: the row stays.
        self.file.append(Row(height=after.height, header=header, signature=signature, body=body))

        # 4. Take over. Memory changes only now, behind the disk, and before anybody hears of it: whoever hears of an
        # event finds what it is about. Power lost here: step 3 holds.
        self._take_over(contents, change, after)

        # 5. Answer. What was acknowledged is on disk; an answer lost on its way is found again by `resolve`.
        answers = iter(accepted_of(tip.log.size, after.height, time, [(it.result, it.events) for _, it in accepted]))
        return [next(answers) if isinstance(outcome, Executed) else outcome for outcome in outcomes]
