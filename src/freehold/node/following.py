"""Following another node: its blocks are pulled, checked and kept, and what it says of the past is compared with them.

A follower believes the operator's key and nothing else. If the operator shows less than before, or something else,
the follower stops, keeps what proves it (two notes that the operator signed, or a block), and goes on serving what
it had verified.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from freehold.errors import Broken, FreeholdError, Invalid
from freehold.ledger.embedded.copy import CopiedLedger
from freehold.ledger.messages import BLOCKS_LARGEST
from freehold.ledger.proofs.checkpoint import open_checkpoint
from freehold.ports.ledger import Block, Ledger

NOTE = "checkpoint.txt"
"""The last note of the operator that the copy agreed with."""
_SECONDS = 1.0

Told = Callable[[str], None]
"""Told one line about something that an operator of a follower wants to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """The operator contradicts itself."""

    why: str
    ours: str
    """The last note that the copy agreed with."""
    theirs: str
    """What the operator shows now."""
    block: Block | None = None


class Following:
    """Keeps a copy up to date in a thread of its own, until it is closed or the operator contradicts itself."""

    def __init__(
        self, leader: Ledger, ledger: CopiedLedger, folder: Path, *, network_id: str, operator: bytes, told: Told
    ) -> None:
        self._leader = leader
        self._ledger = ledger
        self._folder = folder
        self._network_id = network_id
        self._operator = operator
        self._told = told
        self._kept = _read(folder / NOTE)
        self._stopped = threading.Event()
        self.contradiction: Contradiction | None = None
        self.away = ""
        """Why the node could not be reached the last time; empty if it could."""
        self._thread = threading.Thread(target=self._run, name="node-following", daemon=True)

    def start(self) -> None:
        """Compares what was kept with the copy, then begins; Invalid if the copy is not what was once verified."""
        if self._kept:
            kept = open_checkpoint(self._kept, network_id=self._network_id, operator=self._operator)
            if kept.size > self._ledger.tip.log.size or not self._ledger.agrees(kept, self._kept):
                raise Invalid(
                    f"this copy is not the one that agreed with {self._folder / NOTE}",
                    why="it was set back or replaced since",
                    next="keep both, and begin a fresh copy in another folder",
                )
        self._thread.start()

    def step(self) -> bool:
        """Looks once; whether there was anything new. Raises Unavailable if the node cannot be reached."""
        note = self._leader.info().checkpoint
        checkpoint = open_checkpoint(note, network_id=self._network_id, operator=self._operator)
        if self._kept:
            before = open_checkpoint(self._kept, network_id=self._network_id, operator=self._operator)
            if checkpoint.size < before.size:
                why = f"the operator signed a log of {before.size} actions and now shows {checkpoint.size}"
                self._contradicted(Contradiction(why=why, ours=self._kept, theirs=note))
                return False
        while self._ledger.tip.log.size < checkpoint.size:
            for block in self._leader.export(self._ledger.tip.height, BLOCKS_LARGEST):
                try:
                    self._ledger.take(block)
                except Invalid as invalid:
                    self._contradicted(Contradiction(why=invalid.what, ours=self._kept, theirs=note, block=block))
                    return False
            if self._stopped.is_set():
                return False
        if not self._ledger.agrees(checkpoint, note):
            why = f"the operator signed two logs of {checkpoint.size} actions"
            self._contradicted(Contradiction(why=why, ours=self._kept, theirs=note))
            return False
        if note != self._kept:
            _write(self._folder / NOTE, note)
            self._kept = note
            return True
        return False

    def close(self) -> None:
        """Follows no longer."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set() and self.contradiction is None:
            try:
                self.step()
                if self.away:
                    self._told("the node answers again")
                self.away = ""
            except FreeholdError as error:
                if not self.away:
                    self._told(f"the node cannot be followed: {error.what}")
                self.away = error.what
            self._stopped.wait(_SECONDS)

    def _contradicted(self, found: Contradiction) -> None:
        document: dict[str, object] = {"why": found.why, "network": self._network_id, "operator": self._operator.hex()}
        document |= {"ours": found.ours, "theirs": found.theirs}
        if found.block is not None:
            block = found.block
            document |= {"header": block.header.decode("utf-8", "replace"), "signature": block.signature.hex()}
            document |= {
                "actions": [each.hex() for each in block.actions],
                "results": [each.hex() for each in block.results],
            }
        path = self._folder / f"contradiction-{int(time.time())}.json"
        _write(path, json.dumps(document, indent=1) + "\n")
        self.contradiction = found
        self._ledger.trouble = Broken(
            f"the operator contradicts itself: {found.why}",
            next=f"show the proof to the other members: {path}",
            now="nothing was sent; what was verified before is still served",
        )
        self._told(
            f"THE OPERATOR CONTRADICTS ITSELF: {found.why}; the proof is kept in {path}; this copy follows no more"
        )


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def _write(path: Path, text: str) -> None:
    """Whole and on the disk, or not at all."""
    arriving = path.with_name(f".{path.name}")
    with arriving.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    arriving.replace(path)
