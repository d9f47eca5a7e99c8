"""How fast the ledger of one machine is: beside Postgres on the same work, beside the paper, and as it grows.

    python bench/ledger.py [--quick] [--only postgres,engine,node,figures,growth]

prints tables, writes bench/results/ledger.json (of a part or a quick run: ledger-part.json). `docs/ledger.md` says what
the figures mean. A whole run takes a quarter of an hour, alone on the machine. What is compared is measured in turns: a
slow minute is slow for everybody.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from ledgers import engine, growth, node, postgres
from ledgers.workload import TRAININGS, Demand, Workload, demands, mean, prepare

RESULTS: Final = Path(__file__).parent / "results" / "ledger.json"
SECTIONS: Final = ("postgres", "engine", "node", "figures", "growth")
BATCHES: Final = node.Load(connections=16, batch=50)
OTHER_LOADS: Final = (node.Load(connections=16, batch=10), node.Load(connections=64, batch=1))
RATES: Final = (500, 1_000, 1_500)
GOALS: Final = {"ratio_engine": 1.2, "ratio_node": 1.0, "growth_ratio": 1.2, "lifecycle_ms": 60.0}
KEYS: Final = (
    *("postgres_tps", "engine_tps", "node_tps", "ratio_engine", "ratio_node", "growth_ratio", "lifecycle_ms"),
    *("bytes_per_action", "replay_per_second"),
)
"""What stands in every result, null where it was not measured."""
PAPER: Final = {500: "about 500", 1_000: "about 950", 1_500: "falls sharply"}
"""Throughput by send rate, as the paper's figure 7 and its text say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is done."""

    actions: int
    repeats: int
    seconds: float
    """Of each run of Postgres."""
    rows: int
    """Of Postgres's table of records."""
    grown: tuple[int, ...]
    past: int
    """Actions of the history that is read back."""


WHOLE: Final = Size(
    actions=30_000, repeats=3, seconds=6, rows=100_000, grown=(1_000, 10_000, 100_000, 1_000_000), past=100_000
)
QUICK: Final = Size(actions=27_500, repeats=1, seconds=2, rows=10_000, grown=(1_000, 10_000), past=27_500)


def main() -> int:
    """Measures what was asked for; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="once, and less of everything: a minute or two")
    parser.add_argument("--only", default=",".join(SECTIONS), help=f"some of {','.join(SECTIONS)}")
    asked = parser.parse_args()
    sections = asked.only.split(",")
    if unknown := set(sections) - set(SECTIONS):
        parser.error(f"there is no section {min(unknown)}")
    size = QUICK if asked.quick else WHOLE
    with told("signing the workload"):
        workload = prepare(size.actions)
        asks = demands(workload)
    found: dict[str, Any] = {
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} processors",
        "quick": asked.quick,
        "actions": workload.size,
        "mix": [asdict(each) for each in asks],
    }
    print(f"{workload.size:,} signed actions of {len(workload.markets)} markets, all {len(asks)} functions")
    if {"postgres", "engine", "node"} & set(sections):
        found |= side_by_side(workload, asks, size, sections)
    if "figures" in sections:
        found |= figures(workload)
    if "growth" in sections:
        found |= grows(workload, size)
    results = RESULTS if not asked.quick and set(sections) == set(SECTIONS) else RESULTS.with_stem("ledger-part")
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps({**dict.fromkeys(KEYS), **found}, indent=1) + "\n")
    return verdict(found)


def side_by_side(workload: Workload, asks: Sequence[Demand], size: Size, sections: Sequence[str]) -> dict[str, Any]:
    """Postgres, the engine and the node in turns."""
    databases: list[postgres.Run] = []
    engines: list[engine.EngineRun] = []
    nodes: dict[str, list[node.NodeRun]] = {}
    programs = postgres.find_programs() if "postgres" in sections else None
    version = None
    if programs is None:
        print("POSTGRES WAS NOT MEASURED: its programs (initdb, pg_ctl, psql, pgbench; 15 or newer) are not installed")
        for repeat in range(size.repeats):
            _own(workload, sections, repeat, engines, nodes)
    else:
        with postgres.started(programs, asks, size.rows) as server:
            version = server.version
            scripts = postgres.scripts(server, asks)
            with told("warming Postgres"):
                server.run(scripts, postgres.CLIENTS[-1], size.seconds)
            for repeat in range(size.repeats):
                for clients in postgres.CLIENTS:
                    with told(f"Postgres, {clients} clients, run {repeat + 1} of {size.repeats}"):
                        databases.append(server.run(scripts, clients, size.seconds))
                _own(workload, sections, repeat, engines, nodes)
    return _compared(version, databases, engines, nodes, asks)


def _own(
    workload: Workload,
    sections: Sequence[str],
    repeat: int,
    engines: list[engine.EngineRun],
    nodes: dict[str, list[node.NodeRun]],
) -> None:
    if "engine" in sections:
        with told(f"engine alone, run {repeat + 1}"):
            engines.append(engine.run(workload))
    if "node" in sections:
        for load in (BATCHES, *OTHER_LOADS):
            with told(f"node, {load}, run {repeat + 1}"):
                nodes.setdefault(str(load), []).append(node.run(workload, load))


def _compared(
    version: str | None,
    databases: Sequence[postgres.Run],
    engines: Sequence[engine.EngineRun],
    nodes: dict[str, list[node.NodeRun]],
    asks: Sequence[Demand],
) -> dict[str, Any]:
    lines: list[tuple[str, ...]] = [("", "tps", "all runs", "processor µs: node, clients", "p50 ms", "p99 ms")]
    clients, best = postgres.best(databases) if databases else (0, None)
    for number in postgres.CLIENTS:
        runs = [run for run in databases if run.clients == number]
        if runs:
            middle = statistics.median(run.tps for run in runs)
            latency = statistics.median(run.latency_ms for run in runs)
            lines.append((f"Postgres, {number} clients", f"{middle:,.0f}", _all(runs), "", f"mean {latency:.1f}", ""))
    if engines:
        middle = statistics.median(run.tps for run in engines)
        spent = statistics.median(run.front_us + run.executor_us for run in engines)
        p50, p99 = (statistics.median(getattr(run, name) for run in engines) for name in ("p50_ms", "p99_ms"))
        lines.append(("engine alone", f"{middle:,.0f}", _all(engines), f"{spent:.0f}, –", f"{p50:.0f}", f"{p99:.0f}"))
    for load, some in nodes.items():
        spent, sent = (statistics.median(getattr(run, name) for run in some) for name in ("node_us", "client_us"))
        p50, p99 = (statistics.median(getattr(run, name) for run in some) for name in ("p50_ms", "p99_ms"))
        middle = statistics.median(run.tps for run in some)
        said = (f"{middle:,.0f}", _all(some), f"{spent:.0f}, {sent:.0f}", f"{p50:.0f}", f"{p99:.0f}")
        lines.append((f"node, {load}", *said))
    each = mean(asks)
    print(
        f"\neach action: {each['reads']:.1f} reads, {each['updates']:.1f} changed and {each['inserts']:.1f} new records"
        f" of {each['record']:.0f} bytes, {each['action']:.0f} bytes of action"
    )
    print(table(lines))
    engine_tps = statistics.median(run.tps for run in engines) if engines else None
    batches = nodes.get(str(BATCHES))
    node_tps = statistics.median(run.tps for run in batches) if batches else None
    return {
        "postgres": version,
        "postgres_clients": clients,
        "postgres_tps": best,
        "postgres_runs": [asdict(run) for run in databases],
        "engine_tps": engine_tps,
        "engine_runs": [asdict(run) for run in engines],
        "node_tps": node_tps,
        "node_runs": {load: [_short(run) for run in some] for load, some in nodes.items()},
        "ratio_engine": engine_tps / best if engine_tps and best else None,
        "ratio_node": node_tps / best if node_tps and best else None,
        "bytes_per_action": statistics.median(run.bytes_per_action for run in engines) if engines else None,
    }


def figures(workload: Workload) -> dict[str, Any]:
    """The paper's figures 5 to 9, for a node."""
    runs: dict[str, node.NodeRun] = {}
    for rate in (*RATES, 0):
        load = node.Load(connections=32, batch=1, rate=rate) if rate else BATCHES
        with told(f"send rate {rate or 'the highest'}"):
            runs[str(rate or "highest")] = node.run(workload, load)
    with told("one training's transactions in sequence"):
        lifecycle = node.lifecycle_ms(workload, 20)
    ours = workload.size / (TRAININGS * len(workload.markets))
    print("\nfigures 5 to 8: throughput and latency by send rate, one request an action (the highest: 16 × 50);")
    print(f"the last two columns: trainings a second, of the paper's 15 actions and of ours, {ours:.0f}")
    lines: list[tuple[str, ...]] = [
        ("send rate", "tps", "paper, 4 peers", "mean ms", "p99 ms", "processor: node", "memory MB", "of 15", "of ours")
    ]
    for name, run in runs.items():
        paper = PAPER.get(int(name), "") if name.isdigit() else "about 1,000"
        busy = f"{run.node_us * run.tps / 1e4:.0f} %"
        cells = (f"{run.tps:,.0f}", paper, f"{run.mean_ms:.1f}", f"{run.p99_ms:.1f}", busy)
        trainings = (f"{run.tps / 15:,.0f}", f"{run.tps / ours:,.0f}")
        lines.append((name, *cells, f"{run.memory / 1e6:.0f}", *trainings))
    print(table(lines))
    print("\nfigure 9: latency of each function, mean ms")
    head = ("function", *(f"at {rate}" for rate in runs), "calls")
    one = next(iter(runs.values()))
    rows = [
        (name, *(f"{run.functions.get(name, 0.0):.1f}" for run in runs.values()), str(one.counts[name]))
        for name in one.functions
    ]
    print(table([head, *rows]))
    print(f"\nfifteen transactions of one training in sequence: {lifecycle:.0f} ms (the paper: about 15 s)")
    return {"figures": {rate: asdict(run) for rate, run in runs.items()}, "lifecycle_ms": lifecycle}


def grows(workload: Workload, size: Size) -> dict[str, Any]:
    """Cost beside more and more records, and a long history read back."""
    some = Workload(network=workload.network, now=workload.now, markets=workload.markets[:40])
    runs: dict[int, list[growth.Grown]] = {records: [] for records in size.grown}
    # In turns, so that a slow minute is slow for every size.
    for repeat in range(size.repeats):
        for records in size.grown:
            with told(f"beside {records:,} records, run {repeat + 1}"):
                runs[records].append(growth.cost(some, records))
    found = [growth.middle(each) for each in runs.values()]
    with told(f"signing {size.past:,} actions"):
        long = workload if size.past <= workload.size else prepare(size.past)
    with told(f"reading {long.size:,} actions back"):
        past = growth.read_back(long)
    print("\ngrowth: processor time of the executor for each action")
    lines: list[tuple[str, ...]] = [("records", "µs", "all runs", "node starts in s")]
    for each in found:
        each_run = " ".join(f"{run:.0f}" for run in each.all_us)
        lines.append((f"{each.records:,}", f"{each.executor_us:.0f}", f"[{each_run}]", f"{each.start_seconds:.1f}"))
    print(table(lines))
    million = 1e6 / past.actions
    print(
        f"\na history of {past.actions:,} actions: a node starts in {past.start_seconds:.1f} s, an auditor executes "
        f"{past.replay_per_second:,.0f} a second; a million: {past.start_seconds * million:.0f} s and "
        f"{1e6 / past.replay_per_second:.0f} s, if all grows alike"
    )
    return {
        "growth": [asdict(each) for each in found],
        "growth_ratio": found[-1].executor_us / found[0].executor_us,
        "past": asdict(past),
        "replay_per_second": past.replay_per_second,
    }


def verdict(found: dict[str, Any]) -> int:
    """Says which goals are met; 1 if one is missed."""
    missed = 0
    print()
    for name, goal in GOALS.items():
        value = found.get(name)
        if value is None:
            continue
        more = name.startswith("ratio")
        met = value >= goal if more else value <= goal
        missed += not met
        print(f"goal: {name} {'≥' if more else '≤'} {goal:g}: {value:.2f}, {'met' if met else 'MISSED'}")
    return 1 if missed else 0


def table(lines: Sequence[Sequence[str]]) -> str:
    """The lines as text, aligned; the first column to the left."""
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


@contextmanager
def told(what: str) -> Iterator[None]:
    """Says what is going on while it does, on a terminal."""
    shown = sys.stderr.isatty()
    if shown:
        print(f"\r\x1b[K{what} …", end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        if shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _all(runs: Sequence[Any]) -> str:
    return f"[{' '.join(f'{run.tps:.0f}' for run in runs)}]"


def _short(run: node.NodeRun) -> dict[str, Any]:
    return {name: value for name, value in asdict(run).items() if name not in ("functions", "counts")}


if __name__ == "__main__":
    sys.exit(main())
