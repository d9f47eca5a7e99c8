"""What several operators cost: one, four and seven validators of CometBFT under load, and four with faults.

    FREEHOLD_COMETBFT=cometbft FREEHOLD_TOXIPROXY=toxiproxy-server \\
        python bench/consortium.py [--quick] [--only embedded,cometbft,alone,catching-up,fabric,faults]

prints tables, writes bench/results/consortium.json (of a part or a quick run: consortium-part.json). A whole run takes
half an hour, alone on the machine, on which all operators and all clients are at once: what one action costs the
processors is the figure that says most about machines of their own. Everything is included, from the signed action
until its sender knows that it is decided and durable. What is compared is measured in turns.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.engines import toxiproxy

from consortia import alone, fabric, speed, validators
from consortia.ground import Ground
from consortia.members import Turns, turns
from consortia.scenarios import COLUMNS, SCENARIOS
from consortia.standing import Lost
from ledger import table, told
from ledgers.workload import Workload, prepare

RESULTS: Final = Path(__file__).parent / "results" / "consortium.json"
SECTIONS: Final = ("embedded", "cometbft", "alone", "catching-up", "fabric", "faults")
SIZES: Final = (1, 4, 7)
LOADS: Final = (speed.Load(lot=1), speed.Load(lot=speed.LOT))
KEYS: Final = (*(f"cometbft_{size}" for size in SIZES), "fabric", "embedded", "faults")
"""What stands in every result, null where it was not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is done."""

    actions: int
    repeats: int
    times: int
    """Markets in which one action follows the other."""
    seconds: float
    """Of each fault."""


WHOLE: Final = Size(actions=30_000, repeats=3, times=8, seconds=6.0)
QUICK: Final = Size(actions=8_000, repeats=1, times=3, seconds=3.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What is to be reached."""

    name: str
    path: tuple[str, ...]
    """Of the value in the results."""
    value: float
    more: bool
    """Whether more is better."""


GOALS: Final = (
    Goal(name="4 validators, synchronous clients: tps", path=("cometbft_4", "tps"), value=1_500, more=True),
    Goal(name="1 validator, synchronous clients: tps", path=("cometbft_1", "tps"), value=3_000, more=True),
    Goal(
        name="4 validators, idle: ms for one action", path=("cometbft_4", "latency_ms", "idle"), value=100, more=False
    ),
    Goal(
        name="4 validators: ms for one training's fifteen", path=("cometbft_4", "lifecycle_ms"), value=1_500, more=False
    ),
)


def main() -> int:
    """Measures what was asked for; 1 if a goal is missed or a fault did harm."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="once, and less of everything")
    parser.add_argument("--only", default=",".join(SECTIONS), help=f"some of {','.join(SECTIONS)}")
    parser.add_argument("--faults", default=",".join(SCENARIOS), help="some of the scenarios")
    parser.add_argument("--pause", type=int, default=validators.PAUSE, help="milliseconds between blocks")
    asked = parser.parse_args()
    sections, scenarios = asked.only.split(","), asked.faults.split(",")
    for given, known in ((sections, SECTIONS), (scenarios, tuple(SCENARIOS))):
        if unknown := set(given) - set(known):
            parser.error(f"there is no {min(unknown)}, only {', '.join(known)}")
    validators.cometbft()
    size = QUICK if asked.quick else WHOLE
    with told("signing the workload"):
        workload = prepare(size.actions)
        waits = turns(workload)
    depth = max(each.depth for each in waits)
    print(f"{workload.size:,} signed actions of {len(workload.markets)} markets, in each {depth} turns in a row")
    found: dict[str, Any] = {
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} processors",
        "cometbft": _version(),
        "quick": asked.quick,
        "pause_ms": asked.pause,
        "actions": workload.size,
        **dict.fromkeys(KEYS),
    }
    if {"embedded", "cometbft"} & set(sections):
        found |= side_by_side(workload, waits, size, sections, asked.pause)
    if "alone" in sections:
        _alone(found, workload, size, asked.pause)
    if "catching-up" in sections:
        found["catching_up"] = _catching_up(workload, waits, asked.pause)
    if "fabric" in sections:
        found["fabric"] = _fabric(workload, waits, size)
    if "faults" in sections:
        found["faults"] = withstood(workload, waits, scenarios, size, asked.pause)
    whole = not asked.quick and set(sections) == set(SECTIONS) and set(scenarios) == set(SCENARIOS)
    results = RESULTS if whole else RESULTS.with_stem("consortium-part")
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(found, indent=1) + "\n")
    return verdict(found)


def side_by_side(
    workload: Workload, waits: Sequence[Turns], size: Size, sections: Sequence[str], pause: int
) -> dict[str, Any]:
    """The embedded engine and networks of CometBFT in turns, with the same clients."""
    sizes = [0] * ("embedded" in sections) + [*SIZES] * ("cometbft" in sections)
    runs: dict[tuple[int, speed.Load], list[speed.Run]] = {}
    for repeat in range(size.repeats):
        for number in sizes:
            for load in LOADS:
                with told(f"{_called(number)}, {load}, run {repeat + 1} of {size.repeats}"):
                    some = runs.setdefault((number, load), [])
                    some.append(speed.run(workload, number, load, pause=pause, waits=waits))
    lines: list[tuple[str, ...]] = [
        ("", "clients", "tps", "all runs", "p50 ms", "p95 ms", "cpu ms: nodes", "applications", "fronts", "kB on disk")
    ]
    found: dict[str, Any] = {}
    for (number, load), some in runs.items():
        middle = _middle(some)
        cpu = middle["cpu_ms_per_action"]
        each_run = " ".join(f"{run.tps:.0f}" for run in some)
        spent = [f"{cpu[kind]:.2f}" for kind in speed.KINDS]
        latency = (f"{middle['latency_ms']['p50']:.0f}", f"{middle['latency_ms']['p95']:.0f}")
        disk = f"{middle['bytes_per_action'] / 1e3:.1f}"
        cells = (f"{middle['tps']:,.0f}", f"[{each_run}]", *latency, *spent, disk)
        lines.append((_called(number), str(load), *cells))
        key = f"cometbft_{number}" if number else "embedded"
        if load.lot == 1:
            found.setdefault(key, {}).update(middle)
        else:
            found.setdefault(key, {})["lots"] = middle
    print("\n" + table(lines))
    return found


def _middle(runs: Sequence[speed.Run]) -> dict[str, Any]:
    cpu = {kind: statistics.median(run.cpu_ms[kind] for run in runs) for kind in speed.KINDS}
    return {
        "tps": statistics.median(run.tps for run in runs),
        "cpu_ms_per_action": cpu | {"sum": sum(cpu.values())},
        "latency_ms": {
            "p50": statistics.median(run.p50_ms for run in runs),
            "p95": statistics.median(run.p95_ms for run in runs),
        },
        "bytes_per_action": statistics.median(run.disk for run in runs),
        "runs": [asdict(run) for run in runs],
    }


def _alone(found: dict[str, Any], workload: Workload, size: Size, pause: int) -> None:
    lines: list[tuple[str, ...]] = [("nobody else acts", "idle ms", "one after the other, ms", "one training's 15, ms")]
    for number in SIZES:
        with told(f"{_called(number)}, one action at a time"):
            one = alone.idle(workload, number, pause=pause, times=size.times)
        lines.append(
            (_called(number), f"{one.latency_ms:.0f}", f"{one.in_sequence_ms:.0f}", f"{one.lifecycle_ms:,.0f}")
        )
        into = found[f"cometbft_{number}"] = found[f"cometbft_{number}"] or {}
        into.setdefault("latency_ms", {}).update(idle=one.latency_ms, in_sequence=one.in_sequence_ms)
        into["lifecycle_ms"] = one.lifecycle_ms
    print("\n" + table(lines))


def _catching_up(workload: Workload, waits: Sequence[Turns], pause: int) -> dict[str, Any]:
    with told("who was away comes level"):
        one = alone.catching_up(workload, list(waits[:30]), pause=pause)
    print(
        f"\n{one.missed:,} actions were decided without it: a validator that was down is level {one.back_s:.1f} s "
        f"after its start, a new node {one.new_s:.1f} s"
    )
    return asdict(one)


def _fabric(workload: Workload, waits: Sequence[Turns], size: Size) -> dict[str, Any] | None:
    if fabric.find_programs() is None:
        print("\nFABRIC WAS NOT MEASURED: FREEHOLD_FABRIC names no folder with its programs")
        return None
    with told("Fabric, two organisations, Raft"):
        found = fabric.measure_fabric(workload, waits, size.repeats, size.times)
    cpu, latency = found["cpu_ms_per_action"], found["latency_ms"]
    kinds = sorted(set(cpu) - {"sum"})
    lines = [
        (
            "Fabric",
            "actions",
            "tps",
            "all runs",
            "p50 ms",
            "p95 ms",
            "idle ms",
            "one training's 15, ms",
            "cpu ms",
            *kinds,
        ),
        (
            found["fabric"],
            f"{found['actions']:,}",
            f"{found['tps']:,.0f}",
            "[" + " ".join(f"{run['tps']:.0f}" for run in found["runs"]) + "]",
            *(f"{latency[name]:.0f}" for name in ("p50", "p95", "idle")),
            f"{found['lifecycle_ms']:,.0f}",
            f"{cpu['sum']:.2f}",
            *(f"{cpu[kind]:.2f}" for kind in kinds),
        ),
    ]
    print("\n" + table(lines))
    return found


def withstood(
    workload: Workload, waits: Sequence[Turns], scenarios: Sequence[str], size: Size, pause: int
) -> list[dict[str, Any]] | None:
    """Every scenario, checked afterwards; a scenario that did harm is told and counted as missed."""
    program = toxiproxy.find_program()
    if program is None:
        print("\nNO FAULTS WERE MADE: toxiproxy-server is not installed, nor named in FREEHOLD_TOXIPROXY")
        return None
    ground = Ground(record=workload.network, markets=waits, proxies=program, pause=pause, seconds=size.seconds)
    lines: list[tuple[str, ...]] = [
        ("four validators", "tps", "p50 ms", "p95 ms", "answered again, s", "level, s", "checked", "")
    ]
    found: list[dict[str, Any]] = []
    for name in scenarios:
        with told(name):
            try:
                one = SCENARIOS[name](ground).plain() | {"held": True}
            except Lost as lost:
                one = {"scenario": name, "held": False, "note": f"FAILED: {lost}"}
        found.append(one)
        shown = (_shown(one.get(key), form) for key, form in COLUMNS)
        lines.append((one["scenario"], *shown, one["note"]))
    print(
        "\nunder faults, all links through proxies; nothing acknowledged was lost, nothing recorded twice, blocks and"
    )
    print("state equal on every honest operator, unless the last column says otherwise")
    print(table(lines))
    return found


def verdict(found: dict[str, Any]) -> int:
    """Says which goals are met; 1 if one is missed or a fault did harm."""
    missed = 0
    print()
    for goal in GOALS:
        value: Any = found
        for name in goal.path:
            value = value.get(name) if value else None
        if value is None:
            continue
        met = value >= goal.value if goal.more else value <= goal.value
        missed += not met
        sign = "≥" if goal.more else "≤"
        print(f"goal: {goal.name} {sign} {goal.value:,.0f}: {value:,.0f}, {'met' if met else 'MISSED'}")
    harmed = [one["scenario"] for one in found["faults"] or [] if not one["held"]]
    if found["faults"]:
        print(f"goal: every fault leaves the record whole: {'MISSED in ' + ', '.join(harmed) if harmed else 'met'}")
    return 1 if missed or harmed else 0


def _shown(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _called(number: int) -> str:
    return f"CometBFT, {number} validator{'s' * (number > 1)}" if number else "embedded engine"


def _version() -> str:
    done = subprocess.run([validators.cometbft(), "version"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
