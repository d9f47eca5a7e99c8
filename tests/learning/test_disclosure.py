"""What a model owner learns is counted as the product's own pages count it."""

from __future__ import annotations

import numpy as np
import pytest

from freehold.errors import Invalid
from freehold.learning.disclosure import products, products_learned, require_enough_rows


def test_the_quote_of_the_product_page() -> None:
    assert products(76) == 2926
    assert products_learned(76, 2, 6) == 846


@pytest.mark.parametrize(("dimension", "outputs", "rounds"), [(5, 2, 1), (5, 2, 2), (5, 2, 9), (6, 1, 4)])
def test_the_numbers_learned_are_the_rank_of_what_was_asked(dimension: int, outputs: int, rounds: int) -> None:
    columns = np.random.default_rng(1).normal(size=(dimension, min(dimension, outputs * rounds)))
    pairs = [(a, b) for a in range(dimension) for b in range(a, dimension)]
    equations = []
    for column in columns.T:
        for row in range(dimension):
            equation = np.zeros(len(pairs))
            for other in range(dimension):
                equation[pairs.index((min(row, other), max(row, other)))] += column[other]
            equations.append(equation)
    assert products_learned(dimension, outputs, rounds) == np.linalg.matrix_rank(np.array(equations))


def test_below_five_rows_per_feature_is_refused_and_below_twenty_warned_of() -> None:
    with pytest.raises(Invalid, match=r"49 rows are 4\.9 per feature of the map standard"):
        require_enough_rows(49, 10, "standard")
    assert "below 20" in require_enough_rows(199, 10, "standard")
    assert require_enough_rows(200, 10, "standard") == ""
