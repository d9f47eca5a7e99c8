"""The engine alone: two processes, without a socket to clients; lots of 64 actions, eight of them on their way."""

from __future__ import annotations

import os
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from freehold.ledger.embedded.executor import Answer
from freehold.ledger.embedded.front import FrontLedger
from freehold.node.runtime import LEDGER, found_network, open_ledger
from freehold.node.settings import SETTINGS
from freehold.ports.ledger import Accepted
from ledgers.processes import children, memory_bytes, processor_seconds
from ledgers.workload import Workload

LOT: Final = 64
UNDER_WAY: Final = 8
_WARM: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRun:
    """One run."""

    tps: float
    front_us: float
    """Processor time of the first process for each action."""
    executor_us: float
    p50_ms: float
    p99_ms: float
    bytes_per_action: float
    """On disk, once the file is closed."""
    memory: int
    """Bytes of both processes at the end."""


@contextmanager
def founded(workload: Workload) -> Iterator[Path]:
    """The folder of a network for this workload, gone at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="freehold-ledger-") as name:
        folder = Path(name) / "market"
        found_network(folder, workload.network)
        # All clients have one address here, and one treasury pays everybody: as fast as a node can, not as it lets.
        (folder / SETTINGS).write_text(
            "".join(f"[{rate}]\nper_second = 1000000\nburst = 1000000\n" for rate in ("address_rate", "member_rate"))
        )
        yield folder


def run(workload: Workload) -> EngineRun:
    """Records the workload in a fresh ledger; the first tenth warms up."""
    with founded(workload) as folder:
        with open_ledger(folder) as ledger:
            (executor,) = children(os.getpid())
            lots = lots_of(workload)
            cut = len(lots) // _WARM
            send(ledger, lots[:cut])
            began, front, writer = time.perf_counter(), time.process_time(), processor_seconds(executor)
            spent = sorted(send(ledger, lots[cut:]))
            seconds = time.perf_counter() - began
            front, writer = time.process_time() - front, processor_seconds(executor) - writer
            memory = memory_bytes(os.getpid()) + memory_bytes(executor)
        size = (folder / LEDGER).stat().st_size
    count = sum(map(len, lots[cut:]))
    return EngineRun(
        tps=count / seconds,
        front_us=1e6 * front / count,
        executor_us=1e6 * writer / count,
        p50_ms=1e3 * spent[len(spent) // 2],
        p99_ms=1e3 * spent[len(spent) * 99 // 100],
        bytes_per_action=size / workload.size,
        memory=memory,
    )


def send_all(ledger: FrontLedger, workload: Workload, spent: Callable[[], float]) -> float:
    """Records the workload; microseconds of what `spent` (seconds) counts for each action, the first tenth left out."""
    lots = lots_of(workload)
    cut = len(lots) // _WARM
    send(ledger, lots[:cut])
    before = spent()
    send(ledger, lots[cut:])
    return 1e6 * (spent() - before) / sum(map(len, lots[cut:]))


def lots_of(workload: Workload) -> list[list[bytes]]:
    """All actions in a valid order, side by side in lots."""
    actions = [action for market in workload.markets for action in market]
    return [actions[at : at + LOT] for at in range(0, len(actions), LOT)]


def send(ledger: FrontLedger, lots: Sequence[list[bytes]]) -> list[float]:
    """Sends lots with some on their way; how long each took, in seconds. Fails unless all of it is accepted."""
    waiting: deque[tuple[float, Future[list[Answer]]]] = deque()
    spent: list[float] = []

    def take() -> None:
        began, future = waiting.popleft()
        answers = future.result()
        spent.append(time.perf_counter() - began)
        if refused := [answer for answer in answers if not isinstance(answer, Accepted)]:
            raise RuntimeError(f"{len(refused)} actions were not accepted, the first: {refused[0]}")

    for lot in lots:
        waiting.append((time.perf_counter(), ledger.enqueue(lot)))
        if len(waiting) > UNDER_WAY:
            take()
    while waiting:
        take()
    return spent
