"""The engine alone: two processes, without a socket to clients; lots of 64 actions, eight of them on their way."""

from __future__ import annotations

import os
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from freehold.node.runtime import LEDGER, found_network, open_ledger
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
        yield folder


def run(workload: Workload) -> EngineRun:
    """Records the workload in a fresh ledger; the first tenth warms up."""
    actions = [action for market in workload.markets for action in market]
    lots = [actions[at : at + LOT] for at in range(0, len(actions), LOT)]
    cut = len(lots) // _WARM
    with founded(workload) as folder:
        with open_ledger(folder) as ledger:
            (executor,) = children(os.getpid())
            spent: list[float] = []

            def send(some: list[list[bytes]]) -> None:
                waiting: deque[tuple[float, object]] = deque()
                for lot in [*some, *[None] * UNDER_WAY]:
                    if lot is not None:
                        waiting.append((time.perf_counter(), ledger.enqueue(lot)))
                    if waiting and (lot is None or len(waiting) > UNDER_WAY):
                        began, future = waiting.popleft()
                        answers = future.result()  # type: ignore[attr-defined]
                        spent.append(time.perf_counter() - began)
                        if not all(isinstance(answer, Accepted) for answer in answers):
                            raise AssertionError(f"not accepted: {answers}")

            send(lots[:cut])
            spent.clear()
            began, front, writer = time.perf_counter(), time.process_time(), processor_seconds(executor)
            send(lots[cut:])
            seconds = time.perf_counter() - began
            front, writer = time.process_time() - front, processor_seconds(executor) - writer
            memory = memory_bytes(os.getpid()) + memory_bytes(executor)
        size = (folder / LEDGER).stat().st_size
    count = len(actions) - cut * LOT
    spent.sort()
    return EngineRun(
        tps=count / seconds,
        front_us=1e6 * front / count,
        executor_us=1e6 * writer / count,
        p50_ms=1e3 * spent[len(spent) // 2],
        p99_ms=1e3 * spent[len(spent) * 99 // 100],
        bytes_per_action=size / len(actions),
        memory=memory,
    )
