"""Application and node as a pair: started in this order, watched, and ended together when one of them ends.

Neither is of use without the other, and a node whose application is gone stops by itself a little later or, rarely,
hangs. So when one is gone the other is ended too, and both begin again from what is on disk. A pair that ends again and
again is started more and more slowly, and then given up: something needs a person.

Sockets lie in a fresh folder under the system's temporary one: their paths must be short, and no socket of an earlier
life is ever found. The application holds the read end of a pipe and ends with its supervisor, however that ends.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from freehold.errors import Broken, FreeholdError, Unavailable
from freehold.ledger.cometbft.configuration import Settings, write_settings

_PATIENCE_SECONDS: Final = 30.0
_GOODBYE_SECONDS: Final = 10.0
_LEFT_SECONDS: Final = 1.0
"""For whoever is left when the other is gone: a node without its application often cannot end by itself any more, and
both stand being killed at any moment."""
_WATCH_SECONDS: Final = 0.05
_QUIET_SECONDS: Final = 60.0
"""A pair that lived this long is sound: earlier deaths are forgotten."""
_DEATHS_LARGEST: Final = 10
_LOG_LARGEST: Final = 64 * 2**20
_DIVERGED: Final = re.compile(
    # In turn with the others; and while it catches up, about a block of which it knows already that they signed it. A
    # node whose application was killed fails too, but for another reason.
    rb"(CONSENSUS FAILURE!!!|Error in validation .*module=blocksync) .*wrong Block\.Header\.[A-Za-z]+Hash"
)
_LINE_LARGEST: Final = 1_024
_NOT_JOINED: Final = (b"failed to start state sync", b"State sync failed")
NODE_LOG: Final = "node.log"
_ASIDE: Final = ".diverged"

Program = Callable[[Path, Path], Sequence[str]]
"""The command of the application that is to listen on these two sockets: requests of the node, and the bell."""


class Pair:
    """A running application and its node."""

    def __init__(self, cometbft: Path, folder: Path, settings: Settings, program: Program) -> None:
        """`folder` holds keys and genesis (`configuration`)."""
        self._cometbft = cometbft
        self._folder = folder
        self._settings = settings
        self._sockets = Path(tempfile.mkdtemp(prefix="freehold-"))
        self._program = program(self.application_socket, self.bell_socket)
        self._stopping = threading.Event()
        self._turn = threading.Lock()
        self._processes: list[subprocess.Popen[bytes]] = []
        self.trouble: FreeholdError | None = None
        """What made the supervisor give up, if something did."""
        self._when_lost: list[Callable[[], None]] = []
        self._read_log = 0
        self.starts = 0
        """How often the pair was started."""
        self._thread = threading.Thread(target=self._watch, name="ledger-pair", daemon=True)

    @property
    def application_socket(self) -> Path:
        """Where the application answers its node."""
        return self._sockets / "application"

    @property
    def bell_socket(self) -> Path:
        """Where the application says that there is more."""
        return self._sockets / "bell"

    @property
    def rpc_socket(self) -> Path:
        """Where the node takes transactions; its folder lets nobody else in."""
        return self._sockets / "rpc"

    @property
    def processes(self) -> tuple[int, ...]:
        """The process ids of application and node, as far as they run."""
        return tuple(process.pid for process in self._processes if process.poll() is None)

    def when_lost(self, tell: Callable[[], None]) -> None:
        """Calls `tell`, in the supervisor's thread, once it has given up."""
        self._when_lost.append(tell)

    def start(self) -> None:
        """Starts both and watches them; raises what kept them from starting."""
        try:
            write_settings(self._folder, self._settings, application=self.application_socket, rpc=self.rpc_socket)
            self._start_both()
        except BaseException:
            self.stop()
            raise
        self._thread.start()

    def stop(self) -> None:
        """Ends both: the node first, so that it does not miss its application."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE_SECONDS)
        self._end_both()
        shutil.rmtree(self._sockets, ignore_errors=True)

    def _start_both(self) -> None:
        self.rpc_socket.unlink(missing_ok=True)
        self.application_socket.unlink(missing_ok=True)
        self.starts += 1
        application = self._begin("application", self._program, stdin=subprocess.PIPE)
        self._processes = [application]
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self.application_socket.exists():
            if application.poll() is not None or time.monotonic() > deadline:
                raise Broken("the ledger's application did not start", next=f"read {self._folder / 'application.log'}")
            if self._stopping.wait(0.01):
                return
        command = [str(self._cometbft), "start", "--home", str(self._folder)]
        self._read_log = _size(self._folder / NODE_LOG)
        self._processes = [application, self._begin("node", command)]

    def _begin(self, name: str, command: Sequence[str], stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        path = self._folder / f"{name}.log"
        if _size(path) > _LOG_LARGEST:
            path.replace(path.with_suffix(".log.old"))
        with path.open("ab") as log:
            # A session of its own: Ctrl-C at a terminal is for the supervisor, which ends both in order.
            return subprocess.Popen(  # noqa: S603
                command, stdin=stdin, stdout=log, stderr=log, start_new_session=True
            )

    def _end_both(self, seconds: float = _GOODBYE_SECONDS) -> None:
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()

    def _look_into_log(self) -> None:
        """What a node says once: that its application disagrees with the others, after which it lives on with a frozen
        height, or that no snapshot could be taken, after which it ends or waits for ever."""
        log = self._folder / NODE_LOG
        size = _size(log)
        # The file may be a fresh one, and a line may be cut where the last look ended.
        start = max(0, self._read_log - _LINE_LARGEST) if size >= self._read_log else 0
        if size == self._read_log or self.trouble is not None:
            return
        with log.open("rb") as file:
            file.seek(start)
            said = file.read(size - start)
        self._read_log = size
        if _DIVERGED.search(said):
            self.trouble = Broken(
                "this validator's application came to another result than the network: it takes no part any more",
                why="its file was altered, its program is another version, or the machine computed wrongly",
                next=f"find out why ({log}); stop the node, rebuild it (`supervisor.rebuild`), and start it again",
                now="the other validators go on; nothing that they decided is lost",
            )
        elif self._settings.joining is not None and any(each in said for each in _NOT_JOINED):
            self.trouble = Unavailable(
                "this node could not join with a snapshot",
                why="the trusted header is not the network's or too old, or those who serve headers do not answer",
                next=f"read the end of {log}, ask an operator for a recent header, and start again",
                now="nothing was taken over; without a snapshot the node can still follow from the beginning",
                retry=False,
            )

    def _watch(self) -> None:
        deaths, since = 0, time.monotonic()
        while not self._stopping.wait(_WATCH_SECONDS):
            alive = all(process.poll() is None for process in self._processes)
            self._look_into_log()
            if alive:
                continue
            self._end_both(_LEFT_SECONDS)
            if isinstance(self.trouble, Unavailable):
                return
            deaths = 1 if time.monotonic() - since > _QUIET_SECONDS else deaths + 1
            if deaths > _DEATHS_LARGEST:
                self.trouble = Broken(
                    f"application and node ended {deaths} times in short order",
                    why=_last_words(self._folder / NODE_LOG),
                    next=f"read application.log and node.log in {self._folder}",
                    now="what was recorded is safe; nothing new is taken",
                )
                for tell in self._when_lost:
                    tell()
                return
            if self._stopping.wait(0.0 if deaths == 1 else min(0.1 * 2**deaths, 10.0)):
                return
            since = time.monotonic()
            with suppress(FreeholdError, OSError):
                self._start_both()


def rebuild(cometbft: Path, folder: Path, file: Path) -> None:
    """The cure of a validator that diverged, once its cause is removed and nothing of it runs.

    The application's file is set aside and the node takes its last block back; at the next start the application
    executes every block again.
    """
    # Set aside and not removed: it shows what went wrong.
    for each in sorted(file.parent.glob(f"{file.name}*")):
        if not each.name.endswith(_ASIDE):
            each.replace(each.with_name(each.name + _ASIDE))
    done = subprocess.run(  # noqa: S603
        [str(cometbft), "rollback", "--home", str(folder)], capture_output=True, timeout=60, check=False
    )
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace")[-500:]
        raise Broken(f"CometBFT could not take its last block back: {said}", next="start again with an empty folder")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _last_words(log: Path) -> str:
    """The last line that a program wrote, if there is one."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, _size(log) - 2_000))
            lines = file.read().decode("ascii", "replace").split("\n")
    except OSError:
        return ""
    words = [line.strip() for line in lines if line.strip()]
    return "".join(each if each.isprintable() else " " for each in words[-1])[:300] if words else ""
