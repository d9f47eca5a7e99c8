"""The small table that every market of the benchmark trades."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final

from freehold.learning.prepared import Prepared, prepare
from freehold.learning.table import read_table

ROWS: Final = 160
SUBSETS: Final = 4
REPLICAS: Final = 3


def small_table(folder: Path) -> Prepared:
    """Three numbers and a class that hangs on them, prepared in `folder`: the same for every seed."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(1)  # noqa: S311
    lines = ["age,dose,pulse,outcome"]
    for _ in range(ROWS):
        age, dose, pulse = chance.randint(20, 90), chance.uniform(0, 5), chance.gauss(70, 9)
        sick = age / 30 + dose + (pulse - 70) / 6 + chance.gauss(0, 0.7) > 4.3
        lines.append(f"{age},{dose:.2f},{pulse:.1f},{'sick' if sick else 'well'}")
    (folder / "table.csv").write_text("\n".join(lines) + "\n", "utf-8")
    table = read_table(folder / "table.csv", target="outcome")
    return prepare(table, folder / "out", subsets=SUBSETS, replicas=REPLICAS, map_name="identity", seed=bytes(32))
