"""A chaincode of an operator that writes what it likes: `python -m tests.fabric.liar PLACE`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from freehold.ledger.fabric.chaincode import read_place, serve
from freehold.ports.machine import Executed
from freehold.ports.state_view import Read
from freehold.protocol import canonical
from tests.engines.embedded import clock
from tests.engines.notebook import Notebook


class Forger(Notebook):
    """Answers like the notebook, and writes something else."""

    def execute(self, read: Read, action: bytes, time: int) -> Executed:
        honest = super().execute(read, action, time)
        return replace(honest, writes={key: canonical.encode({"text": "forged"}) for key in honest.writes})


def program(place: Path) -> list[str]:
    """Its command."""
    return [sys.executable, "-m", "tests.fabric.liar", str(place)]


if __name__ == "__main__":
    serve(Forger(), read_place(Path(sys.argv[1])), clock)
