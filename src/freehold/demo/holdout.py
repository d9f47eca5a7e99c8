"""Holds out a quarter of the rows, for a judge who stands outside the market.

Rows are held out class by class in proportion, so that the test has what the data has; rows of one group stay together,
so that no patient is on both sides. The file is read twice and never held in memory as a whole.
"""

import csv
from collections import defaultdict
from pathlib import Path
from random import Random
from typing import Final

from freehold.errors import Invalid
from freehold.learning.csv_file import CsvFile

_SHARE: Final = 4
"""One row in so many is held out."""
_MOST_CLASSES: Final = 100
"""A target with more different texts is a number; its rows are held out in the order of chance alone."""


def hold_out(source: Path, training: Path, test: Path, *, target: str, group: str | None, seed: int) -> None:
    """Writes a quarter of the rows of `source` to `test` and the others to `training`; Invalid if that cannot be."""
    file = CsvFile(source)
    for column in (target, group):
        if column is not None and column not in file.names:
            raise _unknown(column, file.names)
    held = _chosen(file, file.names.index(target), None if group is None else file.names.index(group), seed)
    if not held:
        raise Invalid(
            "The table has too few rows to hold some out.",
            why="a quarter of the rows of each class is kept aside, to measure the model on rows that nobody had",
            next="add rows: at least eight of each class",
        )
    _write(CsvFile(source), held, training, test)


def _chosen(file: CsvFile, target: int, group: int | None, seed: int) -> set[int]:
    """The numbers of the rows to hold out."""
    units: dict[str, list[int]] = {}
    label_of: dict[str, str] = {}
    place = 0
    for chunk in file.chunks():
        for row in chunk.rows:
            # a row whose group is missing is a group of its own
            name = f"g{row[group]}" if group is not None and row[group].strip() else f"r{place}"
            units.setdefault(name, []).append(place)
            label_of.setdefault(name, row[target])
            place += 1
    by_label: defaultdict[str, list[str]] = defaultdict(list)
    many = len(set(label_of.values())) > _MOST_CLASSES
    for name, label in label_of.items():
        by_label["" if many else label].append(name)
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


def _unknown(column: str, names: tuple[str, ...]) -> Invalid:
    import difflib

    near = difflib.get_close_matches(column, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"the columns are {', '.join(names[:12])}"
    return Invalid(f"The table has no column {column[:60]!r}.", code="column", next=hint)
