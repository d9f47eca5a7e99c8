"""Tiles: the one cut for each shape, and products that are exactly A·V at the places that are sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.learning.packing import PackedStatistics, pack_directions, unpack
from freehold.learning.parameters import N
from freehold.learning.tiles import tiling
from freehold.ports.cipher import Integers

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "training-tiles.json").read_text())["tiles"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['features']}x{vector['outputs']}")
def test_the_cut_is_the_one_of_the_vectors(vector: dict[str, Any]) -> None:
    cut = tiling(vector["features"], vector["outputs"])
    places = [cut.places(row) for row in range(cut.row_blocks)]

    assert (cut.height, cut.width) == (vector["db"], vector["cw"])
    assert (cut.column_blocks, cut.row_blocks) == (vector["inputs"], vector["rows"])
    assert places[0][:4] == vector["first_places"]
    assert places[-1][-4:] == vector["last_places"]
    assert sum(map(len, places)) == vector["places"] == vector["features"] * vector["outputs"]


@pytest.mark.parametrize(("features", "outputs"), [(0, 1), (1026, 1), (7, 0), (7, 101), (-1, 2)])
def test_a_model_that_does_not_fit_is_refused(features: int, outputs: int) -> None:
    with pytest.raises(Invalid, match="does not fit"):
        tiling(features, outputs)


@settings(max_examples=25, deadline=None)
@given(st.data(), st.integers(1, 90), st.integers(1, 100))
def test_the_products_of_blocks_and_inputs_hold_the_result_at_their_places(
    data: st.DataObject, features: int, outputs: int
) -> None:
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    a = generator.integers(-1000, 1000, (features, features))
    b = generator.integers(-1000, 1000, (features, outputs))
    v = generator.integers(-1000, 1000, (features, outputs))
    cut = tiling(features, outputs)
    packed = PackedStatistics(cut, [(a, b)])
    inputs = pack_directions(cut, v)

    values = []
    for row in range(packed.row_blocks):
        total = packed.constant(row).copy()
        for column, message in enumerate(inputs):
            block = packed.block(row, column)
            if block is not None:
                total += ring_product(block, message)
        values.append(total[packed.places(row)])

    assert (unpack(cut, values) == a @ v - b).all()


def test_an_empty_block_is_left_out_and_the_result_still_right() -> None:
    cut = tiling(64, 10)
    a = np.zeros((64, 64), np.int64)
    a[:32, :25] = 3
    packed = PackedStatistics(cut, [(a, np.zeros((64, 10), np.int64))])

    assert packed.block(0, 0) is not None
    assert packed.block(1, 0) is None
    assert packed.block(0, 2) is None


def test_two_pairs_of_statistics_follow_each_other() -> None:
    cut = tiling(64, 10)
    first, second = np.full((64, 64), 1), np.full((64, 64), 2)
    b = np.arange(640).reshape(64, 10)
    packed = PackedStatistics(cut, [(first, b), (second, -b)])

    assert packed.row_blocks == 4
    assert packed.places(3).tolist() == packed.places(1).tolist() == cut.places(1)
    for row, sign in ((1, -1), (3, 1)):
        assert (packed.constant(row)[packed.places(row)] == sign * b[32:].T.reshape(-1)).all()
    block = packed.block(2, 0)
    assert block is not None
    assert set(block.tolist()) == {0, 2}


def ring_product(first: Integers, second: Integers) -> Integers:
    """The product modulo X^N + 1, through one product of large whole numbers."""
    whole = np.convolve(first[: last(first)], second[: last(second)])
    result = np.zeros(N, np.int64)
    result[: min(N, len(whole))] = whole[:N]
    result[: max(0, len(whole) - N)] -= whole[N:]
    return result


def last(polynomial: Integers) -> int:
    return int(np.flatnonzero(polynomial).max(initial=0)) + 1
