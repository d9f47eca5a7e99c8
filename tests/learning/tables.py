"""Tables for the tests of reading, splitting and learning: small CSV files with known contents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from freehold.learning.table import Table, read_table

SEED = bytes([7]) * 32


def write_csv(folder: Path, names: Sequence[str], rows: Sequence[Sequence[object]], name: str = "table.csv") -> Path:
    """A CSV file with a header and these rows, unquoted."""
    path = folder / name
    lines = [",".join(names), *(",".join(str(cell) for cell in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def patients(rows: int, classes: int = 2, seed: int = 1) -> tuple[list[str], list[list[object]]]:
    """Header and rows of a table with three numbers, a category and a class that follows from the numbers."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(rows, 3)).round(3)
    score = numbers @ np.array([1.0, -0.5, 0.25]) + 0.3 * random.normal(size=rows)
    edges = np.quantile(score, np.arange(1, classes) / classes)
    labels = np.searchsorted(edges, score)
    wards = random.choice(["north", "south", "west"], size=rows)
    table = [
        [*(f"{value:.3f}" for value in row), ward, f"class {label}"]
        for row, ward, label in zip(numbers, wards, labels, strict=True)
    ]
    return ["heart", "lung", "liver", "ward", "outcome"], [list(row) for row in table]


def patient_table(folder: Path, rows: int = 240, classes: int = 2, seed: int = 1) -> Table:
    """The table of `patients`, read."""
    return read_table(write_csv(folder, *patients(rows, classes, seed)), target="outcome")
