"""A whole network of Fabric on this machine, without Docker: for development, demonstrations and tests.

    1  keys, the channel's first block, settings        cryptogen, configtxgen
    2  every process is started                         orderers, peers, and beside each peer its chaincode
    3  orderers and peers join the channel              osnadmin, peer
    4  the chaincode is installed on every peer, approved by both organisations, committed
    5  wait until a gateway finds endorsers of both

All keys lie in one folder and were made by one program, so this is nobody's consortium. A network that was stopped
starts again from its folder, with what it had recorded.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final

import msgspec

from freehold.errors import Invalid
from freehold.ledger.fabric import configuration
from freehold.ledger.fabric.chaincode import Place, Program
from freehold.ledger.fabric.founding import Founding, write
from freehold.ledger.fabric.layout import (
    CHAINCODE,
    CHANNEL,
    ORDERERS,
    ORGANISATIONS,
    Files,
    Layout,
    Orderer,
    Ordering,
    Peer,
    msp,
)
from freehold.ledger.fabric.processes import Command, Processes, free_ports
from freehold.ledger.fabric.programs import Programs
from freehold.ledger.fabric.readiness import Access, until_endorsed

_UP_SECONDS: Final = 60.0
_ENDORSED_SECONDS: Final = 60.0
_PASSED_ON: Final = ("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV")
"""Of the environment. Fabric reads every setting from there too, and nobody's are to get in."""


class Development:
    """A network of two organisations, from `start` to `stop`; also a context manager."""

    def __init__(
        self,
        programs: Programs,
        folder: Path,
        *,
        ordering: Ordering,
        chaincode: Program,
        peers_per_organisation: int = 1,
        pause: int = 100,
    ) -> None:
        """The folder holds a network that was made here before, with the same ordering, or nothing."""
        if ordering == "bft" and programs.line == "2.5":
            raise Invalid("Fabric 2.5 knows no Byzantine fault tolerance", next="use 3.1")
        self.files = Files(folder.absolute())
        self.processes = Processes()
        self._programs = programs
        self._chaincode = chaincode
        known = self.files.read()
        self._fresh = known is None
        self.layout = known or _new_layout(programs.line, ordering, peers_per_organisation, pause)
        if (self.layout.ordering, self.layout.line) != (ordering, programs.line):
            raise Invalid(f"{folder} holds a network of another kind", next="give another folder")
        self._environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        self._founding = Founding(
            programs=programs,
            files=self.files,
            layout=self.layout,
            environment=self._environment_for,
            check=self.processes.check,
        )

    def __enter__(self) -> Development:
        """Starts the network."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops the network."""
        self.stop()

    @property
    def accesses(self) -> tuple[Access, ...]:
        """What a client needs, for each organisation."""
        return tuple(self._access(number) for number in ORGANISATIONS)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the processes: orderer0, org1.peer0, org1.chaincode0, …"""
        peers = [name for peer in self.layout.peers for name in (peer.name, peer.chaincode_name)]
        return (*(each.name for each in self.layout.orderers), *peers)

    def start(self) -> None:
        """Starts everything and waits until both organisations endorse; Unavailable, and nothing runs, if they do
        not."""
        try:
            if self._fresh:
                self._founding.make()
            packages = {peer.name: configuration.package(peer, self.files) for peer in self.layout.peers}
            self._start_processes(packages)
            if self._fresh:
                self._founding.join()
                self._founding.deploy(packages)
                self.files.write(self.layout)
                self._fresh = False
            until_endorsed(self.accesses, _ENDORSED_SECONDS, self.processes.check)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends every process."""
        self.processes.stop()

    def kill(self, name: str) -> None:
        """Ends one process as a power loss would."""
        self.processes.kill(name)

    def restart(self, name: str) -> None:
        """Starts one process again that was killed, and waits until it listens."""
        self.processes.restart(name)
        self.processes.listening([name], _UP_SECONDS)

    def _start_processes(self, packages: dict[str, bytes]) -> None:
        for orderer in self.layout.orderers:
            self._start(orderer.name, [self._programs.path("orderer")], orderer.admin_port)
        for peer in self.layout.peers:
            where = {configuration.WHERE: peer.chaincode_address}
            self._start(peer.name, [self._programs.path("peer"), "node", "start"], peer.port, more=where)
            tls = self.files.peer(peer) / "tls"
            place = Place(
                address=peer.chaincode_address,
                package=configuration.package_id(packages[peer.name]),
                chaincode=CHAINCODE,
                certificate=str(tls / "server.crt"),
                key=str(tls / "server.key"),
                clients=str(self.files.tls_ca(peer.organisation)),
            )
            path = self.files.node(peer.chaincode_name) / "place.json"
            write(path, msgspec.to_builtins(place))
            self._start(peer.chaincode_name, self._chaincode(path), peer.chaincode_port, folder=Path.cwd())
        self.processes.listening(self.names, _UP_SECONDS)

    def _start(
        self,
        name: str,
        arguments: list[str],
        port: int,
        *,
        folder: Path | None = None,
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        settings = self.files.node(name)
        self.processes.start(
            Command(
                name=name,
                arguments=arguments,
                environment=self._environment_for(settings) | dict(more),
                folder=folder or settings,
                log=self.files.log(name),
                port=port,
            )
        )

    def _environment_for(self, settings: Path) -> dict[str, str]:
        return self._environment | {"FABRIC_CFG_PATH": str(settings), "FABRIC_LOGGING_SPEC": "WARN"}

    def _access(self, number: int) -> Access:
        user = self.files.user(number, "User1") / "msp"
        peers = self.layout.of(number)
        (certificate,) = (user / "signcerts").iterdir()
        (key,) = (user / "keystore").iterdir()
        return Access(
            gateway=peers[0].address,
            tls_ca=self.files.tls_ca(number),
            msp=msp(number),
            certificate=certificate,
            key=key,
            channel=CHANNEL,
            chaincode=CHAINCODE,
            peers=tuple(peer.address for peer in peers),
            orderers=tuple(each.address for each in self.layout.orderers),
            orderers_tls_ca=self.files.orderers_tls_ca(),
            authorities={msp(each): self.files.ca(each) for each in ORGANISATIONS},
        )


def _new_layout(line: str, ordering: Ordering, peers: int, pause: int) -> Layout:
    if not 1 <= peers <= 8:
        raise Invalid(f"an organisation has 1 to 8 peers here, not {peers}")
    ports = iter(free_ports(2 * ORDERERS[ordering] + 2 * peers * len(ORGANISATIONS)))
    return Layout(
        line=line,
        ordering=ordering,
        pause=pause,
        orderers=tuple(
            Orderer(number=number, port=next(ports), admin_port=next(ports)) for number in range(ORDERERS[ordering])
        ),
        peers=tuple(
            Peer(organisation=organisation, number=number, port=next(ports), chaincode_port=next(ports))
            for organisation in ORGANISATIONS
            for number in range(peers)
        ),
    )
