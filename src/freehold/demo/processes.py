"""The processes of a demo: each a command that a member types in its own terminal, with its own home and keys."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

from freehold.errors import Broken, FreeholdError, Invalid, Refused, Unavailable

_TETHERED: Final = (sys.executable, "-m", "freehold.demo.tethered")
_FREEHOLD: Final = (*_TETHERED, "freehold")
_OF_THE_MACHINE: Final = ("FREEHOLD_COMETBFT", "FREEHOLD_FABRIC")
"""Where programs are installed, which is the same for everybody on one machine."""
_PATIENCE: Final = 5.0
"""Seconds that a process gets to end by itself before it is killed."""
_KINDS: Final[Mapping[str, type[FreeholdError]]] = {
    "invalid": Invalid,
    "unavailable": Unavailable,
    "broken": Broken,
    "usage": Broken,
}


class Member:
    """One member's own terminal: its home, its configuration, and the commands that it types."""

    def __init__(self, processes: "Processes", name: str) -> None:
        self.name = name
        self.folder = processes.work / "members" / name
        self.folder.mkdir(mode=0o700, parents=True)
        self._processes = processes
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its commands: nothing of it is shared with another member."""
        own = {
            "FREEHOLD_HOME": str(self.folder / "home"),
            "FREEHOLD_CONFIG": str(self.folder / "config.toml"),
            "FREEHOLD_FORMAT": "json",
            "NO_COLOR": "1",
            # many processes share few cores: threads of their own would only stand in each other's way
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        passed = {
            name: value
            for name, value in os.environ.items()
            if name in _OF_THE_MACHINE or not name.startswith("FREEHOLD_")
        }
        return passed | own

    def types(self, *arguments: str | Path) -> dict[str, Any]:
        """Types a command, waits for it, and returns its result; raises what the command reported."""
        return self._processes.run(self, (*_FREEHOLD, *map(str, arguments)))

    def leaves_running(self, *arguments: str | Path) -> None:
        """Types a command that stays, such as `up --headless`."""
        self._start((*_FREEHOLD, *map(str, arguments)))

    def cheats(self, kind: str, profile: str) -> None:
        """Stops the honest program and starts a cheater with the same keys."""
        self.stops()
        self._start((*_TETHERED, "freehold.demo.cheaters", kind, profile))

    def stops(self) -> None:
        """Ends the command that was left running."""
        if self._running is not None:
            _end([self._running])
            self._running = None

    def _start(self, command: Sequence[str]) -> None:
        self._running = self._processes.start(self, command)


class Processes:
    """All processes of one demo; none of them outlives it, even if it is killed and can stop nobody."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self._tether, self._held = os.pipe()
        self._all: list[tuple[str, subprocess.Popen[bytes], Path]] = []
        self._guard = threading.Lock()
        self._closed = False

    def start(self, member: Member, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Starts a process whose output goes to its member's log."""
        with self._guard:
            if self._closed:
                raise Unavailable("The demo is being stopped.", retry=False)
            place = member.folder / f"{len(self._all):03}.log"
            with place.open("wb") as log:
                # a session of its own: Ctrl-C reaches the demo alone, which then ends all others in order
                process = subprocess.Popen(  # noqa: S603 - our own commands
                    command,
                    env=member.environment,
                    cwd=member.folder,
                    stdin=self._tether,
                    stdout=subprocess.PIPE if _waits_for(command) else log,
                    stderr=log,
                    start_new_session=True,
                )
            self._all.append((f"{member.name}: {' '.join(_typed(command))}", process, place))
        return process

    def run(self, member: Member, command: Sequence[str]) -> dict[str, Any]:
        """Starts a process and waits for its result, one JSON document."""
        process = self.start(member, (*command,))
        output, _ = process.communicate()
        if process.returncode != 0:
            raise _reported(self._log_of(process), command, process.returncode)
        try:
            document: dict[str, Any] = json.loads(output or b"{}")
        except json.JSONDecodeError:
            raise Broken(f"{' '.join(_typed(command)[:3])} gave a result that is no JSON.") from None
        return document

    def check(self) -> None:
        """Raises Broken if a process that should stay has ended by itself."""
        for name, process, log in self._all:
            code = process.poll()
            if code not in (None, 0, -signal.SIGTERM, -signal.SIGKILL):
                raise _reported(log, [name], code)

    def stop(self) -> None:
        """Ends every process: asks first, then insists. The node goes last: whoever waits for it would keep it."""
        with self._guard:
            self._closed = True
        try:
            self.stop_members()
            _end([process for _, process in self._running()])
        finally:
            # whoever is stopped once more while stopping wants no more patience
            _kill([process for _, process in self._running()])

    def stop_members(self) -> None:
        """Ends every process but the operators' nodes, which then record nothing more and still answer."""
        _end([process for name, process in self._running() if not name.startswith("operator")])

    def _running(self) -> list[tuple[str, subprocess.Popen[bytes]]]:
        with self._guard:
            return [(name, process) for name, process, _ in self._all if process.poll() is None]

    def close(self) -> None:
        """Stops whatever still runs, and lets go of the tether."""
        try:
            self.stop()
        finally:
            os.close(self._held)
            os.close(self._tether)

    def _log_of(self, process: subprocess.Popen[bytes]) -> Path:
        return next(log for _, known, log in self._all if known is process)


@contextmanager
def processes(work: Path) -> Iterator[Processes]:
    """Processes that are all ended when the with-block is left, however it is left."""
    started = Processes(work)
    try:
        yield started
    finally:
        started.close()


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """Inside the with-block SIGTERM and a closed terminal are like Ctrl-C: what has begun is taken back first."""
    signals = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # whoever was started to outlive its terminal goes on doing so
    previous = {each: signal.getsignal(each) for each in signals if signal.getsignal(each) != signal.SIG_IGN}
    for each in previous:
        signal.signal(each, _interrupt)
    try:
        yield
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _waits_for(command: Sequence[str]) -> bool:
    return not {"up", "node", "develop", "freehold.demo.cheaters"} & set(_typed(command)[:3])


def _typed(command: Sequence[str]) -> Sequence[str]:
    """A command as somebody types it who has no demo to end with."""
    return command[len(_TETHERED) :]


def _end(running: Sequence["subprocess.Popen[bytes]"]) -> None:
    for process in running:
        process.terminate()
    deadline = time.monotonic() + _PATIENCE
    for process in running:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _kill([process])


def _kill(running: Sequence["subprocess.Popen[bytes]"]) -> None:
    for process in running:
        if process.poll() is None:
            process.kill()
            process.wait()


def _reported(log: Path, command: Sequence[str], code: int) -> FreeholdError:
    """What a failed command said on stderr, as the same kind of trouble."""
    last = log.read_bytes()[-20_000:].decode("utf-8", "replace").strip().splitlines()
    try:
        said = json.loads(last[-1])
    except (IndexError, ValueError):
        said = None
    what = f"{' '.join(command[-4:])[:200]} ended with {code}"
    if not isinstance(said, dict) or "what" not in said:
        return Broken(f"{what}: {last[-1][:300] if last else 'it said nothing'}", code="process")
    parts = {name: str(said.get(name, "")) for name in ("why", "next", "now")}
    if said.get("kind") == "refused":
        return Refused(str(said.get("code")), str(said["what"]), **parts)
    return _KINDS.get(str(said.get("kind")), Broken)(str(said["what"]), code=str(said.get("code", "")), **parts)
