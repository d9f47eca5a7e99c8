"""One small prepared table for all tests of agents: preparing it takes longer than most of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from freehold.learning.prepared import Prepared, prepare
from freehold.learning.table import read_table
from tests.agents.town import Town


def write_table(path: Path, *, rows: int, seed: int) -> Path:
    """A table of three numbers and a class that hangs on them."""
    chance = random.Random(seed)
    lines = ["age,dose,pulse,outcome"]
    for _ in range(rows):
        age, dose, pulse = chance.randint(20, 90), chance.uniform(0, 5), chance.gauss(70, 9)
        sick = age / 30 + dose + (pulse - 70) / 6 + chance.gauss(0, 0.7) > 4.3
        lines.append(f"{age},{dose:.2f},{pulse:.1f},{'sick' if sick else 'well'}")
    path.write_text("\n".join(lines) + "\n")
    return path


def prepared_table(folder: Path, *, rows: int = 160, seed: int = 1, subsets: int = 4, **options: Any) -> Prepared:
    """A prepared folder made of such a table."""
    folder.mkdir(parents=True, exist_ok=True)
    table = read_table(write_table(folder / "table.csv", rows=rows, seed=seed), target="outcome")
    return prepare(table, folder / "out", subsets=subsets, replicas=3, map_name="identity", seed=bytes(32), **options)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared_table(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.closes()
