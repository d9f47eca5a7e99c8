"""A witness: remembers the last checkpoint of each log that it watches, and cosigns what only grew out of it.

It speaks C2SP's `tlog-witness`. A request is one body:

    old <size>
    <base64 of a digest>        the consistency proof from `old` to the checkpoint, one line each
    <empty line>
    <the operator's signed note>

The answer to a good one is the witness's line. What it remembers is on the disk before it signs, in one SQLite
transaction: a witness that forgot could be brought to cosign two histories. So it refuses whenever its disk fails.
"""

from __future__ import annotations

import base64
import binascii
import re
import sqlite3
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from freehold.errors import Invalid, Unavailable
from freehold.ledger.proofs import paths
from freehold.ledger.proofs.checkpoint import LARGEST, Checkpoint, open_checkpoint
from freehold.ledger.proofs.cosignature import cosign

REQUEST_LARGEST = LARGEST + 63 * 45 + 64
"""Bytes of a request: a note, and a proof of at most 63 digests."""
_PROOF_LARGEST = 63
_OLD = re.compile("old (0|[1-9][0-9]{0,15})", re.ASCII)
_SCHEMA = "CREATE TABLE IF NOT EXISTS seen(network TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL) STRICT"


@dataclass(frozen=True, slots=True)
class Said:
    """An answer over HTTP."""

    status: int
    body: str
    media_type: str = "text/plain; charset=utf-8"


class Witness:
    """Watches the logs of some networks; safe to use from many threads."""

    def __init__(
        self, file: Path, *, name: str, seed: bytes, watched: Mapping[str, bytes], clock: Callable[[], int]
    ) -> None:
        """`watched` holds network ids and the public keys of their operators; `clock` tells seconds.

        Raises Unavailable if another process has the file, or it cannot be written.
        """
        self._name = name
        self._seed = seed
        self._watched = dict(watched)
        self._clock = clock
        self._turn = threading.Lock()
        try:
            self._memory = sqlite3.connect(file, timeout=0.0, isolation_level=None, check_same_thread=False)
            # One witness, one memory: two would each remember another half of what was signed.
            for statement in ("PRAGMA locking_mode=EXCLUSIVE", "PRAGMA synchronous=EXTRA", "BEGIN EXCLUSIVE", _SCHEMA):
                self._memory.execute(statement)
            self._memory.execute("COMMIT")
        except sqlite3.Error as error:
            raise Unavailable(
                f"the witness cannot use its memory {file}: {error}",
                next="see that no other witness runs on it, and that the folder can be written",
                retry=False,
            ) from None

    def add_checkpoint(self, request: bytes) -> Said:
        """Cosigns a checkpoint that grew out of the last one; else says, as the standard asks, why not."""
        try:
            old, proof, note = _parse(request)
            network_id = note.partition("\n")[0].removeprefix("freehold/")
            operator = self._watched.get(network_id)
            if operator is None:
                return Said(404, "this witness does not watch that log\n")
        except Invalid as invalid:
            return Said(400, f"{invalid.what}\n")
        try:
            checkpoint = open_checkpoint(note, network_id=network_id, operator=operator)
        except Invalid as invalid:
            return Said(403, f"{invalid.what}\n")
        if old > checkpoint.size:
            return Said(400, "the old size is above that of the checkpoint\n")
        with self._turn:
            return self._judged(old, proof, checkpoint)

    def close(self) -> None:
        """Lets the memory go."""
        self._memory.close()

    def _judged(self, old: int, proof: list[bytes], checkpoint: Checkpoint) -> Said:
        found = self._memory.execute(
            "SELECT size, root FROM seen WHERE network = ?", (checkpoint.network_id,)
        ).fetchone()
        size, root = found or (0, b"")
        if old != size:
            return Said(409, f"{size}\n", "text/x.tlog.size")
        same = size == checkpoint.size
        if same and size and root != checkpoint.root:
            return Said(409, f"{size}\n", "text/x.tlog.size")
        if size and not same and not paths.grew(proof, size, root, checkpoint.size, checkpoint.root):
            return Said(422, "the log did not grow out of the one that this witness has seen\n")
        try:
            self._remember(checkpoint)
        except sqlite3.Error as error:
            return Said(503, f"the witness cannot remember, so it does not sign: {error}\n")
        line = cosign(checkpoint.text(), name=self._name, seed=self._seed, time=self._clock())
        return Said(200, line)

    def _remember(self, checkpoint: Checkpoint) -> None:
        """Durable before anything is signed: if the power fails between the two, only a signature is missing."""
        self._memory.execute(
            "INSERT OR REPLACE INTO seen VALUES (?, ?, ?)",
            (checkpoint.network_id, checkpoint.size, checkpoint.root),
        )


def request_of(old: int, proof: tuple[bytes, ...], note: str) -> bytes:
    """The body that asks a witness to cosign a note."""
    lines = [f"old {old}", *(base64.b64encode(digest).decode("ascii") for digest in proof), "", note]
    return "\n".join(lines).encode()


def _parse(request: bytes) -> tuple[int, list[bytes], str]:
    """The old size, the proof and the note of a request; Invalid if it is none."""
    if len(request) > REQUEST_LARGEST:
        raise Invalid(f"a request has at most {REQUEST_LARGEST} bytes")
    try:
        head, _, note = request.decode("utf-8").partition("\n\n")
        first, *lines = head.split("\n")
        size = _OLD.fullmatch(first)
        if size is None:
            raise Invalid("a request begins with the old size")
        proof = [base64.b64decode(line, validate=True) for line in lines]
    except (UnicodeDecodeError, binascii.Error, ValueError):
        raise Invalid("the request cannot be read") from None
    if len(proof) > _PROOF_LARGEST or any(len(digest) != 32 for digest in proof):
        raise Invalid(f"a proof has at most {_PROOF_LARGEST} digests of 32 bytes")
    return int(size[1]), proof, note
