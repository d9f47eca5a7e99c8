"""Operators who founded a network, each with a folder of its own, and what its node has to be told.

Every node dials every other by the address that it was given for it: the other's own, or a proxy's on the way to it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.engines.cometbft import free_ports
from tests.engines.links import Way

from freehold.agents.world import system_clock
from freehold.contract.host import Contract
from freehold.ledger.cometbft import configuration
from freehold.ledger.cometbft.client import CometLedger
from freehold.ledger.cometbft.seal import chain_id
from freehold.ledger.cometbft.supervisor import Program
from freehold.node.runtime import RECORD, read_network
from freehold.node.validator import program
from freehold.protocol.network import NetworkRecord, network_id

PAUSE = 30
"""Milliseconds between blocks, as `configuration` has them."""
IDLE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """What one operator's node is started with."""

    folder: Path
    listen: str
    peers: tuple[tuple[str, str], ...]
    """Id and address of each other node."""
    pause: int = PAUSE
    idle: int = IDLE

    def settings(self) -> configuration.Settings:
        """As the engine wants them."""
        peers = [configuration.Peer(id=name, address=address) for name, address in self.peers]
        return configuration.Settings(listen=self.listen, peers=peers, pause=self.pause, idle=self.idle)

    def start(self, application: Callable[[Path], Program] = program) -> CometLedger:
        """Starts the pair and waits until it answers; with another application than the market's if one is given."""
        machine = Contract(read_network(self.folder))
        return CometLedger.start(
            cometbft(), self.folder, self.settings(), application(self.folder), machine, system_clock
        )


def cometbft() -> Path:
    """The program, from FREEHOLD_COMETBFT or the path."""
    found = shutil.which(os.environ.get("FREEHOLD_COMETBFT", "cometbft"))
    if found is None:
        raise SystemExit("CometBFT is not installed (make test-cometbft installs it); name it in FREEHOLD_COMETBFT")
    return Path(found)


def founded(
    folder: Path,
    record: NetworkRecord,
    validators: int,
    *,
    observers: int = 0,
    way: Callable[[Sequence[str]], Way] | None = None,
    pause: int = PAUSE,
    idle: int = IDLE,
) -> list[Seat]:
    """The seats of so many validators, and then of observers: nodes that follow and have no vote.

    `way` is given the addresses on which the nodes listen, and says by which they reach each other; without it they
    reach each other directly.
    """
    folders = [folder / f"operator{number}" for number in range(validators + observers)]
    keys = [configuration.create_keys(cometbft(), each) for each in folders]
    time = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    content = configuration.genesis(chain_id(network_id(record)), keys[:validators], time=time)
    for each in folders:
        configuration.write_genesis(each, content)
        (each / RECORD).write_bytes(record.encode())
    listening = [f"127.0.0.1:{port}" for port in free_ports(len(folders))]
    reach: Way = (lambda _, other: listening[other]) if way is None else way(listening)
    names = [configuration.node_id(each) for each in folders]
    return [
        Seat(
            folder=each,
            listen=listening[own],
            peers=tuple((names[other], reach(own, other)) for other in range(len(folders)) if other != own),
            pause=pause,
            idle=idle,
        )
        for own, each in enumerate(folders)
    ]
