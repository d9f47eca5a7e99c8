"""The program beside a Fabric peer, under the rules of the notebook: `python -m tests.engines.chaincode PLACE`.

Tests deploy it under many names, so it answers under every one.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from freehold.ledger.fabric.chaincode import read_place, serve
from tests.engines.embedded import clock
from tests.engines.notebook import Notebook


def program(place: Path) -> list[str]:
    """Its command."""
    return [sys.executable, "-m", "tests.engines.chaincode", str(place)]


if __name__ == "__main__":
    serve(Notebook(), msgspec.structs.replace(read_place(Path(sys.argv[1])), chaincode=""), clock)
