"""On what a demo's market stands: which engine records it, and the commands that bring it up.

One operator's node is the usual one. On CometBFT four operators found the ledger together, each with a node of its own;
the members talk to the first, and the evidence is what more than two thirds of them signed.
"""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from freehold.demo.people import People
from freehold.demo.processes import Processes
from freehold.ledger.cometbft.client import FILE as APPLICATION
from freehold.node import consortium
from freehold.node.runtime import LEDGER
from freehold.node.trial import operator_folder
from freehold.protocol.identifiers import NetworkId

Engine: TypeAlias = Literal["embedded", "cometbft"]
OPERATORS: Final = 4
"""Of a ledger that several run: as few as can bear one that lies."""
_SKEW: Final[dict[Engine, int]] = {"embedded": 250, "cometbft": 1_500}
"""Milliseconds: on one clock little will do, but a block's time may be as old as the quiet time before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the market is: the folder of the node that its members use, its id, and the address of that node."""

    folder: Path
    network: NetworkId
    url: str
    ledger: Path
    """The file with all that was recorded."""


def require(engine: Engine) -> None:
    """Raises Unavailable if the programs of an engine are not installed."""
    if engine == "cometbft":
        consortium.cometbft(os.environ)


def slowness(engine: Engine) -> int:
    """By how many milliseconds a window of time has to be longer: it has to hold two graces, each of two skews."""
    return 0 if engine == "embedded" else 2 * 2 * _SKEW[engine] - 2_500


def found(engine: Engine, people: People, running: Processes, welcome: str) -> Place:
    """Founds the network as the treasury, and leaves its operators' nodes running."""
    folder, ports = running.work / "network", free_ports(2 * OPERATORS)
    url, skew = f"http://127.0.0.1:{ports[0]}", _SKEW[engine]
    options: Sequence[str] = ()
    if engine == "cometbft":
        options = ("--operators", str(OPERATORS), "--first-port", str(ports[OPERATORS]))
    founded = people.treasury.types(
        "network", "create", folder, "--url", url, "--skew", str(skew), "--grace", str(2 * skew), *options,
        "--welcome-model-owner", welcome, "--no-passphrase", "--yes",
    )  # fmt: skip
    nodes = [folder] if engine == "embedded" else [operator_folder(folder, each + 1) for each in range(OPERATORS)]
    for member, node, port in zip(people.operators(running, len(nodes)), nodes, ports, strict=False):
        member.leaves_running("node", "--network", node, "--port", str(port))
    ledger = nodes[0] / (LEDGER if engine == "embedded" else APPLICATION)
    return Place(folder=nodes[0], network=NetworkId(founded["network"]), url=url, ledger=ledger)


def free_ports(count: int) -> range:
    """As many free ports of this machine, one after the other."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first: int = probe.getsockname()[1]
        ports = range(first, first + count)
        if ports[-1] < 65_536 and all(map(_is_free, ports)):
            return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
