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
import random
import shutil
import socket
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

import msgspec

from freehold.errors import Invalid
from freehold.ledger.fabric import configuration
from freehold.ledger.fabric.chaincode import Place, Program
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
from freehold.ledger.fabric.processes import Command, Processes
from freehold.ledger.fabric.programs import Programs, run, run_until

_UP_SECONDS: Final = 60.0
_JOIN_SECONDS: Final = 60.0
_PORTS: Final = range(15_000, 32_000)
"""Below those that systems hand out to whoever dials: a process that starts again finds its own free."""
_PASSED_ON: Final = ("PATH", "HOME", "TMPDIR", "LANG", "PYTHONPATH", "VIRTUAL_ENV")
"""Of the environment. Fabric reads every setting from there too, and nobody's are to get in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a client of one organisation needs."""

    gateway: str
    """host:port of a peer of the organisation."""
    tls_ca: Path
    """Signs the TLS certificates of the organisation's peers."""
    msp: str
    certificate: Path
    """Of the user that carries actions; PEM, as its key."""
    key: Path
    channel: str
    chaincode: str
    peers: tuple[str, ...]
    """host:port of each peer of the organisation."""
    orderers: tuple[str, ...]
    """host:port of each orderer."""
    orderers_tls_ca: Path
    """Signs the TLS certificates of all orderers."""


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
                self._make()
            packages = {peer.name: configuration.package(peer, self.files) for peer in self.layout.peers}
            self._start_processes(packages)
            if self._fresh:
                self._join()
                self._deploy(packages)
                self.files.write(self.layout)
                self._fresh = False
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

    def _make(self) -> None:
        """Keys, settings and the channel's first block."""
        files, layout = self.files, self.layout
        if files.crypto.exists():
            # What an earlier start did not finish; nothing was recorded.
            shutil.rmtree(files.folder)
        files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (files.folder / "crypto-config.yaml").write_bytes(configuration.written(configuration.crypto_config(layout)))
        (files.folder / "configtx.yaml").write_bytes(configuration.written(configuration.configtx(layout, files)))
        self._run("cryptogen", "generate", "--config", "crypto-config.yaml", "--output", str(files.crypto))
        profile = ("-profile", configuration.PROFILE, "-channelID", CHANNEL)
        self._run("configtxgen", *profile, "-outputBlock", str(files.block), settings=files.folder)
        scripts = {"detect": configuration.DETECT, "build": configuration.BUILD, "release": configuration.RELEASE}
        (files.builder / "bin").mkdir(parents=True)
        for name, content in scripts.items():
            (files.builder / "bin" / name).write_text(content)
            (files.builder / "bin" / name).chmod(0o755)
        for orderer in layout.orderers:
            _write(files.node(orderer.name) / "orderer.yaml", configuration.orderer_yaml(orderer, files))
        for peer in layout.peers:
            _write(files.node(peer.name) / "core.yaml", configuration.core_yaml(peer, layout, files))
            _write(files.node(peer.name) / "administrator" / "core.yaml", configuration.client_yaml(peer, files))

    def _start_processes(self, packages: dict[str, bytes]) -> None:
        for orderer in self.layout.orderers:
            self._start(orderer.name, [self._programs.path("orderer")], orderer.admin_port)
        for peer in self.layout.peers:
            self._start(peer.name, [self._programs.path("peer"), "node", "start"], peer.port)
            tls = self.files.peer(peer) / "tls"
            place = Place(
                address=peer.chaincode_address,
                package=configuration.package_id(packages[peer.name]),
                certificate=str(tls / "server.crt"),
                key=str(tls / "server.key"),
                clients=str(self.files.tls_ca(peer.organisation)),
            )
            path = self.files.node(peer.chaincode_name) / "place.json"
            _write(path, msgspec.to_builtins(place))
            self._start(peer.chaincode_name, self._chaincode(path), peer.chaincode_port, folder=Path.cwd())
        self.processes.listening(self.names, _UP_SECONDS)

    def _join(self) -> None:
        """Orderers and peers join the channel, all at once."""
        self._all(self.layout.orderers, self._orderer_joins)
        self._all(
            self.layout.peers, lambda peer: self._patiently(peer, ["channel", "join", "-b", str(self.files.block)])
        )

    def _deploy(self, packages: dict[str, bytes]) -> None:
        """The chaincode's way onto the channel."""

        def install(peer: Peer) -> None:
            path = self.files.node(peer.name) / "chaincode.tar.gz"
            path.write_bytes(packages[peer.name])
            self._patiently(peer, ["lifecycle", "chaincode", "install", str(path)], "already successfully installed")

        first = [self.layout.of(number)[0] for number in ORGANISATIONS]
        definition = ["--channelID", CHANNEL, "--name", CHAINCODE, "--version", "1", "--sequence", "1"]
        definition += ["-o", self.layout.orderers[0].address, "--tls", "--cafile", str(self.files.orderers_tls_ca())]

        def approve(peer: Peer) -> None:
            package = ["--package-id", configuration.package_id(packages[peer.name])]
            command = ["lifecycle", "chaincode", "approveformyorg", *definition, *package]
            self._patiently(peer, command, "with unchanged content")

        self._all(self.layout.peers, install)
        self._all(first, approve)
        targets = []
        for peer in first:
            targets += ["--peerAddresses", peer.address]
            targets += ["--tlsRootCertFiles", str(self.files.tls_ca(peer.organisation))]
        self._patiently(first[0], ["lifecycle", "chaincode", "commit", *definition, *targets], "must be sequence 2")

    def _orderer_joins(self, orderer: Orderer) -> None:
        administrator = self.files.orderers() / "users" / "Admin@orderer.freehold" / "tls"
        command = ["channel", "join", "--channelID", CHANNEL, "--config-block", str(self.files.block)]
        command += ["-o", f"127.0.0.1:{orderer.admin_port}", "--ca-file", str(self.files.orderers_tls_ca())]
        command += ["--client-cert", str(administrator / "client.crt")]
        command += ["--client-key", str(administrator / "client.key")]
        self._run("osnadmin", *command)

    def _patiently(self, peer: Peer, command: list[str], *done: str) -> str:
        """Runs a command of an organisation's administrator until it works."""
        settings = self.files.node(peer.name) / "administrator"
        return run_until(
            lambda: self._run("peer", *command, settings=settings),
            _JOIN_SECONDS,
            done=("already exists", *done),
            check=self.processes.check,
        )

    def _run(self, program: str, *arguments: str, settings: Path | None = None) -> str:
        environment = self._environment_for(settings or self.files.folder)
        return run([self._programs.path(program), *arguments], environment, folder=self.files.folder)

    def _start(self, name: str, arguments: list[str], port: int, folder: Path | None = None) -> None:
        settings = self.files.node(name)
        self.processes.start(
            Command(
                name=name,
                arguments=arguments,
                environment=self._environment_for(settings),
                folder=folder or settings,
                log=self.files.log(name),
                port=port,
            )
        )

    def _environment_for(self, settings: Path) -> dict[str, str]:
        return self._environment | {"FABRIC_CFG_PATH": str(settings), "FABRIC_LOGGING_SPEC": "WARN"}

    @staticmethod
    def _all(some: Iterable[Peer] | Iterable[Orderer], act: Callable[..., object]) -> None:
        with ThreadPoolExecutor() as threads:
            list(threads.map(act, some))

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


def free_ports(count: int) -> list[int]:
    """Ports of the loopback on which nobody listens now, and which the system hands out to nobody who dials."""
    with ExitStack() as stack:
        found: list[int] = []
        for port in random.sample(_PORTS, len(_PORTS)):
            candidate = stack.enter_context(socket.socket())
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
            if len(found) == count:
                return found
    raise Invalid(f"there are no {count} free ports", next="end other networks on this machine")


def _write(path: Path, content: object) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(configuration.written(content))
