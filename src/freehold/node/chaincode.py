"""The program beside a Fabric peer: `python -m freehold.node.chaincode FOLDER PLACE`.

FOLDER holds the network record, PLACE is a file that says where to listen (`ledger.fabric.chaincode.Place`). It
executes the rules for its peer and keeps nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from freehold.agents.world import system_clock
from freehold.contract.host import Contract
from freehold.ledger.fabric.chaincode import Program, read_place, serve
from freehold.node.runtime import read_network


def program(folder: Path) -> Program:
    """The command of the chaincode of the network in a folder."""
    # -P: a folder called freehold where the operator happens to be is not the program.
    return lambda place: [sys.executable, "-P", "-m", "freehold.node.chaincode", str(folder), str(place)]


def main(arguments: Sequence[str]) -> None:
    """Serves the network in the folder until it is told to end."""
    folder, place = map(Path, arguments)
    serve(Contract(read_network(folder)), read_place(place), system_clock)


if __name__ == "__main__":
    main(sys.argv[1:])
