"""Asking witnesses: each new checkpoint is shown to some of them, and what a quorum has cosigned is told to all.

Witnesses are asked in a thread of their own, once a second at most. If they are slow, away or refuse, members hear
nothing of it: writes go on, and the newest witnessed checkpoint is just older than the newest one.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from freehold.errors import FreeholdError, Invalid
from freehold.ledger.proofs.checkpoint import LARGEST
from freehold.ledger.proofs.cosignature import cosignatures
from freehold.ledger.witness import request_of
from freehold.ports.ledger import Engine, LedgerInfo
from freehold.transport.client import NodeClient

_SECONDS = 1.0
_SIZE = "text/x.tlog.size"


@dataclass
class AskedWitness:
    """A witness that a node asks: where, and by which key it is known."""

    url: str
    name: str
    key: bytes
    seen: int = 0
    """The size that it has seen, as far as is known here."""
    trouble: str = ""
    """Why it did not cosign the last time; empty if it did."""
    client: NodeClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = NodeClient(self.url)


class Witnessing:
    """Keeps the newest checkpoint that a quorum of witnesses has cosigned."""

    def __init__(self, engine: Engine, witnesses: Sequence[AskedWitness], quorum: int) -> None:
        if not 0 < quorum <= len(witnesses):
            raise Invalid(f"a quorum of {len(witnesses)} witnesses is 1 to {len(witnesses)}, not {quorum}")
        self.witnesses = tuple(witnesses)
        self._engine = engine
        self._quorum = quorum
        self._note = ""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="node-witnesses", daemon=True)
        self._thread.start()

    def note(self) -> str:
        """The newest checkpoint with the lines of at least a quorum; empty if there is none yet."""
        return self._note

    def close(self) -> None:
        """Asks nobody any more."""
        self._stopped.set()
        self._thread.join()
        for witness in self.witnesses:
            witness.client.close()

    def _run(self) -> None:
        done = -1
        while not self._stopped.wait(_SECONDS):
            try:
                info = self._engine.info()
            except FreeholdError:
                continue
            if info.size != done and self._shown(info):
                done = info.size

    def _shown(self, info: LedgerInfo) -> bool:
        """Shows one checkpoint to every witness; whether a quorum has cosigned it."""
        lines = [line for witness in self.witnesses if (line := self._asked(witness, info))]
        note = info.checkpoint + "".join(lines)
        keys = {witness.name: witness.key for witness in self.witnesses}
        if len(cosignatures(note, keys)) < self._quorum:
            return False
        self._note = note
        return True

    def _asked(self, witness: AskedWitness, info: LedgerInfo) -> str:
        """The line of one witness, empty if it gives none. What it has seen may be news to us: then once more."""
        try:
            for _ in range(2):
                growth = witness.seen and witness.seen < info.size
                proof = self._engine.prove_growth(witness.seen, info.size) if growth else ()
                status, kind, body = witness.client.post(
                    "/add-checkpoint", request_of(witness.seen, proof, info.checkpoint), LARGEST
                )
                if status == 200:
                    witness.seen, witness.trouble = info.size, ""
                    return body
                witness.trouble = f"it answered {status}: {body.strip()[:200]}"
                if status != 409 or not kind.startswith(_SIZE) or not body.strip().isdigit() or len(body) > 17:
                    return ""
                seen = int(body)
                if seen > info.size:
                    witness.trouble = f"it has seen {seen} actions, and this ledger holds {info.size}"
                    return ""
                witness.seen = seen
        except FreeholdError as error:
            witness.trouble = error.what
        return ""
