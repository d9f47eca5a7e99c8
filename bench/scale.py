"""How many markets, members and trainings a network of 4, 7 and 20 operators carries, and where it bends first.

    python bench/scale.py [--measure] [--cores 8] [--megabits 1000] [--gigabyte-month PRICE]

computes from what an action costs (bench/scaling/measured.json, or bench/results/scale-measured.json where --measure
has written it), holds a simulation against what was measured, uses it for larger networks, prints tables, and writes
bench/results/scale.json. `docs/scale.md` says what the figures mean. --measure needs CometBFT and takes some minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

import msgspec

from ledger import table
from ledgers.workload import ROUNDS, SUBSETS, Demand, mean
from scaling import bounds, consortium, keeping, protocol
from scaling.consensus import Seen, Setting, simulate
from scaling.costs import HOP, Costs, fitted
from scaling.distance import Distant
from scaling.distance import measure as measure_distant
from scaling.holding import Held, hold, hold_distant, hold_loaded, hold_prototypes, links
from scaling.measuring import BATCH, Measured, Steps, measure, steps

HERE: Final = Path(__file__).parent
MEASURED: Final = HERE / "scaling" / "measured.json"
OWN: Final = HERE / "results" / "scale-measured.json"
LEDGER: Final = HERE / "results" / "ledger.json"
CONSORTIUM: Final = HERE / "results" / "consortium.json"
RESULTS: Final = HERE / "results" / "scale.json"
SHAPES: Final = (
    protocol.Shape(subsets=2, replicas=3, rounds=1),
    protocol.Shape(subsets=SUBSETS, replicas=3, rounds=ROUNDS),
    protocol.Shape(subsets=16, replicas=3, rounds=12, groups=2),
    protocol.Shape(subsets=16, replicas=5, rounds=24, groups=4, datasets=2),
)
TYPICAL: Final = SHAPES[1]
"""That of the ledger's benchmark and of docs/ledger.md."""
OPERATORS: Final = (4, 7, 20)
ROUND_TRIPS: Final = (0.020, 0.080, 0.200)
ONE_WAYS_MS: Final = (0, 10, 40, 100)
PAUSE: Final = 0.03
"""Between blocks, as `consortium.start` has it."""
MEASURE: Final = ((1, 100), (4, 80), (7, 60))
"""Operators and markets."""


AVERAGE: Final = {"action": 1_145.0, "record": 1_070.0, "inserts": 1.4}
"""Of real trainings (docs/ledger.md), where bench/results/ledger.json is not there."""


class Evidence(msgspec.Struct, frozen=True):
    """What was measured, and where."""

    machine: str
    steps: Steps
    runs: list[Measured]
    distant: list[Distant] = []
    pause_ms: float = 1e3 * PAUSE
    """Of the runs; what is distant was measured with the settings of today."""
    hop_ms: float = 1e3 * HOP


def main() -> int:
    """Prints everything."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--measure", action="store_true", help="measure networks of 1, 4 and 7 operators first")
    parser.add_argument("--cores", type=int, default=8, help="of each operator's machine")
    parser.add_argument("--megabits", type=float, default=1_000, help="that each operator's line sends in a second")
    parser.add_argument("--gigabyte-month", type=float, help="what a gigabyte of disk costs in a month")
    asked = parser.parse_args()
    if asked.measure:
        remember()
    source = OWN if OWN.exists() else MEASURED
    evidence = msgspec.json.decode(source.read_bytes(), type=Evidence)
    small = fitted(evidence.runs, evidence.steps)
    average = _average()
    loaded = consortium.read(CONSORTIUM)
    costs = consortium.adopted(replace(small, action_bytes=average["action"]), loaded)
    named = [str(path.relative_to(HERE.parent)) for path in (source, *[CONSORTIUM] * (len(loaded) > 1))]
    print(f"costs from {' and '.join(named)}: {evidence.machine}")
    print_costs(costs)
    then, pause = replace(small, hop=evidence.hop_ms / 1e3), evidence.pause_ms / 1e3
    held = [*hold(evidence.runs, then, pause), *hold_distant(evidence.distant, small, PAUSE)]
    held += [*hold_loaded(loaded, costs, PAUSE), *hold_prototypes()]
    print_held(held)
    found = {
        "source": named,
        "machine": evidence.machine,
        "costs": asdict(costs),
        "held": [asdict(each) | {"error": each.error} for each in held],
        "counts": print_counts(),
        "networks": print_networks(costs, asked.cores, asked.megabits),
        "keeping": print_keeping(evidence.runs, small, average, asked.gigabyte_month),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    return 0


def remember() -> None:
    """Measures, and writes it down."""
    import os
    import platform

    runs = [measure(operators, markets) for operators, markets in MEASURE]
    machine = f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    OWN.parent.mkdir(exist_ok=True)
    evidence = Evidence(machine=machine, steps=steps(), runs=runs, distant=measure_distant(ONE_WAYS_MS))
    OWN.write_bytes(msgspec.json.format(msgspec.json.encode(evidence)) + b"\n")


def print_costs(costs: Costs) -> None:
    """Microseconds."""
    lines: list[tuple[str, ...]] = [("what an action costs an operator's processor", "µs")]
    named = {
        "front: taking it, at one node": costs.front,
        "front: following it, at every node": costs.follow,
        "application: signature": costs.signature,
        "application: other checks before it may wait": costs.admit - costs.signature,
        "application: rules, trees, file": costs.execute,
        "CometBFT: itself": costs.node,
        "CometBFT: for each other operator": costs.peer,
        "for each block: application": costs.block,
        "for each block: CometBFT, for each operator": costs.round,
    }
    lines += [(name, f"{1e6 * value:,.0f}") for name, value in named.items()]
    print(table(lines))


def print_held(held: Sequence[Held]) -> None:
    """Each with the error of the simulation."""
    lines: list[tuple[str, ...]] = [("simulation of the machine that was measured", "measured", "simulated", "error")]
    lines += [(each.what, f"{each.measured:,.0f}", f"{each.simulated:,.0f}", f"{each.error:+.0%}") for each in held]
    print(f"\n{table(lines)}")


def print_counts() -> list[dict[str, Any]]:
    """Actions of datasets and trainings, by shape."""
    head = ("m", "n", "rounds", "groups", "datasets", "a dataset", "a model owner", "a training", "of it UpdateTJ")
    lines: list[tuple[str, ...]] = [head]
    found = []
    for shape in SHAPES:
        each, own = protocol.dataset(shape).total(), protocol.model_owner().total()
        further, jobs = protocol.steady(shape), protocol.training(shape)["UpdateTJ"]
        numbers = (shape.subsets, shape.replicas, shape.rounds, shape.groups, shape.datasets, each, own, further, jobs)
        lines.append(tuple(map(str, numbers)))
        found.append(asdict(shape) | {"dataset": each, "model_owner": own, "training": further})
    print(f"\nactions, collecting included\n{table(lines)}")
    return found


def print_networks(costs: Costs, cores: int, megabits: float) -> list[dict[str, Any]]:
    """Networks of several sizes and distances: computed bounds, and what the simulation says."""
    head = ("operators", "round trip", "bends first", "at", "simulated", "p50 ms", "p99 ms", "alone ms", "trainings/s")
    lines: list[tuple[str, ...]] = [head]
    found = []
    training = protocol.steady(TYPICAL)
    for operators in OPERATORS:
        for round_trip in ROUND_TRIPS:
            site = bounds.Site(operators=operators, cores=cores, megabits=megabits, round_trip=round_trip)
            name, most = bounds.first(site, costs)
            seen, alone = _simulated(site, costs)
            trainings = seen.actions_per_second / training
            lines.append(
                (
                    *(str(operators), f"{1e3 * round_trip:.0f} ms", name, f"{most:,.0f}"),
                    *(f"{seen.actions_per_second:,.0f}", f"{seen.p50_ms:,.0f}", f"{seen.p99_ms:,.0f}"),
                    *(f"{alone.p50_ms:,.0f}", f"{trainings:.1f}"),
                )
            )
            all_bounds = bounds.bounds(site, costs)
            found.append(
                asdict(site)
                | {"bounds": all_bounds, "simulated": asdict(seen), "alone_ms": alone.p50_ms, "trainings": trainings}
            )
    print(f"\nnetworks whose operators have {cores} cores and {megabits:,.0f} Mbit/s each; actions a second")
    print(table(lines))
    print(f"\nwhat each resource allows by itself, actions a second, at a round trip of {1e3 * ROUND_TRIPS[1]:.0f} ms")
    rows = [each for each in found if each["round_trip"] == ROUND_TRIPS[1]]
    resources = list(rows[0]["bounds"])
    more: list[tuple[str, ...]] = [("resource", *(f"{each['operators']} operators" for each in rows))]
    more += [(name, *(f"{each['bounds'][name]:,.0f}" for each in rows)) for name in resources]
    print(table(more))
    return found


def print_keeping(
    runs: Sequence[Measured], costs: Costs, average: dict[str, float], price: float | None
) -> dict[str, Any]:
    """Disk for each year, memory for each market."""
    run = max((each for each in runs if each.operators <= OPERATORS[0]), key=lambda each: each.operators)
    # What is kept of an action grows with its bytes.
    larger = average["action"] / costs.action_bytes
    disk = {name: size * larger for name, size in run.disk_bytes.items()}
    training = protocol.steady(TYPICAL)
    each_action = keeping.memory(1, average["inserts"], average["record"])
    head = ("trainings", "actions/s", "archive GB/year", "pruned GB/year", "memory GB/year", "16 GB are full after")
    lines: list[tuple[str, ...]] = [head if price is None else (*head, "archive price", "pruned price")]
    found = []
    for trainings, name in ((100, "100 a day"), (10_000, "10,000 a day"), (86_400, "one a second")):
        rate = trainings * training / 86_400
        each = keeping.year(rate, disk, run.operators)
        days = 16e9 / (each_action * rate * 86_400)
        kept = f"{each_action * rate * keeping.YEAR / 1e9:,.1f}"
        cells = (name, f"{rate:,.2f}", f"{each.archive:,.0f}", f"{each.pruned:,.0f}", kept, f"{days:,.1f} days")
        prices = () if price is None else tuple(f"{amount:,.0f}" for amount in each.price(price))
        lines.append((*cells, *prices))
        found.append({"trainings_a_day": trainings, "actions_per_second": rate, **asdict(each)})
    print(f"\none operator's disk and memory\n{table(lines)}")
    whole = each_action * protocol.market(TYPICAL, 3).total()
    members = 4 + TYPICAL.subsets * TYPICAL.replicas
    print(
        f"\na training stays in {each_action * training / 1e3:,.0f} kB of memory; a market of {members} members and"
        f" three trainings in {whole / 1e6:.2f} MB:\n16 GB hold {16e9 / whole:,.0f} such markets, or"
        f" {16e9 / whole * members:,.0f} members"
    )
    return {"disk_bytes": disk, "years": found, "memory_of_action": each_action, "memory_of_market": whole}


def _simulated(site: bounds.Site, costs: Costs) -> tuple[Seen, Seen]:
    setting = Setting(
        operators=site.operators,
        links=links(site.operators, site.round_trip / 2, site.megabits * 1e6 / 8),
        costs=costs,
        cores=site.cores,
        connections=40,
        lot=BATCH,
        pause=site.pause,
    )
    return simulate(setting), simulate(replace(setting, connections=1, lot=1))


def _average() -> dict[str, float]:
    if not LEDGER.exists():
        return AVERAGE
    mix = msgspec.convert(json.loads(LEDGER.read_bytes())["mix"], list[Demand])
    return mean(mix)


if __name__ == "__main__":
    sys.exit(main())
