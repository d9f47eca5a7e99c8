"""A node as operators run it, and client processes that send to it over HTTP."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from freehold.ledger.frames import frame
from freehold.ledger.remote import RemoteLedger
from freehold.protocol.envelope import open_action
from ledgers.engine import founded
from ledgers.processes import children, memory_bytes, processor_seconds
from ledgers.workload import Workload, dealt

SENDERS: Final = 2
_PROGRAM: Final = Path(__file__).parent / "sender.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How a node is driven."""

    connections: int
    batch: int
    rate: float = 0.0
    """Actions a second; 0 for as many as are answered."""

    def __str__(self) -> str:
        said = f"{self.connections} × {self.batch}"
        return f"{said} at {self.rate:g}/s" if self.rate else said


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRun:
    """One run."""

    tps: float
    p50_ms: float
    p99_ms: float
    mean_ms: float
    node_us: float
    """Processor time of the node's two processes for each action."""
    client_us: float
    memory: int
    """Bytes of the node's processes at the end."""
    functions: Mapping[str, float]
    """Mean latency of each function, milliseconds."""
    counts: Mapping[str, int]


@contextmanager
def started(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The node of the network in a folder, and where it answers."""
    command = [sys.executable, "-m", "freehold", "node", "--network", str(folder), "--port", "0", "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


FUNCTIONS_OF_THE_PAPER: Final = (
    *("CreateDO", "CreateCO", "CreateMO", "CreateDS", "CreateDSS", "CreateCI", "JoinCI", "VerifyCI", "CreateMod"),
    *("RequestTC", "ApproveTC", "StartRound", "UpdateTJ", "CloseRound", "EndTC"),
)


def lifecycle_ms(workload: Workload, times: int) -> float:
    """One member after the other, each waiting for its answer: the fifteen functions that one training takes, the first
    of each in a market, through a node; the middle of some markets."""
    found = []
    with founded(workload) as folder, started(folder) as (_, url):
        ledger = RemoteLedger(url)
        try:
            for market in workload.markets[: times + 1]:
                left, spent = set(FUNCTIONS_OF_THE_PAPER), 0.0
                for action in market:
                    function = open_action(action, signature_checked=True).function
                    began = time.perf_counter()
                    ledger.submit(action)
                    if function in left:
                        left.remove(function)
                        spent += time.perf_counter() - began
                found.append(1e3 * spent)
        finally:
            ledger.close()
    return statistics.median(found[1:])


def run(workload: Workload, load: Load) -> NodeRun:
    """Sends the workload to a fresh node."""
    if len(workload.markets) < load.connections:
        raise ValueError(f"{load.connections} connections need as many markets, there are {len(workload.markets)}")
    with founded(workload) as folder, started(folder) as (node, url), ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="freehold-sender-")))
        hands = list(dealt(workload, load.connections))
        senders = []
        for number in range(SENDERS):
            file = scratch / f"{number}"
            file.write_bytes(frame(frame(hand) for hand in hands[number::SENDERS]))
            command = [sys.executable, str(_PROGRAM), url, str(file), "--batch", str(load.batch)]
            command += ["--rate", str(load.rate / SENDERS)]
            senders.append(
                stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            )
        processes = [node.pid, *children(node.pid)]
        _together(senders, "ready")
        _together(senders, "warm")
        before = sum(map(processor_seconds, processes))
        found = [json.loads(each) for each in _answers(senders)]
        spent = sum(map(processor_seconds, processes)) - before
        memory = sum(map(memory_bytes, processes))
    return _summed(found, spent, memory)


def _together(senders: list[subprocess.Popen[str]], word: str) -> None:
    for answer in _answers(senders):
        if answer.strip() != word:
            raise RuntimeError(f"a sender said {answer!r} instead of {word!r}")
    for sender in senders:
        assert sender.stdin is not None
        sender.stdin.write("go\n")
        sender.stdin.flush()


def _answers(senders: list[subprocess.Popen[str]]) -> list[str]:
    return [sender.stdout.readline() for sender in senders if sender.stdout is not None]


def _summed(found: list[dict[str, Any]], node_seconds: float, memory: int) -> NodeRun:
    failed = [said for each in found for said in each["failed"]]
    if failed:
        raise RuntimeError(f"{len(failed)} actions were not accepted, the first: {failed[0]}")
    by_function: dict[str, list[float]] = defaultdict(list)
    for each in found:
        for function, seconds in each["seen"]:
            by_function[function].append(1e3 * seconds)
    spent = sorted(value for values in by_function.values() for value in values)
    seconds = max(each["ended"] for each in found) - min(each["began"] for each in found)
    return NodeRun(
        tps=len(spent) / seconds,
        p50_ms=spent[len(spent) // 2],
        p99_ms=spent[len(spent) * 99 // 100],
        mean_ms=statistics.fmean(spent),
        node_us=1e6 * node_seconds / len(spent),
        client_us=1e6 * sum(each["processor"] for each in found) / len(spent),
        memory=memory,
        functions={name: statistics.fmean(values) for name, values in sorted(by_function.items())},
        counts={name: len(values) for name, values in sorted(by_function.items())},
    )
