"""What a transaction costs where much is recorded already, and how long a long history takes to read back.

Records that nobody in the workload touches are put into the state before its first block: so many assets of other
markets, one value under many names. The trees get their depth from them; memory is not as cold as with a million
different values. The program below is a node's executor in everything else.

    python bench/ledgers/growth.py FOLDER RECORDS SOCKET
"""

from __future__ import annotations

import hashlib
import os
import socket
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from freehold.agents.world import system_clock
from freehold.contract.host import Contract
from freehold.ledger.embedded.executor import Executor
from freehold.ledger.embedded.file import BlockFile
from freehold.ledger.embedded.front import FrontLedger
from freehold.ledger.embedded.ledger import block_of
from freehold.ledger.embedded.service import serve
from freehold.ledger.replay import Replay
from freehold.node.executor import CheckedContract
from freehold.node.runtime import LEDGER, open_ledger, operator_seed, read_network
from freehold.protocol import signatures
from ledgers.engine import founded, send_all
from ledgers.processes import children, processor_seconds
from ledgers.workload import Workload

RECORD: Final = 330
"""Bytes of each record that lies there before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """The cost of a transaction beside so many records."""

    records: int
    executor_us: float
    """Processor time of the executor for each transaction; the middle of the repeats."""
    all_us: tuple[float, ...]
    start_seconds: float
    """From the start of the processes to the first answer, most of it for making the records and their tree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A history of so many actions, read back."""

    actions: int
    start_seconds: float
    """Until a node answers: every block checked, no action executed."""
    replay_per_second: float
    """Actions executed again, with every signature, as an auditor does."""


class Filled(CheckedContract):
    """The rules of a network whose state holds records of others from the beginning."""

    def __init__(self, contract: Contract, records: int) -> None:
        super().__init__(contract)
        self._records = records

    def genesis(self) -> Mapping[str, bytes]:
        """The contract's, and the others."""
        filler = b'{"filler":"' + b"ab" * (RECORD // 2 - 7) + b'"}'
        names = (hashlib.sha256(number.to_bytes(8, "big")).hexdigest() for number in range(self._records))
        return {**super().genesis(), **{f"job/{name}": filler for name in names}}


def cost(workload: Workload, records: int) -> Grown:
    """Records the workload beside so many others, once."""
    with founded(workload) as folder:
        began = time.perf_counter()
        program = [sys.executable, __file__, str(folder), str(records)]
        ledger = FrontLedger.start(folder / LEDGER, program)
        try:
            ledger.info()
            start = time.perf_counter() - began
            (executor,) = children(os.getpid())
            spent = send_all(ledger, workload, partial(processor_seconds, executor))
        finally:
            ledger.close()
    return Grown(records=records, executor_us=spent, all_us=(spent,), start_seconds=start)


def middle(runs: Sequence[Grown]) -> Grown:
    """The middle of several runs beside the same number of records."""
    spent = [run.executor_us for run in runs]
    return Grown(
        records=runs[0].records,
        executor_us=statistics.median(spent),
        all_us=tuple(spent),
        start_seconds=statistics.median(run.start_seconds for run in runs),
    )


def read_back(workload: Workload, progress: Callable[[float], None] = lambda _: None) -> Past:
    """Records the workload, starts a node on it, and replays it."""
    with founded(workload) as folder:
        with open_ledger(folder) as ledger:
            send_all(ledger, workload, time.process_time)
        began = time.perf_counter()
        with open_ledger(folder) as ledger:
            ledger.info()
            start = time.perf_counter() - began
        network = read_network(folder)
        file = BlockFile.read(folder / LEDGER)
        replay = Replay(Contract(network), signatures.public_key(operator_seed(folder)))
        began = time.perf_counter()
        for row in file.rows(0, sys.maxsize):
            replay.apply(block_of(row))
            progress(replay.tip.log.size / workload.size)
        seconds = time.perf_counter() - began
        file.close()
    return Past(actions=workload.size, start_seconds=start, replay_per_second=workload.size / seconds)


def main() -> None:
    """Serves the executor of a folder whose state is filled."""
    folder, records, descriptor = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    machine, seed = Filled(Contract(read_network(folder)), records), operator_seed(folder)
    with socket.socket(fileno=descriptor) as connection:
        serve(lambda: Executor.open(folder / LEDGER, machine, seed, system_clock), connection)


if __name__ == "__main__":
    main()
