"""A network of Fabric under the rules of the notebook, one for all tests of a run: each gets a chaincode of its own.

Starting a network takes a quarter of a minute. A chaincode is a namespace of its own and an empty ledger, and the one
program beside each peer serves as many as are deployed. So a test deploys one under a fresh name, and opens its channel
from the first block on; whatever other tests recorded there lies under other names.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path

from freehold.ledger.fabric import configuration
from freehold.ledger.fabric.client import FabricLedger
from freehold.ledger.fabric.gateway import Access
from freehold.ledger.fabric.layout import ORGANISATIONS, Ordering
from freehold.ledger.fabric.network import Development
from freehold.ledger.fabric.programs import programs_from_environment, run, run_until
from tests.engines.chaincode import program as notebook_program
from tests.engines.embedded import clock
from tests.engines.notebook import Notebook

PAUSE = 50
FILE = "fabric.sqlite"


class Bench:
    """A running network, on which chaincodes are deployed one after the other."""

    def __init__(self, network: Development) -> None:
        self.network = network
        self._names = (f"notebook{number}" for number in count(1))
        self._peers = [network.layout.of(organisation)[0] for organisation in ORGANISATIONS]
        self._packages = {
            peer.name: configuration.package_id(configuration.package(peer, network.files)) for peer in self._peers
        }

    def deploy(self) -> str:
        """Deploys the program once more, under a fresh name, which is returned."""
        name = next(self._names)
        orderer, authority = self.network.layout.orderers[0].address, self.network.files.orderers_tls_ca()
        definition = ["--channelID", self.network.accesses[0].channel, "--name", name, "--version", "1"]
        definition += ["--sequence", "1", "-o", orderer, "--tls", "--cafile", str(authority)]

        def approve(peer: int) -> None:
            package = self._packages[self._peers[peer].name]
            self._command(peer, ["approveformyorg", *definition, "--package-id", package], "unchanged content")

        with ThreadPoolExecutor() as threads:
            list(threads.map(approve, range(len(self._peers))))
        targets = []
        for peer in self._peers:
            targets += ["--peerAddresses", peer.address]
            targets += ["--tlsRootCertFiles", str(self.network.files.tls_ca(peer.organisation))]
        self._command(0, ["commit", *definition, *targets], "must be sequence 2")
        return name

    def access(self, chaincode: str, organisation: int = 0) -> Access:
        """How a client of an organisation reaches its peer."""
        return replace(self.network.accesses[organisation], chaincode=chaincode).opened()

    def _command(self, peer: int, arguments: list[str], done: str) -> None:
        files = self.network.files
        environment = {
            "PATH": os.environ["PATH"],
            "FABRIC_CFG_PATH": str(files.node(self._peers[peer].name) / "administrator"),
        }
        command = [programs_from_environment().path("peer"), "lifecycle", "chaincode", *arguments]
        run_until(lambda: run(command, environment, folder=files.folder), 30, done=[done])


@cache
def bench(ordering: Ordering) -> Bench:
    """The network of this run, started when it is first asked for."""
    programs = programs_from_environment()
    folder = Path(tempfile.mkdtemp(prefix="freehold-fabric-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    network = Development(programs, folder / "network", ordering=ordering, chaincode=notebook_program, pause=PAUSE)
    network.start()
    atexit.register(network.stop)
    return Bench(network)


@contextmanager
def opened(folder: Path, ordering: Ordering) -> Iterator[FabricLedger]:
    """The ledger in a folder; a folder that was used before is opened again."""
    running, name = bench(ordering), folder / "chaincode"
    if not name.exists():
        name.write_text(running.deploy())
    ledger = FabricLedger.open(running.access(name.read_text()), folder / FILE, Notebook(), clock)
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def fabric_raft(folder: Path) -> Iterator[FabricLedger]:
    """The ledger of one of two organisations, ordered by three nodes of Raft."""
    with opened(folder, "raft") as ledger:
        yield ledger


@contextmanager
def fabric_bft(folder: Path) -> Iterator[FabricLedger]:
    """The ledger of one of two organisations, ordered by four nodes, of which one may lie."""
    with opened(folder, "bft") as ledger:
        yield ledger
