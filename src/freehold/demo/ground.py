"""On what a demo's market stands: which engine records it, and the commands that bring it up.

One operator's node is the usual one. On CometBFT four operators found the ledger together, each with a node of its own;
the members talk to the first, and the evidence is what more than two thirds of them signed. On Fabric two organisations
have a node and a peer each, and the evidence is what both endorsed and the orderers signed.
"""

import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from freehold.demo.people import People
from freehold.demo.processes import Member, Processes
from freehold.errors import Unavailable
from freehold.ledger.cometbft.client import FILE as APPLICATION
from freehold.node import consortium
from freehold.node.development import ORGANISATIONS, organisation_folder
from freehold.node.organisation import FILE as FABRIC_FILE
from freehold.node.organisation import require_grpc
from freehold.node.runtime import LEDGER
from freehold.node.trial import operator_folder
from freehold.protocol.identifiers import NetworkId

Engine: TypeAlias = Literal["embedded", "cometbft", "fabric"]
OPERATORS: Final = 4
"""Of CometBFT: as few as can bear one that lies."""
_SKEW: Final[dict[Engine, int]] = {"embedded": 250, "cometbft": 1_500, "fabric": 4_000}
"""Milliseconds: on one clock little will do, but a block's time may be as old as the quiet time before it."""
_NODES: Final[dict[Engine, int]] = {"embedded": 1, "cometbft": OPERATORS, "fabric": ORGANISATIONS}
_READY_SECONDS: Final = 90.0


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
    if engine == "fabric":
        require_grpc()
        from freehold.ledger.fabric.programs import programs_from_environment

        programs_from_environment()


def slowness(engine: Engine) -> int:
    """By how many milliseconds a window of time has to be longer: it has to hold two graces, each of two skews."""
    return 0 if engine == "embedded" else 2 * 2 * _SKEW[engine] - 2_500


def found(engine: Engine, people: People, running: Processes, welcome: str) -> Place:
    """Founds the network as the treasury, and leaves its operators' nodes running."""
    folder, ports = running.work / "network", free_ports(2 * OPERATORS)
    url, skew = f"http://127.0.0.1:{ports[0]}", _SKEW[engine]
    options: dict[Engine, Sequence[str]] = {
        "cometbft": ("--operators", str(OPERATORS), "--first-port", str(ports[OPERATORS])),
        "fabric": ("--fabric", "raft"),
    }
    founded = people.treasury.types(
        "network", "create", folder, "--url", url, "--skew", str(skew), "--grace", str(2 * skew), "--yes",
        *options.get(engine, ()), "--welcome-model-owner", welcome, "--no-passphrase",
    )  # fmt: skip
    if engine == "fabric":
        _develop(folder, Member(running, "operator of fabric"), running)
    first = _node_folder(engine, folder, 1)
    for number, member in enumerate(people.operators(running, _NODES[engine]), start=1):
        node, port = _node_folder(engine, folder, number), ports[number - 1]
        member.leaves_running("node", "--network", node, "--port", str(port))
    ledger = first / {"embedded": LEDGER, "cometbft": APPLICATION, "fabric": FABRIC_FILE}[engine]
    return Place(folder=first, network=NetworkId(founded["network"]), url=url, ledger=ledger)


def _node_folder(engine: Engine, folder: Path, number: int) -> Path:
    """Of the node with this number, from 1."""
    match engine:
        case "embedded":
            return folder
        case "cometbft":
            return operator_folder(folder, number)
        case "fabric":
            return organisation_folder(folder, number)


def _develop(folder: Path, member: Member, running: Processes) -> None:
    """Starts the development network of Fabric, and waits until it takes actions."""
    ready, until = folder / "ready", time.monotonic() + _READY_SECONDS
    member.leaves_running("network", "develop", folder, "--ready-file", ready)
    while not ready.exists():
        running.check()
        if time.monotonic() > until:
            raise Unavailable("The network of Fabric did not start in time.", next=f"read the logs in {folder}/fabric")
        time.sleep(0.05)


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
