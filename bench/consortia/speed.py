"""Seats under load: every operator in processes of its own on this machine, and the clients with them."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from consortia.members import Turns, in_lots, turns
from consortia.validators import IDLE, PAUSE, Seat, founded
from freehold.ledger.frames import frame
from ledgers.engine import founded as embedded_founded
from ledgers.processes import processor_seconds
from ledgers.workload import Workload

LOT: Final = 50
LOTS_TOGETHER: Final = 20
"""Lots on their way at once: newcomers share a thousand places in a waiting room, and every market begins with some."""
KINDS: Final = ("node", "application", "front")
_PROGRAM: Final = Path(__file__).parent / "seat.py"
_CUT: Final = 0.1
"""Part of the time at either end that is not counted: nobody waits there for anybody yet, or most have gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How a network is driven."""

    lot: int = 1
    """Actions of one request."""

    def __str__(self) -> str:
        return "synchronous" if self.lot == 1 else f"lots of {self.lot}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run."""

    tps: float
    p50_ms: float
    p95_ms: float
    cpu_ms: Mapping[str, float]
    """For each action, by kind of process, all operators together: the nodes of CometBFT, the applications (of the
    embedded engine: its executor), and the fronts, in which engines and clients are."""
    disk: float
    """Bytes for each action on the disk of one operator."""
    again: int
    """How often somebody had to come again."""


def run(workload: Workload, validators: int, load: Load, *, pause: int = PAUSE, waits: Sequence[Turns] = ()) -> Run:
    """Lets a fresh network decide the workload; 0 validators is the embedded engine."""
    markets = (
        list(waits or turns(workload)) if load.lot == 1 else [in_lots(each, load.lot) for each in workload.markets]
    )
    with ExitStack() as stack:
        if validators:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="freehold-consortium-")))
            seats = founded(folder, workload.network, validators, pause=pause)
        else:
            seats = [Seat(folder=stack.enter_context(embedded_founded(workload)), listen="", peers=())]
        return _driven(stack, seats, markets, load, embedded=not validators)


def _driven(stack: ExitStack, seats: Sequence[Seat], markets: Sequence[Turns], load: Load, *, embedded: bool) -> Run:
    scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="freehold-seat-")))
    started = [
        _seat(stack, scratch / f"{number}", seat, markets[number :: len(seats)], load, len(seats), embedded)
        for number, seat in enumerate(seats)
    ]
    processes = [_line(each) for each in started]
    spent = _spent(processes)
    for each in started:
        _say(each, "act")
    found = [_line(each) for each in started]
    spent = {kind: seconds - spent[kind] for kind, seconds in _spent(processes).items()}
    if refused := [said for each in found for said in each["refused"]]:
        raise RuntimeError(f"{len(refused)} actions were not accepted, the first: {refused[0]}")
    count = sum(len(market.actions) for market in markets)
    _await_level(started, count)
    for each in started:
        _say(each, "end")
        each.wait()
    disk = statistics.mean(disk_bytes(seat.folder) for seat in seats) / count
    tps, waited = _counted([(began, took) for each in found for began, took in each["seen"]])
    return Run(
        tps=tps,
        p50_ms=1e3 * waited[len(waited) // 2],
        p95_ms=1e3 * waited[len(waited) * 95 // 100],
        cpu_ms={kind: 1e3 * seconds / count for kind, seconds in spent.items()},
        disk=disk,
        again=sum(each["again"] for each in found),
    )


def _counted(seen: Sequence[tuple[float, float]]) -> tuple[float, list[float]]:
    """Actions a second in the middle of the run, and how long each of these took, ascending."""
    ends = sorted(began + took for began, took in seen)
    first, last = ends[0], ends[-1]
    low, high = first + _CUT * (last - first), last - _CUT * (last - first)
    waited = sorted(took for began, took in seen if low <= began + took < high)
    return len(waited) / (high - low), waited


def _seat(
    stack: ExitStack, path: Path, seat: Seat, markets: Sequence[Turns], load: Load, seats: int, embedded: bool
) -> subprocess.Popen[str]:
    actions = path.with_suffix(".actions")
    actions.write_bytes(frame(frame(market.actions) for market in markets))
    asked = {
        "engine": "embedded" if embedded else "cometbft",
        "folder": str(seat.folder),
        "listen": seat.listen,
        "peers": seat.peers,
        "pause": seat.pause,
        "idle": IDLE,
        "lot": load.lot,
        "together": 1_000 if load.lot == 1 else max(1, LOTS_TOGETHER // seats),
        "actions": str(actions),
        "after": [market.after for market in markets],
    }
    path.write_text(json.dumps(asked))
    command = [sys.executable, str(_PROGRAM), str(path)]
    return stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))


def _await_level(started: Sequence[subprocess.Popen[str]], count: int) -> None:
    deadline = time.monotonic() + 60
    for each in started:
        while True:
            _say(each, "size")
            if _line(each) == count:
                break
            if time.monotonic() > deadline:
                raise RuntimeError("an operator does not come level with the others")
            time.sleep(0.05)


def _spent(processes: Sequence[Mapping[str, int]]) -> dict[str, float]:
    return {kind: sum(processor_seconds(each[kind]) for each in processes if kind in each) for kind in KINDS}


def disk_bytes(folder: Path) -> int:
    """Of everything that an operator keeps."""
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())


def _line(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("a seat ended early")
    return json.loads(line)


def _say(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdin is not None
    process.stdin.write(word + "\n")
    process.stdin.flush()
