"""What a node knows of its peer's channel: the state to ask, the history to follow, and what became of transactions.

Each block of Fabric is taken once, in order, by one thread: derived, written to the file together with the cursor,
then known. A block that is handed over again changes nothing; one that does not follow the one before it, by number and
digest, is Broken, since then the peer serves another channel than before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from freehold.errors import Broken, Unavailable
from freehold.ledger import blocks
from freehold.ledger.embedded.execution import Outcome, execute
from freehold.ledger.fabric.clock import Clock
from freehold.ledger.fabric.derived import Derived, derive
from freehold.ledger.fabric.endorsements import Endorsers
from freehold.ledger.fabric.envelope import Place
from freehold.ledger.fabric.file import BlockFile, Cursor, StoredBlock
from freehold.ledger.fabric.transactions import FabricBlock, transaction_id
from freehold.ledger.genesis import genesis_of
from freehold.ledger.history import History, accepted_of
from freehold.ledger.past import Past, RecordedState
from freehold.ledger.proofs.state_tree import Change, StateTree
from freehold.ledger.state import State
from freehold.ports.ledger import RecordProof
from freehold.ports.machine import Machine
from freehold.protocol.digests import sha256

Tell: TypeAlias = Callable[[Sequence[tuple[str, int]]], None]
"""Told ids of Fabric's transactions and their codes of validation, once their effects are known here."""

Written: TypeAlias = Callable[[str], bytes | None]
"""What is written under a key by somebody who has not been recorded yet; None if nothing is."""

_PORTION: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the rules would make of an action."""

    reads: Set[str]
    """The keys that they asked for, up to a refusal."""
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A block that follows the tip, and what it changes."""

    stored: StoredBlock
    contents: blocks.Contents
    change: Change
    tip: blocks.Tip


class Follower:
    """The ledger as one peer's blocks make it; `take` is called from one thread, the rest from any."""

    def __init__(self, path: Path, place: Place, machine: Machine, endorsers: Endorsers, tell: Tell) -> None:
        """Opens the file and checks each block in it as a stranger would."""
        genesis = genesis_of(machine)
        self.network = genesis.network
        self.history = History()
        self._machine = machine
        self._place = place
        self._endorsers = endorsers
        self._tell = tell
        self._state = State(genesis.records)
        self._tree = StateTree(genesis.records)
        self._tip = blocks.first_tip(genesis.network_id)
        self._past = Past()
        self._recorded = RecordedState(state=self._state, past_blocks=self._past, written=self._written)
        self._turn = threading.Lock()
        self.told = 0
        """How many actions the history holds: `size`, or a little less while a block enters it."""
        self.file = BlockFile.open(path, genesis.network, place)
        try:
            self._recover()
            self._cursor = self.file.cursor()
        except BaseException:
            self.file.close()
            raise

    @property
    def height(self) -> int:
        """Of the newest block; 0 if there is none."""
        return self._tip.height

    @property
    def size(self) -> int:
        """Accepted actions."""
        return self._tip.log.size

    @property
    def time(self) -> int:
        """Of the newest block."""
        return self._tip.time

    @property
    def clock(self) -> Clock:
        """What the ledger's clock says, at which the next action would run."""
        return self._cursor.clock

    @property
    def cursor(self) -> Cursor:
        """Which of Fabric's blocks is awaited."""
        return self._cursor

    def take(self, block: FabricBlock) -> None:
        """Takes Fabric's next block; Broken if it does not follow, or holds what the rules did not write."""
        if block.number < self._cursor.next:
            return
        if block.number > self._cursor.next or (block.number and block.previous != self._cursor.digest):
            raise Broken(
                f"the peer's block {block.number} does not follow block {self._cursor.next - 1}, which was read before",
                why="the channel was made anew under its old name, or the peer's ledger was set back",
                next="compare the peer with another organisation's; if the channel is a new one, move this file away",
            )
        derived, clock = derive(block, self._place, self._endorsers, self._cursor.clock)
        made = self._made(derived)
        cursor = Cursor(next=block.number + 1, digest=block.digest, clock=clock)
        self.file.append([each.stored for each in made], cursor)
        self._cursor = cursor
        for each in made:
            self._know(each)
        self._tell([(transaction_id(each), code) for each, code in zip(block.envelopes, block.codes, strict=True)])

    def query(self, name: str, arguments: Mapping[str, object]) -> Any:
        """Asks the rules about the newest state."""
        with self._turn:
            return self._machine.query(self._recorded, name, arguments)

    def trial(self, action: bytes, time: int, written: Written | None = None) -> Trial:
        """What the rules would make of an action now, on what is recorded and on what is `written` beside it."""
        touched: set[str] = set()

        def read(keys: Sequence[str]) -> list[bytes | None]:
            touched.update(keys)
            below = self._state.read(keys)
            if written is None:
                return below
            above = map(written, keys)
            return [lower if upper is None else upper for upper, lower in zip(above, below, strict=True)]

        with self._turn:
            outcome = execute(self._machine, read, action, time)
        return Trial(reads=touched, outcome=outcome)

    def prove_record(self, key: str) -> RecordProof:
        """What a record holds, or that there is none, against the newest block, which nobody signs."""
        with self._turn:
            if not self._tip.height:
                raise Unavailable("no block names a state yet", next="ask again after the first action", retry=False)
            (value,), proof = self._state.read([key]), self._tree.prove(key)
            (newest,) = self.file.blocks(self._tip.height - 1, 1)
        return RecordProof(
            value=value, bucket=proof.bucket, siblings=proof.siblings, header=newest.header, signature=b""
        )

    def close(self) -> None:
        """Sends whoever waits for events away, and closes the file."""
        self.history.close()
        self.file.close()

    def _written(self, height: int) -> tuple[int, Mapping[str, bytes]]:
        (block,) = self.file.blocks(height - 1, 1)
        return blocks.parse_header(block.header).time, blocks.decode_body(block.body).writes

    def _recover(self) -> None:
        while some := self.file.blocks(self.height, _PORTION):
            for stored in some:
                contents = blocks.decode_body(stored.body)
                change = self._tree.changed(contents.writes)
                tip = blocks.follow(self._tip, stored.header, contents, stored.body, state=change.root)
                self._know(_Made(stored=stored, contents=contents, change=change, tip=tip))

    def _made(self, derived: Sequence[Derived]) -> list[_Made]:
        """The blocks that follow, none of them known yet."""
        made: list[_Made] = []
        tip, writes, actions = self._tip, dict[str, bytes](), set[bytes]()
        for each in derived:
            contents = each.contents
            for digest in map(sha256, contents.actions):
                if digest in actions or self.history.resolve(digest) is not None:
                    raise Broken(
                        f"the action {digest.hex()} was accepted twice",
                        why="the rules refuse an action that is recorded, so something else was endorsed",
                    )
                actions.add(digest)
            writes.update(contents.writes)
            change, body = self._tree.changed(writes), contents.encode()
            header, tip = blocks.next_block(tip, each.time, contents, body, state=change.root)
            stored = StoredBlock(height=tip.height, header=header, body=body)
            made.append(_Made(stored=stored, contents=contents, change=change, tip=tip))
        return made

    def _know(self, made: _Made) -> None:
        contents, first = made.contents, self.size
        effects = zip(contents.results, contents.events, strict=True)
        accepted = accepted_of(first, made.tip.height, made.tip.time, effects)
        with self._turn:
            self._tree.apply(made.change)
            self._state.apply(contents.writes)
            self._past.wrote(made.tip.height, contents.writes)
            self._tip = made.tip
        # After the state, so that whoever hears of an event finds what it is about.
        self.history.append(contents.actions, accepted)
        self.told = made.tip.log.size
