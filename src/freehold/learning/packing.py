"""Numbers into polynomials and back, at the places that `tiles` names (TRAINING-ANNEX §4)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from freehold.learning.parameters import N
from freehold.learning.tiles import Tiling
from freehold.ports.cipher import Integers


def pack_directions(tiling: Tiling, directions: Integers) -> list[Integers]:
    """The input polynomials of V (D × M), one per column of blocks, N coefficients each."""
    polynomials = []
    for block in range(tiling.column_blocks):
        columns = tiling.columns(block)
        polynomial = np.zeros(N, np.int64)
        places = np.arange(tiling.outputs)[:, None] * tiling.segment + np.arange(len(columns))[None, :]
        polynomial[places] = directions[columns.start : columns.stop].T
        polynomials.append(polynomial)
    return polynomials


def unpack(tiling: Tiling, values: Sequence[Integers]) -> Integers:
    """A·V (D × M) from what stands at the places of every row of blocks."""
    result = np.empty((tiling.features, tiling.outputs), np.int64)
    for block, found in enumerate(values):
        rows = tiling.rows(block)
        result[rows.start : rows.stop] = found.reshape(tiling.outputs, len(rows)).T
    return result


class PackedStatistics:
    """The blocks of A and the constants −B of one or two pairs of statistics, packed when asked for.

    With two pairs (a training that also evaluates on held rows) the second pair's rows of blocks follow the first's.
    """

    def __init__(self, tiling: Tiling, pairs: Sequence[tuple[Integers, Integers]]) -> None:
        self._tiling = tiling
        self._pairs = tuple(pairs)
        self._places = [np.array(tiling.places(block)) for block in range(tiling.row_blocks)]

    @property
    def row_blocks(self) -> int:
        """How many polynomials the answer has."""
        return self._tiling.row_blocks * len(self._pairs)

    @property
    def column_blocks(self) -> int:
        """How many input polynomials a round has."""
        return self._tiling.column_blocks

    def places(self, row: int) -> Integers:
        """The coefficients of a row of blocks that are sent."""
        return self._places[row % self._tiling.row_blocks]

    def block(self, row: int, column: int) -> Integers | None:
        """P_(r,k): the entry in row i, column j of the block at i · width + width − 1 − j; None if all are zero."""
        pair, row = divmod(row, self._tiling.row_blocks)
        rows, columns = self._tiling.rows(row), self._tiling.columns(column)
        entries = self._pairs[pair][0][rows.start : rows.stop, columns.start : columns.stop]
        if not entries.any():
            return None
        width = self._tiling.width
        polynomial = np.zeros(N, np.int64)
        polynomial[np.arange(len(rows))[:, None] * width + width - 1 - np.arange(len(columns))[None, :]] = entries
        return polynomial

    def constant(self, row: int) -> Integers:
        """−B at the places of a row of blocks."""
        pair, row = divmod(row, self._tiling.row_blocks)
        rows = self._tiling.rows(row)
        polynomial = np.zeros(N, np.int64)
        polynomial[self._places[row]] = -self._pairs[pair][1][rows.start : rows.stop].T.reshape(-1)
        return polynomial

    def block_sum(self) -> int:
        """max_r Σ_k‖P_(r,k)‖₁: what the noise of a product grows with."""
        starts = range(0, self._tiling.features, self._tiling.height)
        sizes = [int(np.add.reduceat(np.abs(matrix).sum(axis=1), starts).max()) for matrix, _ in self._pairs]
        return max(sizes)
