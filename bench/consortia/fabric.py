"""Hyperledger Fabric beside the others, on the same workload: two organisations, three orderers of Raft, TLS.

Its programs are looked for in FREEHOLD_FABRIC. Where they are missing there is no figure, and none is made up. Both
organisations' nodes and all clients are in this process; the clients are those of `crowd`.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from consortia.alone import one_after_the_other
from consortia.crowd import Crowd
from consortia.members import Turns
from freehold.agents.world import system_clock
from freehold.contract.host import Contract
from freehold.errors import FreeholdError
from freehold.ledger.fabric.programs import Programs, programs_from_environment
from freehold.node.chaincode import program
from freehold.node.runtime import RECORD
from ledgers.processes import children, processor_seconds
from ledgers.workload import Workload

if TYPE_CHECKING:
    from freehold.ledger.fabric.client import FabricLedger
    from freehold.ledger.fabric.network import Development

PAUSE: Final = 50
"""Milliseconds for which the orderers gather transactions."""
MARKETS: Final = 10
"""What Fabric decides in a while; the others' whole workload would take it a quarter of an hour."""
QUIET_SECONDS: Final = 0.4
SAMPLES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Fabric:
    """A running network, and the node of each organisation."""

    network: Development
    ledgers: tuple[FabricLedger, ...]

    def spent(self) -> dict[str, float]:
        """Seconds of processors so far, by kind of process."""
        found = {"front": processor_seconds(os.getpid())}
        for name, process in self.network.processes.running.items():
            kind = "orderers" if name.startswith("orderer") else "chaincodes" if "chaincode" in name else "peers"
            # Each process has a guard that ends it with whoever started it.
            seconds = sum(map(processor_seconds, (process.pid, *children(process.pid))))
            found[kind] = found.get(kind, 0.0) + seconds
        return found


def find_programs() -> Programs | None:
    """Fabric's programs, if they are installed."""
    try:
        return programs_from_environment()
    except FreeholdError:
        return None


@contextmanager
def running(workload: Workload) -> Iterator[Fabric]:
    """A fresh network under the rules of the workload's market."""
    from freehold.ledger.fabric.client import FabricLedger
    from freehold.ledger.fabric.network import Development

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="freehold-fabric-")))
        (folder / RECORD).write_bytes(workload.network.encode())
        network = stack.enter_context(
            Development(
                programs_from_environment(),
                folder / "network",
                ordering="raft",
                chaincode=program(folder),
                pause=PAUSE,
            )
        )
        ledgers = []
        for number, access in enumerate(network.accesses):
            file = folder / f"organisation{number}.sqlite"
            ledgers.append(FabricLedger.open(access.opened(), file, Contract(workload.network), system_clock))
            stack.callback(ledgers[-1].close)
        yield Fabric(network=network, ledgers=tuple(ledgers))


def measure_fabric(workload: Workload, waits: Sequence[Turns], repeats: int, times: int) -> dict[str, Any]:
    """`tps`, `cpu_ms_per_action` and `latency_ms` of a network of Fabric, as of CometBFT."""
    runs = [_loaded(workload, waits[:MARKETS]) for _ in range(repeats)]
    with running(workload) as fabric:
        alone = one_after_the_other(fabric.ledgers, workload, times)
        version = fabric.network.layout.line
    kinds = runs[0]["cpu_ms"]
    cpu = {kind: statistics.median(run["cpu_ms"][kind] for run in runs) for kind in kinds}
    latency = {name: statistics.median(run[name] for run in runs) for name in ("p50", "p95")}
    return {
        "fabric": version,
        "actions": sum(len(each.actions) for each in waits[:MARKETS]),
        "tps": statistics.median(run["tps"] for run in runs),
        "cpu_ms_per_action": cpu | {"sum": sum(cpu.values())},
        "latency_ms": latency | {"idle": alone.latency_ms, "in_sequence": alone.in_sequence_ms},
        "lifecycle_ms": alone.lifecycle_ms,
        "runs": runs,
    }


def _loaded(workload: Workload, waits: Sequence[Turns]) -> dict[str, Any]:
    """One run: everybody acts, each at the node of one of the organisations."""
    with running(workload) as fabric:
        crowds = [Crowd(ledger, waits[number::2]) for number, ledger in enumerate(fabric.ledgers)]
        before, began = fabric.spent(), time.monotonic()
        threads = [threading.Thread(target=crowd.act) for crowd in crowds]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        seconds, spent = time.monotonic() - began, fabric.spent()
        if refused := [said for crowd in crowds for said in crowd.refused]:
            raise RuntimeError(f"{len(refused)} actions were not accepted, the first: {refused[0]}")
        until = time.monotonic() + 30
        while len({ledger.info().size for ledger in fabric.ledgers}) > 1:
            if time.monotonic() > until:
                raise RuntimeError("an organisation does not come level with the other")
            time.sleep(0.05)
    count = sum(len(each.actions) for each in waits)
    waited = sorted(took for crowd in crowds for _, took in crowd.seen)
    return {
        "tps": count / seconds,
        "p50": 1e3 * waited[len(waited) // 2],
        "p95": 1e3 * waited[len(waited) * 95 // 100],
        "cpu_ms": {kind: 1e3 * (spent[kind] - before[kind]) / count for kind in sorted(spent)},
        "again": sum(crowd.again for crowd in crowds),
    }
