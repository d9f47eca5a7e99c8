"""Feature maps: the product, the vectors and a second writing of the page agree on every integer."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.learning.maps import FeatureMap
from freehold.protocol import canonical
from tests.learning import map_reference, map_vectors

MAPS = map_vectors.load()["maps"]
MANY = map_vectors.load()["many"]


@pytest.mark.parametrize("vector", MAPS, ids=lambda vector: json.loads(vector["map"])["name"])
def test_the_product_gives_the_vectors_features(vector: dict[str, Any]) -> None:
    feature_map = FeatureMap.parse(vector["map"].encode())

    assert feature_map.digest.hex() == vector["digest"]
    assert feature_map.features(np.array(vector["rows"], np.int32)).tolist() == vector["features"]


@pytest.mark.parametrize("vector", MAPS, ids=lambda vector: json.loads(vector["map"])["name"])
def test_the_page_gives_the_vectors_features(vector: dict[str, Any]) -> None:
    assert map_reference.features(json.loads(vector["map"]), vector["rows"]) == vector["features"]


@pytest.mark.parametrize("vector", MANY, ids=lambda vector: json.loads(vector["map"])["name"])
def test_hundreds_of_rows_under_wide_maps_agree(vector: dict[str, Any]) -> None:
    described = json.loads(vector["map"])
    rows = map_vectors.many_rows(vector["rows"], len(described["columns"]))

    assert map_vectors.many_digest(vector) == vector["features"]
    assert map_vectors.digest_of(map_reference.features(described, rows[:20])) == vector["features_of_20"]


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(["identity", "quantile", "standard", "poly2", "rff"]),
    knots=st.lists(st.integers(-(2**31) + 1, 2**31 - 1), min_size=17, max_size=17).map(sorted),
    mean=st.integers(-(2**47), 2**47),
    deviation=st.integers(0, 2**47),
    rows=st.lists(st.tuples(st.integers(-(2**31) + 1, 2**31 - 1), st.integers(0, 3)), min_size=1, max_size=5),
)
def test_any_constants_and_any_row_agree(
    name: str, knots: list[int], mean: int, deviation: int, rows: list[tuple[int, int]]
) -> None:
    number = {"deviation": deviation, "digits": 2, "kind": "number", "knots": knots, "mean": mean}
    described: dict[str, Any] = {
        "columns": [number, {"kind": "category", "values": 3}],
        "name": name,
        "target": {"kind": "classes", "values": 2},
    }
    if name == "rff":
        described |= {"count": 3, "seed": "0c" * 32, "width": 700}
    listed = [list(row) for row in rows]

    found = FeatureMap.parse(canonical.encode(described, signed=True)).features(np.array(listed, np.int32))

    assert found.tolist() == map_reference.features(described, listed)
