"""The processes of a network: started, watched and ended together, each with a log of its own.

Each has a session of its own, so that Ctrl-C at a terminal is for whoever started them, who ends them in order; and a
tether (`tethered`), so that none outlives its starter however that ends.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from freehold.errors import Invalid, Unavailable
from freehold.ledger.fabric import tethered
from freehold.ledger.fabric.programs import tail

_GOODBYE_SECONDS: Final = 8.0
_AGAIN_SECONDS: Final = 0.05
_PORTS: Final = range(15_000, 32_000)
"""Below those that systems hand out to whoever dials: a process that starts again finds its own free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """How a process is started."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    port: int
    """Where it listens once it has come up."""


@dataclass(slots=True)
class Processes:
    """Those that run, by name."""

    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)
    stopped: bool = False

    def start(self, command: Command) -> None:
        """Starts a process."""
        self.stopped = False
        with command.log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-S", tethered.__file__, *command.arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=dict(command.environment),
                cwd=command.folder,
                start_new_session=True,
            )
        self.running[command.name] = process
        self.commands[command.name] = command

    def kill(self, name: str) -> None:
        """Ends a process as a power loss would, and waits until it is gone."""
        process = self._named(name)
        _force(process)
        _forget(process)

    def restart(self, name: str) -> None:
        """Starts a process again that has ended."""
        if self._named(name).poll() is None:
            raise Invalid(f"{name} still runs", next="end it first")
        self.start(self.commands[name])

    def check(self) -> None:
        """Unavailable if one has ended, with the end of its log, or if all were stopped."""
        if self.stopped:
            raise Unavailable("the processes were stopped", retry=False)
        for name, process in self.running.items():
            if process.poll() is not None:
                raise Unavailable(
                    f"{name} ended with code {process.returncode}",
                    why=tail(self.commands[name].log),
                    next=f"read {self.commands[name].log}",
                    retry=False,
                )

    def listening(self, names: Sequence[str], seconds: float) -> None:
        """Waits until each of them takes connections; Unavailable if one does not."""
        until = time.monotonic() + seconds
        for name in names:
            command = self.commands[name]
            while not _answers(command.port):
                self.check()
                if time.monotonic() > until:
                    raise Unavailable(
                        f"{name} does not listen on port {command.port}",
                        why=tail(command.log),
                        next=f"read {command.log}",
                        retry=False,
                    )
                time.sleep(_AGAIN_SECONDS)

    def stop(self) -> None:
        """Ends all: asked first, then forced."""
        self.stopped = True
        for process in self.running.values():
            process.terminate()
        until = time.monotonic() + _GOODBYE_SECONDS
        for process in self.running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, until - time.monotonic()))
            _force(process)
            _forget(process)
        self.running.clear()

    def _named(self, name: str) -> subprocess.Popen[bytes]:
        if name not in self.running:
            raise Invalid(f"there is no process {name[:50]!r}", next=f"name one of {', '.join(self.running)}")
        return self.running[name]


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


def _answers(port: int) -> bool:
    with socket.socket() as connection:
        connection.settimeout(1.0)
        return connection.connect_ex(("127.0.0.1", port)) == 0


def _force(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and its program, unless both have ended: its number may be somebody else's by then."""
    if process.poll() is None or process.returncode < 0:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _forget(process: subprocess.Popen[bytes]) -> None:
    process.wait()
    if process.stdin is not None:
        process.stdin.close()
