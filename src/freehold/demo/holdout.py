"""Holds out a quarter of the rows, for a judge who stands outside the market.

Rows are held out class by class in proportion, so that the test has what the data has; rows of one group stay together,
so that no patient is on both sides. The file is read twice and never held in memory as a whole.
"""

import csv
from collections import defaultdict
from pathlib import Path
from random import Random
from typing import Final

import numpy as np

from freehold.errors import Invalid
from freehold.learning.column_reader import RawColumn
from freehold.learning.csv_file import CsvFile
from freehold.learning.raw_table import read_raw

_SHARE: Final = 4
"""One row in so many is held out."""


def hold_out(
    source: Path, training: Path, test: Path, *, target: str, group: str | None, seed: int, numeric: bool = False
) -> None:
    """Writes a quarter of the rows of `source` to `test` and the others to `training`; Invalid if that cannot be.

    A row without a target could measure nothing, and is never held out. Of a `numeric` target chance alone decides.
    """
    wanted = [target] if group is None else [target, group]
    raw = read_raw(source, wanted=wanted, coded=wanted)
    held = _chosen(raw.columns[target], None if group is None else raw.columns[group], seed, numeric=numeric)
    if not held:
        raise Invalid(
            "The table has too few rows to hold some out.",
            why="a quarter of the rows of each class is kept aside, to measure the model on rows that nobody had",
            next="add rows: at least eight of each class"
            + ("" if group is None else ", in groups that are smaller than a quarter of it"),
        )
    _write(CsvFile(source), held, training, test)


def _chosen(target: RawColumn, group: RawColumn | None, seed: int, *, numeric: bool) -> set[int]:
    """The numbers of the rows to hold out."""
    units: dict[int, list[int]] = {}
    for place, name in enumerate(_units(len(target.missing), group)):
        units.setdefault(name, []).append(place)
    labels = _labels(target, numeric=numeric)
    by_label: defaultdict[int, list[int]] = defaultdict(list)
    for name, places in units.items():
        known = next((label for place in places if (label := labels[place]) >= 0), None)
        if known is not None:
            by_label[known].append(name)
    random = Random(seed)  # noqa: S311 - which rows are held out is no secret
    held: set[int] = set()
    for names in by_label.values():
        random.shuffle(names)
        wanted, taken = sum(len(units[name]) for name in names) // _SHARE, 0
        for name in names:
            if taken + len(units[name]) <= wanted:
                held.update(units[name])
                taken += len(units[name])
    return held


def _units(rows: int, group: RawColumn | None) -> list[int]:
    """What each row stays together with; a row whose group is missing is a group of its own."""
    alone = np.arange(rows)
    if group is None or group.codes is None:
        return list(range(rows))
    units: list[int] = np.where(group.missing, len(group.texts) + alone, group.codes).tolist()
    return units


def _labels(target: RawColumn, *, numeric: bool) -> list[int]:
    """The class of each row, one for all numbers; −1 where it is missing."""
    if numeric or target.codes is None:
        return [-1 if gone else 0 for gone in target.missing.tolist()]
    codes: list[int] = target.codes.tolist()
    return codes


def _write(file: CsvFile, held: set[int], training: Path, test: Path) -> None:
    with (
        training.open("w", encoding="utf-8", newline="") as first,
        test.open("w", encoding="utf-8", newline="") as second,
    ):
        writers = [csv.writer(each, delimiter=file.delimiter, lineterminator="\n") for each in (first, second)]
        for writer in writers:
            writer.writerow(file.names)
        place = 0
        for chunk in file.chunks():
            for row in chunk.rows:
                writers[place in held].writerow(row)
                place += 1
