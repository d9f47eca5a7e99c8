"""Feature maps give the published integers, and only what the cards say is approved."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from freehold.errors import Invalid
from freehold.learning.card import Card, NumberColumn
from freehold.learning.constants import LEVELS, constants_of, level_of, levels_of, pooled_knots, pooled_moments
from freehold.learning.decimals import fixed_point
from freehold.learning.map_form import Description, MapByte, MapCategory, MapClasses, MapNumber, MapTarget
from freehold.learning.maps import FeatureMap, approved, map_description
from freehold.learning.pooling import pooled_columns, strange_columns
from freehold.learning.prepared import prepare
from freehold.learning.random_features import cosine_table
from freehold.learning.table import read_table
from freehold.protocol import canonical
from freehold.protocol.digests import sha256
from tests.learning.tables import SEED, patient_table, patients, write_csv

TEXTS = ["0", "0.1", "0.1", "0.25", "0.4", "0.6", "0.75", "1", "1.3", "2", "2", "3.5"]
DESCRIPTION = (
    b'{"columns":[{"deviation":655610,"digits":1,"kind":"number","knots":[0,0,1,1,3,3,4,6,8,8,10,13,20,20,20,35,35],'
    b'"mean":660821},{"kind":"category","values":2}],"name":"identity","target":{"kind":"classes","values":2}}'
)
VECTORS = {
    "identity": ([-10, 0, 64, 64], "5da7f72b0ce19d58d8ca7b2ca8e49723ed48a69e18baa084b2180b6504db6f4e"),
    "quantile": ([-8, 0, 64, 64], "7a9eacccfc854ffb56b6f0fee6ff73ab8015620d3a88f439cecbf22e8c8c6159"),
    "standard": ([-10, 0, 64, -8, 64], "8ff3f1bb64dcf5e73eab0d1660d17dbf853fb9be20c2c8fdd945b9e3eb810ea2"),
    "poly2": (
        [-10, 0, 64, 2, 0, -10, 0, 0, 64, 64],
        "a51b8d3fb9b76021595a25ccd4cf1bcb32cfec9d3185fed1747f6fbab1503c16",
    ),
    "rff": ([-10, 0, 64, -113, -1, -76, 124, 64], "f51ed0f1f69f2ec835144f86b759e6fac2eae1321df34e41fbbede09aba79de6"),
}


RANDOM = {"count": 4, "seed": "07" * 32, "width": 500}


def described(kind: str, **fields: object) -> bytes:
    """The example's description under another map's name, some fields changed."""
    value: dict[str, Any] = {**canonical.decode(DESCRIPTION, largest=4096, signed=True), "name": kind}
    value |= RANDOM if kind == "rff" else {}
    return canonical.encode(value | fields, signed=True)


def test_the_constants_of_the_example_are_the_published_ones() -> None:
    constants = constants_of(np.array([fixed_point(text, 1) for text in TEXTS], dtype=np.int32))
    column = MapNumber(deviation=constants.deviation, digits=1, knots=constants.knots, mean=constants.mean)
    description = Description(columns=(column, MapCategory(values=2)), name="identity", target=MapClasses(values=2))
    assert description.encode() == DESCRIPTION


@pytest.mark.parametrize("name", VECTORS)
def test_features_and_digest_of_each_map_are_the_published_ones(name: str) -> None:
    features, digest = VECTORS[name]
    feature_map = FeatureMap.parse(described(name))
    assert feature_map.features(np.array([[7, 2]], dtype=np.int32)).tolist() == [features]
    assert feature_map.digest.hex() == digest
    assert feature_map.dimension == len(features)


def test_the_cosine_table_is_the_published_one() -> None:
    table = cosine_table()
    assert sha256(table.tobytes()).hex() == "8a25b9bfae795c7281f3a0ab14099053769aaf7d6ce3fefb5875752cd5879af1"
    assert table[[0, 1024, 2048, 3072]].tolist() == [127, 0, -127, 0]
    assert all(abs(entry - 127 * math.cos(2 * math.pi * (i + 0.5) / 4096)) <= 0.5 for i, entry in enumerate(table))


def test_missing_and_unlisted_categories_are_no_feature() -> None:
    feature_map = FeatureMap.parse(described("identity"))
    assert feature_map.features(np.array([[7, 0], [7, 1]], dtype=np.int32))[:, 1:3].tolist() == [[0, 0], [64, 0]]


def test_a_numeric_target_is_standardized_and_clipped() -> None:
    description = FeatureMap.parse(described("identity")).description
    number = Description(
        columns=description.columns, name="identity", target=MapTarget(deviation=2 << 16, digits=0, mean=10 << 16)
    )
    targets = FeatureMap.of(number).targets(np.array([10, 12, 9, 1000, -1000], dtype=np.int32))
    assert targets[:, 0].tolist() == [0, 32, -16, 127, -127]


def test_an_embedding_is_taken_as_it_is() -> None:
    description = Description(columns=(MapByte(), MapByte()), name="embedding", target=MapClasses(values=2))
    features = FeatureMap.of(description).features(np.array([[-127, 5]], dtype=np.int32))
    assert features.tolist() == [[-127, 5, 64]]


@given(st.lists(st.integers(-300, 300), min_size=17, max_size=17).map(sorted), st.integers(-400, 400))
def test_ranks_in_bulk_are_the_ranks_one_by_one_and_never_leave_their_range(knots: list[int], value: int) -> None:
    level = level_of(value, knots)
    assert levels_of(np.array([value]), knots).tolist() == [level]
    assert 64 <= level <= 4032
    assert level_of(value, knots) <= level_of(value + 1, knots)


def test_a_constant_column_has_no_rank() -> None:
    assert level_of(5, [5] * 17) == 2048


@given(st.lists(st.integers(-(2**31) + 1, 2**31 - 1), min_size=1, max_size=60))
def test_constants_are_exact(values: list[int]) -> None:
    constants = constants_of(np.array(values, dtype=np.int32))
    count, total = len(values), sum(values)
    assert constants.mean == (2 * (total << 16) + count) // (2 * count)
    variance = count * sum(value * value for value in values) - total * total
    assert constants.deviation == math.isqrt(variance << 32) // count
    assert constants.knots == tuple(sorted(values)[level * count // 4096] for level in LEVELS)


@pytest.mark.parametrize(("one", "other", "pooled"), [(-1, 0, 0), (-2, -1, -1), (0, 1, 1), (-3, 3, 0)])
def test_a_common_mean_halfway_between_two_steps_goes_up_also_below_zero(one: int, other: int, pooled: int) -> None:
    assert pooled_moments([(500, one, 0), (500, other, 0)])[0] == pooled


def test_several_owners_rows_pool_to_the_constants_of_all_rows() -> None:
    random = np.random.default_rng(3)
    first = random.normal(1000, 300, 900).round().astype(np.int32)
    second = random.normal(1600, 200, 500).round().astype(np.int32)
    one, two, both = constants_of(first), constants_of(second), constants_of(np.concatenate([first, second]))
    mean, deviation = pooled_moments([(900, one.mean, one.deviation), (500, two.mean, two.deviation)])
    assert abs(mean - both.mean) <= 2
    assert abs(deviation - both.deviation) <= 70_000  # one unit in the sixteen fraction bits, and rounding
    knots = pooled_knots([(900, one.knots), (500, two.knots)])
    assert list(knots) == sorted(knots)
    assert max(abs(pooled - exact) for pooled, exact in zip(knots, both.knots, strict=True)) < 60


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Card:
    folder = tmp_path_factory.mktemp("card")
    return prepare(patient_table(folder), folder / "out", seed=SEED).card


@pytest.mark.parametrize("name", ["identity", "quantile", "standard", "poly2", "rff-9"])
def test_the_map_built_from_the_cards_is_approved(card: Card, name: str) -> None:
    feature_map = approved(map_description([card], name), [card])
    assert feature_map.name == name
    assert feature_map.outputs == 2


def test_a_map_with_constants_of_its_own_is_not_approved(card: Card) -> None:
    value = canonical.decode(map_description([card]), largest=2**16, signed=True)
    value["columns"][0]["mean"] += 1
    with pytest.raises(Invalid, match="not what the cards give"):
        approved(canonical.encode(value, signed=True), [card])


def test_random_features_of_a_chosen_seed_are_not_approved(card: Card) -> None:
    value = canonical.decode(map_description([card], "rff-9"), largest=2**16, signed=True)
    value["seed"] = "aa" * 32
    with pytest.raises(Invalid, match="not what the cards give"):
        approved(canonical.encode(value, signed=True), [card])


def test_owners_with_different_tables_have_no_common_map(card: Card, tmp_path: Path) -> None:
    other = prepare(patient_table(tmp_path, classes=3), tmp_path / "out", seed=SEED).card
    with pytest.raises(Invalid, match="differ in the column 'outcome'"):
        map_description([card, other])


def test_owners_of_whom_one_has_a_column_more_have_no_common_map(card: Card, tmp_path: Path) -> None:
    names, rows = patients(240)
    wider = write_csv(tmp_path, ["age", *names], [[index % 80, *row] for index, row in enumerate(rows)])
    other = prepare(read_table(wider, target="outcome"), tmp_path / "out", seed=SEED).card
    with pytest.raises(Invalid, match="have 4 and 5 columns"):
        map_description([card, other])


@pytest.mark.parametrize("name", ["Standard", "rff", "rff-0", "rff-01", "rff--1", "rff-99999", "", "poly3", "rff-٣"])
def test_an_unknown_map_is_refused_by_name(card: Card, name: str) -> None:
    with pytest.raises(Invalid, match="no feature map"):
        map_description([card], name)


def test_a_map_too_wide_to_train_is_refused(card: Card) -> None:
    with pytest.raises(Invalid, match="at most 1025"):
        map_description([card], "rff-1020")


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"columns": []},
        {"columns": [{"kind": "byte"}]},
        {"columns": [{"kind": "category", "values": 0}]},
        {"columns": [{"kind": "category"}]},
        {"columns": [{"deviation": -1, "digits": 0, "kind": "number", "knots": [0] * 17, "mean": 0}]},
        {"columns": [{"deviation": 1, "digits": 10, "kind": "number", "knots": [0] * 17, "mean": 0}]},
        {"columns": [{"deviation": 1, "digits": 0, "kind": "number", "knots": [0] * 16, "mean": 0}]},
        {"columns": [{"deviation": 1, "digits": 0, "kind": "number", "knots": [1, *([0] * 16)], "mean": 0}]},
        {"columns": [{"deviation": 1, "digits": 0, "kind": "number", "knots": [2**31] * 17, "mean": 0}]},
        {"target": {"kind": "classes", "values": 101}},
        {"target": {"kind": "classes", "values": 1}},
        {"target": {"kind": "number", "values": 2}},
        {"count": 4},
        {"more": 1},
    ],
)
def test_a_malformed_map_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        FeatureMap.parse(described("identity", **change))


@pytest.mark.parametrize(
    "change",
    [{"count": 0}, {"width": 0}, {"width": 2**21}, {"seed": "07" * 31}, {"seed": "0G" * 32}, {"count": 2000}],
)
def test_malformed_random_features_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        FeatureMap.parse(described("rff", **change))


@given(st.binary(max_size=200))
def test_no_bytes_bring_a_map_to_its_knees(data: bytes) -> None:
    with pytest.raises(Invalid):
        FeatureMap.parse(data)


def number(mean: float, deviation: float, seed: int = 1, rows: int = 4000) -> NumberColumn:
    """A column of whole numbers around a mean, as its card would have it."""
    made = constants_of(np.random.default_rng(seed).normal(mean, deviation, rows).round().astype(np.int32))
    return NumberColumn(deviation=made.deviation, digits=0, knots=made.knots, mean=made.mean, missing=0, name="age")


def with_column(card: Card, column: NumberColumn) -> Card:
    return structs.replace(card, columns=(column,))


def test_two_alike_hospitals_find_nothing_strange_in_their_common_map(card: Card) -> None:
    first, second = with_column(card, number(500, 150)), with_column(card, number(620, 110, seed=2))

    for own in (first, second):
        assert strange_columns(own, pooled_columns([first, second])) == ()


@pytest.mark.parametrize(("mean", "deviation"), [(990, 4), (990, 150), (500, 4), (10, 400)])
def test_a_card_made_to_single_rows_out_makes_a_column_strange(card: Card, mean: int, deviation: int) -> None:
    honest = with_column(card, number(500, 150))
    # with far more rows than anybody has, the made-up card alone decides
    made = structs.replace(with_column(card, number(mean, deviation, seed=2)), rows=300_000)

    assert strange_columns(honest, pooled_columns([honest, made])) == ("age",)
