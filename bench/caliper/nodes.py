"""The networks that are driven: one machine's node, or the nodes of some operators, all of them on this machine.

A network of several operators is named by their cards, so their keys are made before anything is signed for it.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from caliper.generate import Signed
from freehold.node import consortium
from freehold.node.runtime import found_network
from freehold.node.settings import SETTINGS
from freehold.protocol.network import Operator
from ledgers.processes import children

ROLES: Final = {"freehold.node.executor": "executor", "freehold.node.validator": "application"}
_NO_RATES: Final = "".join(
    f"[{rate}]\nper_second = 1000000\nburst = 1000000\n" for rate in ("address_rate", "member_rate")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Nodes that answer."""

    urls: tuple[str, ...]
    roles: Mapping[str, tuple[int, ...]]
    """Process ids by what they do: front, executor or application, and CometBFT's node."""
    folders: tuple[Path, ...] = ()
    """Of the operators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Operators who have made their keys; none for an engine on one machine."""

    folders: tuple[Path, ...]
    cards: tuple[Operator, ...]

    @contextmanager
    def running(self, signed: Signed) -> Iterator[Running]:
        """Fresh nodes of the network for which the actions are signed."""
        with tempfile.TemporaryDirectory(prefix="freehold-nodes-") as name, ExitStack() as stack:
            folders = self._founded(Path(name), signed)
            started = []
            for folder in folders:
                # All clients have one address here, and one treasury pays everybody.
                (folder / SETTINGS).write_text(_NO_RATES)
                started.append(stack.enter_context(_node(folder)))
            urls = tuple(json.loads(_first_line(each))["url"] for each in started)
            yield Running(urls=urls, roles=_roles(started), folders=tuple(folders))

    def _founded(self, place: Path, signed: Signed) -> list[Path]:
        if not self.folders:
            found_network(place / "market", signed.network)
            return [place / "market"]
        shared = consortium.found(signed.network, self.cards, signed.now)
        found = []
        for folder in self.folders:
            found.append(Path(shutil.copytree(folder, place / folder.name)))
            consortium.take(found[-1], shared)
        return found


@contextmanager
def site(operators: int) -> Iterator[Site]:
    """So many operators; 0 for the engine of one machine."""
    with tempfile.TemporaryDirectory(prefix="freehold-site-") as name:
        folders = tuple(Path(name) / f"operator{number}" for number in range(operators))
        comet = consortium.cometbft() if operators else Path()
        cards = tuple(
            consortium.prepare(comet, folder, f"127.0.0.1:{port}")
            for folder, port in zip(folders, _free_ports(operators), strict=True)
        )
        yield Site(folders=folders, cards=cards)


@contextmanager
def _node(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "freehold", "node", "--network", str(folder), "--port", "0", "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"a node ended with {process.wait(10)} before it answered")
    return line


def _roles(started: list[subprocess.Popen[str]]) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {"front": [each.pid for each in started]}
    for each in started:
        for child in children(each.pid):
            words = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
            role = next((role for program, role in ROLES.items() if program in words), "node")
            found.setdefault(role, []).append(child)
    return {role: tuple(some) for role, some in found.items()}


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
