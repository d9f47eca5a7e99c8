"""From the file back to memory: the state and the tip that every block in the file adds up to.

Nothing but the blocks is stored, so nothing else can disagree with them. Each block is checked as a stranger would:
it is signed, it names the block before it, and its header is the one that its contents give, byte for byte. So a single
flipped byte anywhere in a block is found here, before the ledger answers anybody. The actions themselves are not run
again (`ledger.replay` does that for an audit); what the rules once wrote is what counts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from freehold.errors import Broken, Invalid
from freehold.ledger import blocks
from freehold.ledger.embedded.file import BlockFile, Row
from freehold.ledger.genesis import Genesis
from freehold.ledger.history import accepted_of
from freehold.ledger.past import Past
from freehold.ledger.proofs.state_tree import StateTree
from freehold.ledger.state import State
from freehold.ports.ledger import Accepted

Heard: TypeAlias = Callable[[Sequence[bytes], Sequence[Accepted]], None]
"""Told the actions of one durable block, and what became of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """Everything that the executor holds in memory, as of the newest block of a file."""

    state: State
    tree: StateTree
    past: Past
    tip: blocks.Tip


def recover(file: BlockFile, genesis: Genesis, heard: Heard) -> Recovered:
    """Reads the whole file and tells `heard` of each block; Broken at the first that is not what was once written."""
    state, tree = State(genesis.records), StateTree(genesis.records)
    past, tip = Past(), blocks.first_tip(genesis.network_id)
    try:
        for row in file.rows(0, sys.maxsize):
            contents = blocks.decode_body(row.body)
            change = tree.changed(contents.writes)
            tip = _checked(row, contents, tip, file.title.operator, state=change.root)
            heard(contents.actions, _accepted(row, contents, tip.log.size, tip.time))
            tree.apply(change)
            state.apply(contents.writes)
            past.wrote(tip.height, contents.writes)
    except Invalid as found:
        raise Broken(
            f"the ledger file was changed or damaged: {found}",
            why="every block is chained, hashed and signed, so any altered byte shows",
            next="restore the file from a copy; keep the damaged one as evidence",
            now=f"blocks 1 to {tip.height} are whole; nothing was written",
        ) from None
    return Recovered(state=state, tree=tree, past=past, tip=tip)


def retell(file: BlockFile, heard: Heard) -> None:
    """Tells `heard` of each block of a file that another process has just checked, and checks nothing again."""
    for row in file.rows(0, sys.maxsize):
        contents, header = blocks.decode_body(row.body), blocks.parse_header(row.header)
        heard(contents.actions, _accepted(row, contents, header.size, header.time))


def _accepted(row: Row, contents: blocks.Contents, size: int, time: int) -> list[Accepted]:
    first = size - len(contents.actions)
    return accepted_of(first, row.height, time, zip(contents.results, contents.events, strict=True))


def _checked(row: Row, contents: blocks.Contents, tip: blocks.Tip, operator: bytes, *, state: bytes) -> blocks.Tip:
    """The tip after a stored block; Invalid unless it is the very block that follows."""
    blocks.check_signature(row.height, row.header, row.signature, operator)
    after = blocks.follow(tip, row.header, contents, row.body, state=state)
    if row.height != after.height:
        raise Invalid(f"block {after.height} lies at the place of block {row.height}")
    return after
