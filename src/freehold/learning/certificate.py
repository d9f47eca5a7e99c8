"""The data owner's certificate of a split: what it claims of R1 and R2, in numbers that the subsets themselves show.

It stays with the data owner, since it says which subset holds which class; the card carries its digest. Whoever has
the subsets, the owner or a judge it chooses, counts again. The seed makes the digest say nothing to a guesser, and lets
the owner split the same file again into the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from freehold.errors import Invalid
from freehold.learning.rows import Rows
from freehold.protocol import canonical
from freehold.protocol.digests import raw, sha256
from freehold.protocol.limits import SUBSETS_LARGEST, SUBSETS_SMALLEST
from freehold.protocol.records import Record

FORMAT: Final = "freehold/split/1"
RULES: Final = ("R1", "R2")
MOST_BINS: Final = 8
_LARGEST: Final = 2**17


class Certificate(Record):
    """A split in numbers: rows per subset and class (or bin of a number, between `edges`), digests of the subsets."""

    classes: tuple[str, ...]
    """Class names as the card spells them, or the bins in words."""
    counts: tuple[tuple[int, ...], ...]
    digests: tuple[str, ...]
    edges: tuple[int, ...]
    format: str
    grouped: str
    """The group column as the card would spell it; empty without one."""
    left_out: int
    """Rows left out so that the two holders of a class hold equal halves."""
    rules: tuple[str, ...]
    seed: str

    @classmethod
    def parse(cls, data: bytes) -> Certificate:
        """The certificate that `data` writes; Invalid for any deviation, or when its counts break R1 or R2."""
        value = canonical.decode(data, largest=_LARGEST, signed=True)
        try:
            certificate = msgspec.convert(value, cls)
        except msgspec.ValidationError as error:
            raise Invalid(f"not a split's certificate: {str(error)[:200]}") from None
        certificate.check()
        return certificate

    def encode(self) -> bytes:
        """The certificate's canonical bytes."""
        return canonical.encode(self, signed=True)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the certificate's bytes, as the card holds it."""
        return sha256(self.encode())

    def check(self) -> None:
        """Check form and rules; Invalid with the first that fails."""
        subsets, classes = len(self.counts), len(self.classes)
        _require(self.format == FORMAT and self.rules == RULES, "format or rules are unknown")
        _require(SUBSETS_SMALLEST <= subsets <= SUBSETS_LARGEST and len(self.digests) == subsets, "a digest per subset")
        _require(classes >= 2 and all(len(row) == classes for row in self.counts), "a count per subset and class")
        _require(all(count >= 0 for row in self.counts for count in row) and self.left_out >= 0, "counts below zero")
        _require(not self.edges or len(self.edges) == classes - 1, "one edge between two bins")
        for digest in (self.seed, *self.digests):
            raw(digest)
        totals = [sum(row[label] for row in self.counts) for label in range(classes)]
        for subset, row in enumerate(self.counts):
            if all(row):
                raise Invalid(f"subset {subset + 1} holds every class, against R1")
            for label, count in enumerate(row):
                if 2 * count > totals[label]:
                    raise Invalid(f"subset {subset + 1} holds more than half of {self.classes[label]!r}, against R2")

    def check_subset(self, index: int, data: bytes) -> Rows:
        """The rows of a subset, counted again; Invalid when they are not what the certificate says."""
        if sha256(data).hex() != self.digests[index]:
            raise Invalid(f"the rows of subset {index + 1} are not those that the certificate names")
        rows = Rows.parse(data)
        if counts_of(rows, self.edges, len(self.classes)) != self.counts[index]:
            raise Invalid(f"the rows of subset {index + 1} have other counts than the certificate says")
        return rows


def bin_edges(targets: npt.NDArray[np.int32], subsets: int) -> tuple[int, ...]:
    """The edges between quantile bins of a number: up to eight bins of alike size, equal values in one bin.

    Where many rows share a value a bin could come out nearly empty; it is joined with its neighbour.
    """
    bins = max(2, min(MOST_BINS, len(targets) // (2 * subsets)))
    ordered = np.sort(targets)
    rows = len(ordered)
    fewest = rows / (2 * bins)
    edges: list[int] = []
    begin = 0
    for step in range(1, bins):
        edge = ordered[step * rows // bins]
        below = int(np.searchsorted(ordered, edge))
        if below - begin >= fewest and rows - below >= fewest:
            edges.append(int(edge))
            begin = below
    return tuple(edges) or (_most_even_edge(ordered),)


def _most_even_edge(ordered: npt.NDArray[np.int32]) -> int:
    """The value that cuts the rows most evenly into those below it and the others, when most rows share one value."""
    values, begins = np.unique(ordered, return_index=True)
    below = begins[1:]
    return int(values[1:][np.argmin(np.abs(below - len(ordered) / 2))])


def labels_of(targets: npt.NDArray[np.int32], edges: Sequence[int]) -> npt.NDArray[np.int64]:
    """The class of each row, or the bin of each number: how many edges it reaches."""
    if not edges:
        return targets.astype(np.int64)
    return np.searchsorted(np.asarray(edges, dtype=np.int64), targets.astype(np.int64), side="right").astype(np.int64)


def counts_of(rows: Rows, edges: Sequence[int], classes: int) -> tuple[int, ...]:
    """How many rows of each class, or of each bin of a number, there are."""
    return tuple(np.bincount(labels_of(rows.targets, edges), minlength=classes).tolist())


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise Invalid(f"not a split's certificate: {rule}")
