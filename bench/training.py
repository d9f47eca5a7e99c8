"""What a round costs: processor time and bytes of a cloud owner and of a model owner, beside the goals.

The goals are about processor time on one core, the median of several rounds, so that a busy machine says about the
same; the least of them and the clock's median stand beside it. Each round's result is compared with plain integers
before anything is printed.

    python bench/training.py [--rounds N]        prints a table, writes bench/results/training.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import secrets
import statistics as middle
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import numpy as np

from freehold.learning.ciphers.seal import SealCipher
from freehold.learning.owner import Owner
from freehold.learning.replica import Replica
from freehold.learning.training import LINEAR, Participant, Statistics, Training
from freehold.ports.cipher import Integers
from freehold.protocol import packages
from freehold.protocol.identifiers import DatasetId

SHAPES: Final = ((31, 2), (64, 10), (193, 10))
SUBSETS: Final = (2, 8)
GOAL_SHAPE: Final = (64, 10, 8)
GOALS: Final = {"cloud_ms": 25.0, "model_ms": 60.0, "bytes_down": 1_500_000, "bytes_up": 250_000}
RESULTS: Final = Path(__file__).parent / "results" / "training.json"
TIMES: Final = (
    *(f"cloud_{which}" for which in ("ms", "least_ms", "wall_ms", "first_ms")),
    *(f"model_{which}" for which in ("ms", "least_ms", "wall_ms")),
    *("base_ms", "combine_ms"),
)
"""The columns of the table."""
DATASET: Final = b"\x01" * 32
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
START: Final = "from freehold.learning.ciphers.seal import SealCipher; import freehold.learning.replica; SealCipher()"


@dataclass(frozen=True, slots=True)
class Spent:
    """Milliseconds of processor time, and of the clock."""

    cpu: float
    wall: float

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.cpu + other.cpu, self.wall + other.wall)


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One group of subsets with made-up statistics, and the sides that train on it."""

    training: Training
    group: tuple[Participant, ...]
    parts: tuple[Statistics, ...]
    replicas: tuple[Replica, ...]
    owner: Owner


def market(features: int, outputs: int, subsets: int, cipher: SealCipher) -> Market:
    """A market of the given shape, the same every time."""
    generator = np.random.default_rng(features * outputs * subsets)
    keys = [bytes([index + 1]) * 32 for index in range(subsets)]
    group = tuple(participant(index, key) for index, key in enumerate(keys))
    parts = tuple(made_up(generator, features, outputs) for _ in range(subsets))
    training = Training(
        couple=b"\x02" * 32,
        draw_seed=b"\x03" * 32,
        method=LINEAR,
        datasets=(DATASET,),
        map=b"{}",
        material=b'{"noise":[],"part":"all","weights":[]}',
        rows=100_000,
        features=features,
        outputs=outputs,
        subsets=subsets,
        sealing_key=b"\x04" * 32,
    )
    replicas = zip(keys, group, parts, strict=True)
    return Market(
        training=training,
        group=group,
        parts=parts,
        replicas=tuple(Replica(key, member, part, cipher=cipher) for key, member, part in replicas),
        owner=Owner(training, b"\x05" * 32, cipher=cipher),
    )


def participant(index: int, key: bytes) -> Participant:
    """The subset at `index` with the mask key of its package's secret."""
    mask_key = packages.mask_public(key, DatasetId(DATASET.hex()), index)
    return Participant(dataset=DATASET, index=index, subset=bytes([index + 1]) * 32, mask_key=mask_key)


def made_up(generator: np.random.Generator, features: int, outputs: int) -> Statistics:
    """Statistics of the size that they have in the market."""
    half = generator.integers(-(2**19), 2**19, (features, features))
    return Statistics(a=(half + half.T) // 2, b=generator.integers(-(2**19), 2**19, (features, outputs)))


def measure(features: int, outputs: int, subsets: int, rounds: int, cipher: SealCipher) -> dict[str, Any]:
    """The costs of one shape; stops if a result is not that of plain integers."""
    made = market(features, outputs, subsets, cipher)
    generator = np.random.default_rng(1)
    zero, zero_spent = timed(made.owner.zero)
    cloud: list[Spent] = []
    base_of_round: list[Spent] = []
    combined: list[Spent] = []
    first = Spent(0.0, 0.0)
    for number in range(1, rounds + 1):
        asked = generator.integers(-127, 128, (features, outputs))
        base, spent = timed(made.owner.base, made.group, asked, fresh, fresh())
        base_of_round.append(spent)
        answers = {}
        for member, replica in zip(made.group, made.replicas, strict=True):
            answers[member.subset], spent = timed(replica.answer, made.training, made.group, number, zero, base)
            # a replica's first answer also packs and transforms its blocks
            if number > 1:
                cloud.append(spent)
            else:
                first = max(first, spent, key=lambda each: each.cpu)
        total, spent = timed(made.owner.combine, made.group, number, base, answers)
        combined.append(spent)
        require_exact(made, asked, total.y)
    both = [one + other for one, other in zip(base_of_round, combined, strict=True)]
    return {
        "features": features,
        "outputs": outputs,
        "subsets": subsets,
        "inputs": made.training.tiling.column_blocks,
        "rows_of_blocks": made.training.tiling.row_blocks,
        **summary("cloud", cloud),
        "cloud_first_ms": first.cpu,
        **summary("model", both),
        "base_ms": middle.median(spent.cpu for spent in base_of_round),
        "combine_ms": middle.median(spent.cpu for spent in combined),
        "zero_ms": zero_spent.cpu,
        "bytes_down": len(base),
        "bytes_up": len(answers[made.group[0].subset]),
    }


def summary(who: str, costs: list[Spent]) -> dict[str, float]:
    """The median and the least processor time of somebody's rounds, and the clock's median."""
    return {
        f"{who}_ms": middle.median(spent.cpu for spent in costs),
        f"{who}_least_ms": min(spent.cpu for spent in costs),
        f"{who}_wall_ms": middle.median(spent.wall for spent in costs),
    }


def require_exact(made: Market, asked: Integers, found: Integers) -> None:
    """Stop unless the decrypted sum is that of plain integers."""
    expected = sum((part.a @ asked - part.b for part in made.parts), np.zeros_like(asked))
    if not (found == expected).all():
        sys.exit("a result is not that of plain integers")


def fresh(_: int = 0) -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(32)


def timed(work: Callable[Arguments, Result], *args: Arguments.args, **named: Arguments.kwargs) -> tuple[Result, Spent]:
    """The result of `work` and the time that it took."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = work(*args, **named)
    return result, Spent(1e3 * (time.process_time() - cpu), 1e3 * (time.perf_counter() - wall))


def start_ms() -> float:
    """Processor time of a new process until it could answer: interpreter, NumPy, SEAL."""
    before = os.times()
    subprocess.run([sys.executable, "-c", START], check=True)
    after = os.times()
    return 1e3 * (after.children_user + after.children_system - before.children_user - before.children_system)


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as text, aligned."""
    titles = ("CO ms", "least", "clock", "first", "MO ms", "least", "clock", "encrypt", "sum")
    lines = [("shape", "subsets", "tiles", *titles, "down", "up")] + [
        (
            f"{row['features']}×{row['outputs']}",
            f"{row['subsets']}",
            f"{row['inputs']}×{row['rows_of_blocks']}",
            *(f"{row[name]:.1f}" for name in TIMES),
            f"{row['bytes_down'] / 1e6:.2f} MB",
            f"{row['bytes_up'] / 1e3:.0f} KB",
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def main() -> int:
    """Measure every shape; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description="What a round of training costs.")
    parser.add_argument("--rounds", type=int, default=8, help="rounds per shape, at least 2")
    rounds = max(2, parser.parse_args().rounds)
    start = start_ms()
    cipher = SealCipher()
    rows = [measure(*shape, subsets, rounds, cipher) for shape in SHAPES for subsets in SUBSETS]
    goal = next(row for row in rows if (row["features"], row["outputs"], row["subsets"]) == GOAL_SHAPE)
    missed = [name for name, limit in GOALS.items() if goal[name] > limit]
    RESULTS.parent.mkdir(exist_ok=True)
    result = {"python": platform.python_version(), "machine": platform.machine(), "start_ms": start}
    RESULTS.write_text(json.dumps(result | {"goals": GOALS, "missed": missed, "rounds": rows}, indent=1) + "\n")
    print(table(rows))
    print(f"a new process is ready to answer after {start:.0f} ms of processor time")
    for name, limit in GOALS.items():
        verdict = "missed" if name in missed else "met"
        print(f"goal at 64×10 with 8 subsets: {name} ≤ {limit:g}: {goal[name]:.6g}, {verdict}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
