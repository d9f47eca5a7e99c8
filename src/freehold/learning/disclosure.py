"""What a training tells its model owner, in numbers that both sides read before they agree.

The model owner learns sums over all rows of a group, never a single subset's (TRAINING, "Who learns what"). How much
such sums say of one row hangs on the rows per feature: a membership test on them is near certain at 1.3 rows (0.97),
better than guessing at 7 (0.54 on breast cancer, 0.67 on Gaussian rows), and near guessing at 50 (0.52).
"""

from __future__ import annotations

from typing import Final

from freehold.errors import Invalid
from freehold.learning.parameters import MOST_FEATURES

FEWEST_ROWS_PER_FEATURE: Final = 5
FEW_ROWS_PER_FEATURE: Final = 20


def products(dimension: int) -> int:
    """How many different numbers XᵀX has."""
    return dimension * (dimension + 1) // 2


def products_learned(dimension: int, outputs: int, rounds: int) -> int:
    """How many numbers of XᵀX an honest model owner knows at most after `rounds` rounds over one group."""
    known = min(dimension, rounds * outputs)
    return known * dimension - known * (known - 1) // 2


def require_enough_rows(rows: int, dimension: int, name: str, advice: str = "") -> str:
    """A warning below 20 rows per feature of the map `name`, else nothing; Invalid below 5 or beyond 1,025 features."""
    if dimension > MOST_FEATURES:
        raise Invalid(
            f"the map {name} makes {dimension} features of these columns, at most {MOST_FEATURES} can train",
            next=advice or "leave columns out, or choose a map with fewer features",
        )
    share = rows / dimension
    if share < FEWEST_ROWS_PER_FEATURE:
        raise Invalid(
            f"{rows} rows are {share:.1f} per feature of the map {name}, which has {dimension}:"
            f" at least {FEWEST_ROWS_PER_FEATURE} are needed",
            why="with fewer, the sums that a model owner learns say too much about single rows",
            next=advice or "add rows, leave columns out, or choose a map with fewer features",
        )
    if share < FEW_ROWS_PER_FEATURE:
        return (
            f"{share:.1f} rows per feature of the map {name}: below {FEW_ROWS_PER_FEATURE},"
            " sums of the rows let a model owner guess better than chance whether a known row is among them"
        )
    return ""
