"""Networks of CometBFT under the rules of the notebook, every validator a pair of processes on this machine."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from freehold.ledger.cometbft.client import CometLedger
from freehold.ledger.cometbft.configuration import (
    Peer,
    Settings,
    create_keys,
    genesis,
    node_id,
    write_genesis,
)
from freehold.ledger.cometbft.seal import chain_id
from freehold.ledger.cometbft.supervisor import Program
from freehold.node.runtime import RECORD
from freehold.ports.machine import Machine
from freehold.protocol.network import NetworkRecord, network_id
from tests.engines.embedded import clock
from tests.engines.notebook import NETWORK, Notebook


def program() -> Path | None:
    """CometBFT, if `make test-cometbft` or somebody else names it: what ordinary tests do not wait for."""
    found = shutil.which(os.environ.get("FREEHOLD_COMETBFT", ""))
    return Path(found) if found else None


def free_ports(count: int) -> list[int]:
    """Ports of the loopback on which nobody listens now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def application_in(folder: Path) -> Program:
    """The command of the notebook's application."""
    return lambda door, bell: [sys.executable, "-m", "tests.engines.application", str(folder), str(door), str(bell)]


class Network:
    """The folders of some validators, and how to start each of them."""

    def __init__(
        self,
        folder: Path,
        validators: int,
        *,
        machine: Callable[[], Machine] = Notebook,
        record: NetworkRecord = NETWORK,
        application: Callable[[Path], Program] = application_in,
        pause: int = 20,
    ) -> None:
        """Makes keys and genesis unless they are there."""
        comet = program()
        assert comet is not None
        self._program = comet
        self._machine = machine
        self._application = application
        self.folders = [folder / f"node{number}" for number in range(validators)]
        if not all(each.exists() for each in self.folders):
            listed = [create_keys(comet, each) for each in self.folders]
            time = datetime.now(UTC).isoformat().replace("+00:00", "Z")
            content = genesis(chain_id(network_id(record)), listed, time=time)
            for each in self.folders:
                write_genesis(each, content)
                (each / RECORD).write_bytes(record.encode())
        ports = free_ports(validators)
        peers = [
            Peer(id=node_id(each), address=f"127.0.0.1:{port}") for each, port in zip(self.folders, ports, strict=True)
        ]
        self.peers = peers
        self._settings = [
            Settings(listen=own.address, peers=[each for each in peers if each is not own], pause=pause, idle=2_000)
            for own in peers
        ]

    def start(
        self, number: int, application: Callable[[Path], Program] | None = None, *, light: str = ""
    ) -> CometLedger:
        """Starts one validator, with another application if one is given, and serving headers at `light`."""
        folder = self.folders[number]
        command = (application or self._application)(folder)
        settings = replace(self._settings[number], light=light)
        return CometLedger.start(self._program, folder, settings, command, self._machine(), clock)

    @contextmanager
    def running(self, numbers: Sequence[int] | None = None) -> Iterator[list[CometLedger]]:
        """All validators, or those with these numbers, ended at the end of the block."""
        with ExitStack() as stack:
            ledgers = []
            for number in range(len(self.folders)) if numbers is None else numbers:
                ledgers.append(self.start(number))
                stack.callback(ledgers[-1].close)
            yield ledgers


@contextmanager
def cometbft_1(folder: Path) -> Iterator[CometLedger]:
    """The ledger of the only validator of a network."""
    with Network(folder, 1).running() as (ledger,):
        yield ledger


@contextmanager
def cometbft_4(folder: Path) -> Iterator[CometLedger]:
    """The ledger of one of four validators."""
    with Network(folder, 4).running() as ledgers:
        yield ledgers[0]
