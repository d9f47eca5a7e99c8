"""How a network of Fabric is founded: keys and settings first, then the channel, then the chaincode on it.

Every step but the making of keys is a command of an administrator to a process that may not be ready yet, so it is
repeated until it works; and one that is repeated although it had worked says so.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from freehold.errors import Invalid
from freehold.ledger.fabric import channel, configuration
from freehold.ledger.fabric.layout import (
    CHAINCODE,
    CHANNEL,
    HOST,
    ORDERER_DOMAIN,
    ORGANISATIONS,
    Files,
    Layout,
    Orderer,
    Peer,
)
from freehold.ledger.fabric.programs import Programs, run, run_until

_STEP_SECONDS: Final = 60.0
_MARK: Final = "founding"
"""Stands in a folder from the first step on: what lies beside it may be removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Founding:
    """The steps, for one network."""

    programs: Programs
    files: Files
    layout: Layout
    environment: Callable[[Path], Mapping[str, str]]
    """Of a program whose settings lie in this folder."""
    check: Callable[[], None]
    """Raises what makes waiting useless."""

    def make(self) -> None:
        """Keys, settings and the channel's first block."""
        files, layout = self.files, self.layout
        files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark = files.folder / _MARK
        if mark.exists():
            # What an earlier start did not finish; nothing was recorded.
            for each in (files.crypto, files.builder, files.nodes):
                shutil.rmtree(each, ignore_errors=True)
        elif any(files.folder.iterdir()):
            raise Invalid(f"{files.folder} holds something else than a network of Fabric", next="give another folder")
        mark.touch()
        (files.folder / "crypto-config.yaml").write_bytes(configuration.written(channel.crypto_config(layout)))
        (files.folder / "configtx.yaml").write_bytes(configuration.written(channel.configtx(layout, files)))
        self._run("cryptogen", "generate", "--config", "crypto-config.yaml", "--output", str(files.crypto))
        profile = ("-profile", channel.PROFILE, "-channelID", CHANNEL)
        self._run("configtxgen", *profile, "-outputBlock", str(files.block), settings=files.folder)
        scripts = {"detect": configuration.DETECT, "build": configuration.BUILD, "release": configuration.RELEASE}
        (files.builder / "bin").mkdir(parents=True)
        for name, content in scripts.items():
            (files.builder / "bin" / name).write_text(content)
            (files.builder / "bin" / name).chmod(0o755)
        for orderer in layout.orderers:
            write(files.node(orderer.name) / "orderer.yaml", configuration.orderer_yaml(orderer, files))
        for peer in layout.peers:
            write(files.node(peer.name) / "core.yaml", configuration.core_yaml(peer, layout, files))
            write(files.node(peer.name) / "administrator" / "core.yaml", configuration.client_yaml(peer, files))

    def join(self) -> None:
        """Orderers and peers join the channel, all at once."""
        self._all(self.layout.orderers, self._orderer_joins)
        command = ["channel", "join", "-b", str(self.files.block)]
        self._all(self.layout.peers, lambda peer: self._patiently(peer, command))

    def deploy(self, packages: Mapping[str, bytes]) -> None:
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
        administrator = self.files.orderers() / "users" / f"Admin@{ORDERER_DOMAIN}" / "tls"
        command = ["channel", "join", "--channelID", CHANNEL, "--config-block", str(self.files.block)]
        command += ["-o", f"{HOST}:{orderer.admin_port}", "--ca-file", str(self.files.orderers_tls_ca())]
        command += ["--client-cert", str(administrator / "client.crt")]
        command += ["--client-key", str(administrator / "client.key")]
        self._run("osnadmin", *command)

    def _patiently(self, peer: Peer, command: list[str], *done: str) -> str:
        """Runs a command of an organisation's administrator until it works."""
        settings = self.files.node(peer.name) / "administrator"
        return run_until(
            lambda: self._run("peer", *command, settings=settings),
            _STEP_SECONDS,
            done=("already exists", *done),
            check=self.check,
        )

    def _run(self, program: str, *arguments: str, settings: Path | None = None) -> str:
        environment = self.environment(settings or self.files.folder)
        return run([self.programs.path(program), *arguments], environment, folder=self.files.folder)

    @staticmethod
    def _all(some: Iterable[Peer] | Iterable[Orderer], act: Callable[..., object]) -> None:
        threads = ThreadPoolExecutor()
        try:
            list(threads.map(act, some))
        finally:
            # Whoever interrupts does not wait for the steps that are under way: `check` ends them.
            threads.shutdown(wait=False, cancel_futures=True)


def write(path: Path, content: object) -> None:
    """Writes settings."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(configuration.written(content))
