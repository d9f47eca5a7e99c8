"""The processes of a network: none outlives its starter, and what ended is named with its last words."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from freehold.errors import Invalid, Unavailable
from freehold.ledger.fabric import tethered
from freehold.ledger.fabric.processes import Command, Processes, free_ports

LISTENS = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(60)"
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), flush=True)
time.sleep(60)
"""


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.01)


def runs(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def processes() -> Iterator[Processes]:
    made = Processes()
    yield made
    made.stop()


def command(folder: Path, program: str, *arguments: str, name: str = "one") -> Command:
    (port,) = free_ports(1)
    return Command(
        name=name,
        arguments=[sys.executable, "-c", program, *(arguments or (str(port),))],
        environment={},
        folder=folder,
        log=folder / f"{name}.log",
        port=port,
    )


def test_a_process_listens_is_killed_and_starts_again_on_its_port(processes: Processes, tmp_path: Path) -> None:
    processes.start(command(tmp_path, LISTENS))
    processes.listening(["one"], 20)
    with pytest.raises(Invalid, match="still runs"):
        processes.restart("one")
    processes.kill("one")
    with pytest.raises(Unavailable, match="one ended"):
        processes.check()
    processes.restart("one")
    processes.listening(["one"], 20)
    with pytest.raises(Invalid, match="no process"):
        processes.kill("two")


def test_a_program_whose_tether_was_killed_is_ended_with_the_others(tmp_path: Path) -> None:
    processes = Processes()
    processes.start(command(tmp_path, STUBBORN))
    log = tmp_path / "one.log"
    until(lambda: log.exists() and log.read_text().endswith("\n"))
    program, tether = int(log.read_text()), processes.running["one"]
    tether.kill()
    tether.wait()
    assert runs(program)
    processes.stop()

    until(lambda: not runs(program))


def test_what_ends_before_it_listens_is_named_with_its_last_words(processes: Processes, tmp_path: Path) -> None:
    processes.start(command(tmp_path, "import sys; sys.exit('my disk is full')"))
    with pytest.raises(Unavailable, match="one ended with code 1") as ended:
        processes.listening(["one"], 20)
    assert ended.value.why == "my disk is full"
    assert str(tmp_path / "one.log") in ended.value.next


def test_what_never_listens_is_named_too(processes: Processes, tmp_path: Path) -> None:
    processes.start(command(tmp_path, "import time; time.sleep(60)"))
    with pytest.raises(Unavailable, match="does not listen"):
        processes.listening(["one"], 0.2)


def test_stopping_ends_what_does_not_want_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freehold.ledger.fabric.processes._GOODBYE_SECONDS", 0.2)
    processes = Processes()
    for name, program in (("willing", LISTENS), ("stubborn", STUBBORN)):
        processes.start(command(tmp_path, program, name=name))
    processes.listening(["willing"], 20)
    log = tmp_path / "stubborn.log"
    until(lambda: log.read_text().endswith("\n"))
    started = [int(log.read_text()), *(process.pid for process in processes.running.values())]
    assert all(map(runs, started))
    processes.stop()

    until(lambda: not any(map(runs, started)))


def test_nothing_outlives_a_starter_that_is_killed(tmp_path: Path) -> None:
    starter = f"""
import subprocess, sys, time
program = [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(60)"]
subprocess.Popen([sys.executable, "-I", "-S", {tethered.__file__!r}, *program], stdin=subprocess.PIPE)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE)
    assert process.stdout is not None
    program = int(process.stdout.readline())
    try:
        assert runs(program)
        process.send_signal(signal.SIGKILL)
        process.wait()
        until(lambda: not runs(program))
    finally:
        with suppress(ProcessLookupError):
            os.kill(program, signal.SIGKILL)
        process.communicate()


def test_the_code_with_which_a_program_ends_is_handed_on() -> None:
    def code(program: str) -> int:
        arguments = [sys.executable, "-I", "-S", tethered.__file__, sys.executable, "-c", program]
        with subprocess.Popen(arguments, stdin=subprocess.PIPE) as process:
            return process.wait(20)

    assert code("raise SystemExit(7)") == 7
    assert code("import os, signal; os.kill(os.getpid(), signal.SIGKILL)") == 128 + signal.SIGKILL
