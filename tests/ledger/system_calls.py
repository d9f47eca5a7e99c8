"""Every system call by which the ledger reaches its disk is made to fail, one at a time, and the process killed in it.

`strace` does it: of each call on the ledger's files the first, the second, … fails with an error, once or from then on,
or the process dies in it. Afterwards the ledger is opened without any fault, and what was acknowledged has to be there.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from freehold.ledger.replay import Replay
from tests.engines.embedded import embedded
from tests.engines.notebook import Notebook, note
from tests.ledger.recorder import NOTES, TEXT

CALLS = ("openat", "pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", "mmap", "pread64", "fcntl", "fchown")
"""What SQLite reaches the disk by."""
FAULTS = {
    "killed": "signal=KILL",
    "EIO once": "error=EIO",
    "EIO from then on": "error=EIO",
    "ENOSPC once": "error=ENOSPC",
    "ENOSPC from then on": "error=ENOSPC",
}
FILES = ("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "ledger.sqlite-lock", ".")
"""The last is the folder itself: new names lie there until it is synced."""
_CALL = re.compile(r"^\d+ +(\w+)\(")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The n-th of some system call meets a fault."""

    call: str
    number: int
    fault: str

    def __str__(self) -> str:
        return f"{self.call} {self.number}: {self.fault}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a trial; `wrong` is empty if everything held."""

    trial: Trial
    acknowledged: int
    wrong: str


def strace_works() -> bool:
    """Whether there is an strace here that may follow processes."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


def every_trial() -> list[Trial]:
    """A trial for each call of a whole run and each fault."""
    with tempfile.TemporaryDirectory(prefix="freehold-calls-") as name:
        folder = Path(name)
        log = folder / "calls"
        _recorder(folder, "-o", str(log), "-e", f"trace={','.join(CALLS)}")
        counted = Counter(found[1] for found in map(_CALL.match, log.read_text().splitlines()) if found)
    return [
        Trial(call=call, number=number, fault=fault)
        for call, count in sorted(counted.items())
        for number in range(1, count + 1)
        for fault in FAULTS
    ]


def run(trial: Trial) -> Outcome:
    """Records with the fault, opens again without it, and compares with what was said."""
    with tempfile.TemporaryDirectory(prefix="freehold-fault-") as name:
        folder = Path(name)
        when = f"{trial.number}+" if trial.fault.endswith("from then on") else str(trial.number)
        said = _recorder(
            folder, "-o", "/dev/null", "-e", f"trace={trial.call}", "-e",
            f"inject={trial.call}:{FAULTS[trial.fault]}:when={when}",
        )  # fmt: skip
        acknowledged = dict(_accepted(said.stdout))
        wrong = "; ".join([*_wrong_words(trial, said), *_wrong_ledger(folder, acknowledged)])
    return Outcome(trial=trial, acknowledged=len(acknowledged), wrong=wrong)


def _recorder(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    paths = [option for file in FILES for option in ("-P", str(folder / file))]
    command = ["strace", "-f", "-qq", *options, *paths, sys.executable, "-m", "tests.ledger.recorder", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def _accepted(said: str) -> Iterator[tuple[str, int]]:
    for line in said.splitlines():
        if line.startswith("accepted "):
            _, name, position = line.split()
            yield name, int(position)


def _wrong_words(trial: Trial, said: subprocess.CompletedProcess[str]) -> Iterator[str]:
    """What the process should not have said while it met the fault."""
    if "Traceback" in said.stderr:
        yield f"a traceback: {said.stderr.strip().splitlines()[-1]}"
    lines = said.stdout.splitlines()
    if trial.fault != "killed" and (not lines or lines[-1] != "end"):
        yield f"it ended in the middle, after {lines[-1:]}: {said.stderr[-200:]}"
    known = 0
    for line in lines:
        known += line.startswith("accepted ")
        if line.startswith("read ") and line.split()[1:3] != [str(known), str(known)]:
            yield f"{known} were acknowledged, but questions said {line!r}"
    # After an error that passed, and that left no doubt about the disk, writing goes on by itself.
    refused = [line for line in lines if line.startswith("refused ")]
    if trial.fault.endswith("once") and len(refused) > 1 and not any(" Broken " in line for line in refused):
        yield f"one error, but {len(refused)} refusals"


def _wrong_ledger(folder: Path, acknowledged: dict[str, int]) -> Iterator[str]:
    """What is missing or half there once the ledger is opened again."""
    with embedded(folder) as ledger:
        for name, position in acknowledged.items():
            found = ledger.resolve(note(name, TEXT))
            if found is None or found.position != position:
                yield f"{name} was acknowledged at {position}, and is {found}"
        info = ledger.info()
        replay = Replay(Notebook(), bytes.fromhex(info.operator))
        for block in ledger.export(0, info.height):
            replay.apply(block)
        if {key: value.hex() for key, value in replay.state.scan("")} != ledger.evaluate("state", {}):
            yield "the state is not the replay of the blocks"
        again = [ledger.resolve(note(f"n{number}", TEXT)) for number in range(NOTES)]
        for number, found in enumerate(again):
            if found is None:
                ledger.submit(note(f"n{number}", TEXT))
        if ledger.info().size != NOTES:
            yield f"after everything was sent again there are {ledger.info().size} notes instead of {NOTES}"
