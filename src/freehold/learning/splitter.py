"""Splitting a table into subsets that tell little alone.

R1: no subset holds all classes (for a number: all its quantile bins). R2: none holds more than half of any one class's
rows. Every class must be held by two subsets at least, and every subset must lack one, so K classes need
m ≥ ⌈2K / (K − 1)⌉ subsets. The split is the gentlest that obeys both: each subset lacks exactly one class, the classes
take turns at being lacked, rarest first, and beyond that the rows of a class are spread evenly over its holders. With
two classes a subset holds one class only, and the subsets are shared out by the classes' sizes.

All rows of a group (a patient) stay together. Large groups are placed first, each where it overfills least; single rows
fill up evenly. Where a class has two holders, each must hold exactly half: a row too many is left out, and counted.
Everything is drawn from a seed, so the data owner can split again and compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from freehold.errors import Invalid
from freehold.learning.decimals import is_number
from freehold.learning.streams import Stream, key_of

Integers = npt.NDArray[np.int64]

FEWEST_HOLDERS: Final = 2
_TRIES: Final = 40
_PLACEMENTS: Final = 200_000
"""Groups placed in all tries together: of very many small groups one try is like another, and takes seconds."""
_MOST_LEFT_OUT: Final = 20
"""To make two halves equal, at most one in so many rows of a class may be left out, or one row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Row numbers per subset, ascending, and those left out so that two holders of a class are equal."""

    subsets: tuple[Integers, ...]
    left_out: Integers


def fewest_subsets(classes: int) -> int:
    """The smallest number of subsets that can obey R1 and R2 with so many classes."""
    return -(-2 * classes // (classes - 1))


def split_rows(labels: Integers, names: Sequence[str], groups: Integers | None, subsets: int, seed: bytes) -> Parts:
    """Split rows with class numbers `labels` into `subsets`; `names` are the classes in words.

    Invalid, with what to change, when the rules cannot be obeyed: too few subsets, a class with too few rows or groups,
    groups that hold every class, or halves that cannot be made equal.
    """
    counts = np.bincount(labels, minlength=len(names))
    _require_possible(counts, names, subsets)
    units = _Units(labels, groups, len(names))
    _require_apart(units, names)
    _require_none_dominates(units, counts, names)
    grouped = int(np.count_nonzero(units.sizes > 1))
    for attempt in range(min(_TRIES, max(2, _PLACEMENTS // max(1, grouped)))):
        stream = Stream(key_of("split", seed, bytes(32)), attempt)
        parts = _attempt(units, counts, subsets, stream)
        if parts is not None:
            return parts
    raise Invalid(
        f"no split into {subsets} subsets was found that keeps the groups whole",
        why="groups of many rows or of several classes leave no room for the rules R1 and R2",
        next=f"use more subsets (as {subsets + 2}), or give no group column",
    )


class _Units:
    """What stays together: per unit its rows, and how many of each class (units × K)."""

    def __init__(self, labels: Integers, groups: Integers | None, classes: int) -> None:
        keys = np.arange(len(labels)) if groups is None else np.unique(groups, return_inverse=True)[1]
        self.labels = labels
        self.unit_of_row: Integers = keys.astype(np.int64)
        self.sizes: Integers = np.bincount(keys)
        self.counts = np.zeros((len(self.sizes), classes), dtype=np.int64)
        np.add.at(self.counts, (keys, labels), 1)

    def rows(self, chosen: npt.NDArray[np.bool_]) -> Integers:
        """The rows of the chosen units, ascending."""
        return np.flatnonzero(chosen[self.unit_of_row])


def _require_possible(counts: Integers, names: Sequence[str], subsets: int) -> None:
    classes = len(names)
    if classes < 2:
        raise Invalid("there is one class only", next="name the column that holds what is to be predicted")
    fewest = fewest_subsets(classes)
    if subsets < fewest:
        raise Invalid(
            f"{classes} classes cannot be split into {subsets} subsets",
            why="no subset may hold all classes, and none more than half of a class's rows",
            next=f"use --subsets {fewest} or more",
        )
    rarest = int(np.argmin(counts))
    if counts[rarest] < subsets:
        raise Invalid(
            f"{names[rarest]} has {counts[rarest]} rows: too few for {subsets} subsets",
            why="a class needs as many rows as there are subsets, or a subset could be told by it",
            next="merge it with another class, leave its rows out, or use fewer subsets"
            + ("; or predict a number: --kind number" if all(map(is_number, names)) else ""),
        )


def _require_apart(units: _Units, names: Sequence[str]) -> None:
    whole = int(np.sum(np.all(units.counts > 0, axis=1)))
    if not whole:
        return
    both = "both classes" if len(names) == 2 else "every class"
    raise Invalid(
        f"{whole} of {len(units.sizes)} groups hold rows of {both}",
        why="no subset may hold all classes, so such a group cannot stay together",
        next="keep one row of each such group, or give no group column",
    )


def _require_none_dominates(units: _Units, counts: Integers, names: Sequence[str]) -> None:
    largest = units.counts.max(axis=0)
    label = int(np.argmax(2 * largest - counts))
    if 2 * largest[label] > counts[label]:
        raise Invalid(
            f"one group holds {largest[label]} of the {counts[label]} rows of {names[label]}",
            why="no subset may hold more than half of a class's rows, so such a group cannot stay together",
            next="leave some rows of that group out, add rows of other groups, or give no group column",
        )


def _attempt(units: _Units, counts: Integers, subsets: int, stream: Stream) -> Parts | None:
    lacking = _shuffled(_lacked(counts, subsets), stream)
    holders = subsets - np.bincount(lacking, minlength=len(counts)) if len(counts) > 2 else None
    if holders is None:
        holders = np.array([np.sum(lacking == 1), np.sum(lacking == 0)])
    place = _place_groups(units, counts, holders, lacking, stream)
    if place is None:
        return None
    _place_singles(units, place, lacking, stream)
    held = _held(units, place, subsets)
    dropped = _even_halves(units, place, held, counts, holders)
    if dropped is None:
        return None
    place[dropped] = -1
    held = _held(units, place, subsets)
    if np.any(2 * held > held.sum(axis=0)) or np.any(np.all(held > 0, axis=1)) or not np.all(held.sum(axis=1)):
        return None
    return Parts(
        subsets=tuple(units.rows(place == subset) for subset in range(subsets)),
        left_out=units.rows(place == -1),
    )


def _lacked(counts: Integers, subsets: int) -> Integers:
    """The class that each subset lacks, in no order yet."""
    classes = len(counts)
    if classes == 2:
        share = round(subsets * int(counts[0]) / int(counts.sum()))
        first = min(max(share, FEWEST_HOLDERS), subsets - FEWEST_HOLDERS)
        return np.array([1] * first + [0] * (subsets - first))
    rarest_first = np.argsort(counts, kind="stable")
    return np.array([rarest_first[turn % classes] for turn in range(subsets)])


def _shuffled(values: Integers, stream: Stream) -> Integers:
    return values[np.argsort(stream.words(len(values)), kind="stable")]


def _place_groups(
    units: _Units, counts: Integers, holders: Integers, lacking: Integers, stream: Stream
) -> Integers | None:
    """The subset of every unit of several rows, largest first; −1 for single rows; None if one fits nowhere."""
    place = np.full(len(units.sizes), -1, dtype=np.int64)
    order = _shuffled(np.flatnonzero(units.sizes > 1), stream)
    order = order[np.argsort(-units.sizes[order], kind="stable")]
    fair = counts / holders
    held = np.zeros((len(lacking), len(counts)))
    # in which subsets a unit may lie: not where a class of its own is lacked
    for unit in order.tolist():
        own = units.counts[unit]
        after = held + own
        allowed = (own[lacking] == 0) & np.all(2 * after <= counts + (holders == FEWEST_HOLDERS) * own, axis=1)
        if not allowed.any():
            return None
        fullness = np.max(np.where(own > 0, after / fair, 0.0), axis=1)
        subset = int(np.argmin(np.where(allowed, fullness, np.inf)))
        place[unit] = subset
        held[subset] = after[subset]
    return place


def _place_singles(units: _Units, place: Integers, lacking: Integers, stream: Stream) -> None:
    """Fill up with single rows so that the holders of each class come out as equal as they can."""
    subsets = len(lacking)
    held = _held(units, place, subsets)
    for label in range(units.counts.shape[1]):
        singles = _shuffled(np.flatnonzero((units.sizes == 1) & (units.counts[:, label] == 1)), stream)
        allowed = np.flatnonzero(lacking != label)
        shares = _filled(held[allowed, label], len(singles))
        place[singles] = np.repeat(allowed, shares)


def _filled(present: Integers, more: int) -> Integers:
    """How many of `more` to add to each holder so that the fullest are topped last: an even water level."""
    low, high = int(present.min()), int(present.max()) + more
    while low < high:
        level = (low + high + 1) // 2
        if int(np.maximum(level - present, 0).sum()) <= more:
            low = level
        else:
            high = level - 1
    shares = np.maximum(low - present, 0)
    rest = more - int(shares.sum())
    lowest = np.argsort(present + shares, kind="stable")[:rest]
    shares[lowest] += 1
    return shares


def _held(units: _Units, place: Integers, subsets: int) -> Integers:
    """Rows per subset and class."""
    held = np.zeros((subsets, units.counts.shape[1]), dtype=np.int64)
    placed = place >= 0
    np.add.at(held, place[placed], units.counts[placed])
    return held


def _even_halves(
    units: _Units, place: Integers, held: Integers, counts: Integers, holders: Integers
) -> list[int] | None:
    """Units to leave out so that a class with two holders lies in two equal halves; None if it cannot."""
    dropped: list[int] = []
    for label in np.flatnonzero(holders == FEWEST_HOLDERS).tolist():
        fuller = int(np.argmax(held[:, label]))
        surplus = 2 * int(held[fuller, label]) - int(counts[label])
        if surplus <= 0:
            continue
        if surplus > max(1, int(counts[label]) // _MOST_LEFT_OUT):
            return None
        pure = (place == fuller) & (units.counts[:, label] == units.sizes)
        chosen = _of_sum(np.flatnonzero(pure), units.sizes, surplus)
        if chosen is None:
            return None
        dropped += chosen
    return dropped


def _of_sum(candidates: Integers, sizes: Integers, total: int) -> list[int] | None:
    """Some of the candidates whose sizes add up to `total`; None if no choice does."""
    reached: dict[int, list[int]] = {0: []}
    for unit in candidates.tolist():
        size = int(sizes[unit])
        for known, chosen in list(reached.items()):
            if known + size <= total and known + size not in reached:
                reached[known + size] = [*chosen, unit]
        if total in reached:
            return reached[total]
    return None
