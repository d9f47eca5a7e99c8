"""Looking after a ledger's file: is it whole, a copy while its node runs, and a copy in the place of a lost one.

A copy is written beside its place and gets its name only once all of it was checked and is on the disk. Nothing that
lies there is ever replaced. Nothing makes a ledger smaller: its blocks are the proof of everything (decision 0091).
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from freehold.errors import Invalid, Unavailable
from freehold.ledger import blocks
from freehold.ledger.embedded.file import BlockFile, Row, sync_folder
from freehold.ledger.embedded.ledger import block_of
from freehold.ledger.genesis import genesis_of
from freehold.ledger.proofs.checkpoint import Checkpoint, open_checkpoint
from freehold.ledger.proofs.state_tree import StateTree
from freehold.ledger.replay import Replay
from freehold.ports.machine import Machine

Told: TypeAlias = Callable[[str, int, int], None]
"""Told what is done, how much of it is, and how much there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A file that is whole to its last byte that counts, and true to the rules."""

    network: str
    operator: str
    """The public key that signed every block, hex."""
    height: int
    size: int
    """Actions."""
    time: int
    """Of the newest block, milliseconds; 0 without any."""
    root: str
    """Of the log of all actions, hex."""


def check(path: Path, machine: Machine, *, note: str | None = None, told: Told) -> Checked:
    """Checks everything: pages, signatures, chain, every action by the rules, results, events, records, state roots.

    `note` is a signed checkpoint that was kept elsewhere: it must be of this very log, at its end or earlier. A node
    may run meanwhile. Raises Invalid with the first thing that is wrong, Unavailable if there is no file.
    """
    with closing(BlockFile.read(path)) as file:
        genesis = genesis_of(machine)
        if file.title.network != genesis.network:
            raise Invalid(f"{path} is the ledger of another network")
        kept = (
            None if note is None else open_checkpoint(note, network_id=genesis.network_id, operator=file.title.operator)
        )
        file.require_whole_pages()
        replay, newest = Replay(machine, file.title.operator), file.newest()
        stored, tree = blocks.first_tip(genesis.network_id), StateTree(genesis.records)
        _compare(kept, replay.tip, replay.tip)
        for row in file.rows(0, sys.maxsize):
            before, stored = replay.tip, _as_stored(row, stored, tree)
            replay.apply(block_of(row))
            _compare(kept, before, replay.tip)
            told("checked", row.height, max(newest, row.height))
    tip = replay.tip
    if kept is not None and kept.size > tip.log.size:
        raise Invalid(
            f"the ledger holds {tip.log.size} actions, the checkpoint was signed over {kept.size}",
            why="this is an older copy: whatever came after it was acknowledged and is not here",
            next="find a newer copy, or ask a follower or a witness for what is missing",
        )
    return Checked(
        network=genesis.network_id,
        operator=file.title.operator.hex(),
        height=tip.height,
        size=tip.log.size,
        time=tip.time,
        root=tip.log.root().hex(),
    )


def back_up(path: Path, target: Path, machine: Machine, *, told: Told) -> Checked:
    """Copies a ledger's file as it is at one moment, while its node may go on writing, and checks the copy.

    Raises Invalid if something lies at `target`, or the copy is not whole; then there is no copy.
    """
    with closing(BlockFile.read(path)) as file, _arriving(target) as arriving:
        file.copy(arriving, lambda done, whole: told("copied", done, whole))
        return check(arriving, machine, told=told)


def restore(copy: Path, path: Path, machine: Machine, operator: bytes, *, note: str | None, told: Told) -> Checked:
    """Puts a copy in the place of a ledger's file that is gone; `operator` is the public key of its node.

    Raises Invalid if a ledger lies there, or the copy is not whole, not this network's or not as new as the checkpoint.
    """
    if (log := path.with_name(path.name + "-wal")).exists():
        raise Invalid(
            f"{log} is left of the ledger that is gone",
            why="SQLite would take it for the copy's own and write its pages over those of the copy",
            next="keep it elsewhere: it may hold what was recorded last",
            now="nothing was changed",
        )
    with closing(BlockFile.read(copy)) as file, _arriving(path) as arriving:
        if file.title.operator != operator:
            raise Invalid(f"{copy} was signed by another operator's key than the one that lies beside {path}")
        file.copy(arriving, lambda done, whole: told("copied", done, whole))
        return check(arriving, machine, note=note, told=told)


@contextmanager
def _arriving(target: Path) -> Iterator[Path]:
    """A new file beside `target`, which gets its name at the end of the block, or is gone if that fails."""
    if os.path.lexists(target):
        raise Invalid(f"{target} exists already", next="name another place, or move it away", now="nothing was changed")
    try:
        folder = tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise Unavailable(f"{target} cannot be written: {error.strerror}", next="name another place") from None
    arriving = Path(folder) / "ledger.sqlite"
    try:
        yield arriving
        try:
            # A link, unlike a renaming, never takes the place of what somebody else put there meanwhile.
            os.link(arriving, target)
        except FileExistsError:
            raise Invalid(f"{target} exists already", now="nothing was changed") from None
        except OSError as error:
            raise Unavailable(f"{target} cannot be written: {error.strerror}") from None
        sync_folder(target.parent)
    finally:
        with suppress(OSError):
            shutil.rmtree(folder)


def _as_stored(row: Row, tip: blocks.Tip, tree: StateTree) -> blocks.Tip:
    """The tip after a block by what the file itself says of its events and records: what a node would go on with."""
    if row.height != tip.height + 1:
        raise Invalid(f"block {tip.height + 1} is missing from the file", next="restore it from a copy")
    contents = blocks.decode_body(row.body)
    change = tree.changed(contents.writes)
    after = blocks.follow(tip, row.header, contents, row.body, state=change.root)
    tree.apply(change)
    return after


def _compare(kept: Checkpoint | None, before: blocks.Tip, after: blocks.Tip) -> None:
    """A checkpoint is signed where a block ends: its size is met exactly, with its root, or it is of another log."""
    if kept is None:
        return
    between = before.log.size < kept.size < after.log.size
    if between or (kept.size == after.log.size and kept.root != after.log.root()):
        raise Invalid(
            f"the checkpoint over {kept.size} actions is not about this history",
            why="the operator signed both: together they prove that it showed two histories",
            next="keep the checkpoint and this file, and show them to the others",
        )
