"""The networks that Caliper drives: one machine's node, or the nodes of some operators, all of them on this machine."""

from __future__ import annotations

import json
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
from ledgers import node
from ledgers.engine import founded
from ledgers.processes import children
from ledgers.workload import Workload

_PROGRAM: Final = Path(__file__).parent / "operator_node.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Nodes that answer."""

    urls: tuple[str, ...]
    roles: Mapping[str, tuple[int, ...]]
    """Process ids by what they do: front, executor, application, node."""
    folders: tuple[Path, ...] = ()
    """Of the operators."""

    @property
    def processes(self) -> list[int]:
        """All of them."""
        return [each for some in self.roles.values() for each in some]


@contextmanager
def embedded(signed: Signed) -> Iterator[Running]:
    """One node with an engine of its own."""
    workload = Workload(network=signed.network, now=signed.now, markets=signed.markets)
    with founded(workload) as folder, node.started(folder) as (process, url):
        roles = {"front": (process.pid,), "executor": tuple(children(process.pid))}
        yield Running(urls=(url,), roles=roles, folders=(folder,))


@contextmanager
def operators(signed: Signed, count: int) -> Iterator[Running]:
    """The nodes of so many operators who founded a CometBFT network together."""
    comet = consortium.cometbft()
    with tempfile.TemporaryDirectory(prefix="freehold-caliper-") as name, ExitStack() as stack:
        folders = [Path(name) / f"operator{number}" for number in range(count)]
        cards = [
            consortium.prepare(comet, folder, f"127.0.0.1:{port}")
            for folder, port in zip(folders, _free_ports(count), strict=True)
        ]
        shared = consortium.found(signed.network, cards, signed.now)
        started = []
        for folder in folders:
            consortium.take(folder, shared)
            started.append(stack.enter_context(_process([sys.executable, str(_PROGRAM), str(comet), str(folder)])))
        said = [json.loads(each.stdout.readline()) for each in started if each.stdout is not None]
        yield Running(
            urls=tuple(each["url"] for each in said),
            roles={role: tuple(each[role] for each in said) for role in ("front", "application", "node")},
            folders=tuple(folders),
        )


@contextmanager
def _process(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.wait(60)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
