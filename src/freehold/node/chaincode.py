"""The program beside a Fabric peer: `python -m freehold.node.chaincode FOLDER PLACE`.

FOLDER holds the network record, PLACE is a file that says where to listen (`ledger.fabric.chaincode.Place`). It
executes the rules for its peer and keeps nothing. If the record names a chaincode, it answers under that name alone.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

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
    folder, path = map(Path, arguments)
    network, place = read_network(folder), read_place(path)
    if network.channel is not None:
        place = msgspec.structs.replace(place, chaincode=network.channel.chaincode)
    serve(Contract(network), place, system_clock)


if __name__ == "__main__":
    main(sys.argv[1:])
