"""How a matrix is cut so that one product of polynomials is many products of numbers.

A (D × D) is cut into blocks of `height` rows and `width` columns. The M columns of a direction V stand side by side in
one input polynomial per column of blocks, each in a segment of height · width coefficients; a block is laid out so that
its product with an input puts every entry of A·V at a coefficient of its own. All other coefficients of a product are
further equations in A: they are never sent, so the places named here are the whole of what leaves a cloud owner.

The choice is a function of D and M alone; a cloud owner makes it again and refuses any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from freehold.errors import Invalid
from freehold.learning.parameters import MOST_FEATURES, MOST_OUTPUTS, N


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiling:
    """Blocks of `height` × `width` (db × cw of TRAINING-ANNEX §4) for D `features` and M `outputs`."""

    features: int
    outputs: int
    height: int
    width: int

    @property
    def row_blocks(self) -> int:
        """R, the polynomials of an answer."""
        return -(-self.features // self.height)

    @property
    def column_blocks(self) -> int:
        """K, the polynomials of an input."""
        return -(-self.features // self.width)

    @property
    def segment(self) -> int:
        """S, the coefficients that one column of V takes in a polynomial."""
        return self.height * self.width

    def rows(self, block: int) -> range:
        """The rows of A in a row of blocks; the last one may have fewer."""
        return range(block * self.height, min((block + 1) * self.height, self.features))

    def columns(self, block: int) -> range:
        """The columns of A, and rows of V, in a column of blocks; the last one may have fewer."""
        return range(block * self.width, min((block + 1) * self.width, self.features))

    def places(self, block: int) -> list[int]:
        """The coefficients of a row of blocks that hold A·V: output by output, row by row."""
        return [
            output * self.segment + row * self.width + self.width - 1
            for output in range(self.outputs)
            for row in range(len(self.rows(block)))
        ]


@cache
def tiling(features: int, outputs: int) -> Tiling:
    """The one tiling for D features and M outputs: fewest polynomials, then fewest to send back, then flattest."""
    if not (1 <= features <= MOST_FEATURES and 1 <= outputs <= MOST_OUTPUTS):
        raise Invalid(
            f"a model of {features} features and {outputs} outputs does not fit",
            why="an input would not fit into the ring, or take minutes a round",
            next=f"choose a map with at most {MOST_FEATURES} features and a target of at most {MOST_OUTPUTS} classes",
        )
    return min((_cut(features, outputs, height) for height in range(1, min(features, N // outputs) + 1)), key=_cost)


def _cut(features: int, outputs: int, height: int) -> Tiling:
    width = min(features, N // (outputs * height))
    return Tiling(features=features, outputs=outputs, height=height, width=width)


def _cost(cut: Tiling) -> tuple[int, int, int]:
    return (cut.column_blocks + cut.row_blocks, cut.row_blocks, cut.height)
