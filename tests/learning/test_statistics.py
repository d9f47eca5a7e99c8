"""Statistics are exact, however large, in whatever pieces, and weighted by public whole numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from freehold.errors import Invalid
from freehold.learning import statistics as module
from freehold.learning.card import ClassTarget
from freehold.learning.maps import FeatureMap, map_description
from freehold.learning.prepared import prepare
from freehold.learning.rows import Rows
from freehold.learning.statistics import balanced_weights, statistics, subset_statistics, weighted_rows
from freehold.learning.training import shift_of
from tests.learning.tables import SEED, patient_table

FEATURE = st.integers(-127, 127)


@given(st.data())
@settings(max_examples=60)
def test_statistics_are_those_of_whole_numbers(data: st.DataObject) -> None:
    rows, features, outputs = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 4)), data.draw(st.integers(1, 3))
    f = data.draw(st.lists(st.lists(FEATURE, min_size=features, max_size=features), min_size=rows, max_size=rows))
    y = data.draw(st.lists(st.lists(FEATURE, min_size=outputs, max_size=outputs), min_size=rows, max_size=rows))
    weights = data.draw(st.none() | st.lists(st.integers(1, 255), min_size=rows, max_size=rows))
    w = weights or [1] * rows
    shift = shift_of(sum(w)) + data.draw(st.integers(0, 6))
    found = statistics(np.array(f), np.array(y), None if weights is None else np.array(weights), shift)
    half = (1 << shift) >> 1
    # the arithmetic shift of Python's whole numbers floors, also below zero
    expected = [
        [(sum(w[r] * f[r][a] * f[r][b] for r in range(rows)) + half) >> shift for b in range(features)]
        for a in range(features)
    ]
    assert found.a.tolist() == expected
    assert found.b.tolist() == [
        [(sum(w[r] * f[r][a] * y[r][c] for r in range(rows)) + half) >> shift for c in range(outputs)]
        for a in range(features)
    ]


def test_two_hundred_thousand_rows_of_the_largest_values_are_exact() -> None:
    rows = 200_000
    features = np.full((rows, 2), 127, dtype=np.int64)
    features[1::2, 1] = -126
    shift = shift_of(255 * rows)
    found = statistics(features, features[:, :1], np.full(rows, 255, dtype=np.int64), shift)
    diagonal = 255 * (rows // 2) * (127**2 + 126**2)
    corner = 255 * (rows // 2) * (127**2 - 127 * 126)
    half = (1 << shift) >> 1
    assert found.a.tolist() == [
        [(255 * rows * 127**2 + half) >> shift, (corner + half) >> shift],
        [(corner + half) >> shift, (diagonal + half) >> shift],
    ]
    assert int(found.a.max()) <= 2**20


@pytest.mark.parametrize(("rows", "shift"), [(1, 0), (65, 0), (66, 1), (136, 2), (220, 2), (300_000, 13)])
def test_the_shift_keeps_sums_within_twenty_bits(rows: int, shift: int) -> None:
    assert shift_of(rows) == shift
    assert (127**2 * rows - 1) >> shift < 2**20


def test_noise_is_added_before_the_shift() -> None:
    features, targets = np.array([[3, 64]]), np.array([[64]])
    noise = (np.array([[1, 2], [2, 4]]), np.array([[-1], [5]]))
    found = statistics(features, targets, None, 2, noise)
    assert found.a.tolist() == [[(9 + 1 + 2) >> 2, (192 + 2 + 2) >> 2], [(192 + 2 + 2) >> 2, (4096 + 4 + 2) >> 2]]
    assert found.b.tolist() == [[(192 - 1 + 2) >> 2], [(4096 + 5 + 2) >> 2]]


def test_a_subset_in_pieces_is_the_subset_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = prepare(patient_table(tmp_path, classes=3), tmp_path / "out", seed=SEED)
    feature_map = FeatureMap.parse(map_description([ready.card]))
    rows = Rows.parse(ready.rows(0))
    weights = (2, 3, 5)
    whole = subset_statistics(rows, feature_map, weights, 3)
    row_weights = np.array(weights)[rows.targets]
    direct = statistics(feature_map.features(rows.values), feature_map.targets(rows.targets), row_weights, 3)
    monkeypatch.setattr(module, "_CELLS_AT_A_TIME", 7 * feature_map.dimension)
    pieces = subset_statistics(rows, feature_map, weights, 3)
    for other in (direct, pieces):
        assert np.array_equal(whole.a, other.a)
        assert np.array_equal(whole.b, other.b)


def test_balanced_weights_make_the_classes_count_alike(tmp_path: Path) -> None:
    card = prepare(patient_table(tmp_path), tmp_path / "out", seed=SEED).card
    assert balanced_weights([card]) == ()
    target = card.target
    assert isinstance(target, ClassTarget)
    uneven = structs.replace(card, target=structs.replace(target, counts=(216, 24)))
    weights = balanced_weights([uneven])
    assert weights == (1, 9)
    assert weighted_rows([uneven], weights) == 216 + 9 * 24
    assert weighted_rows([uneven, card], ()) == 480


def test_a_number_cannot_be_weighted_by_class(tmp_path: Path) -> None:
    from freehold.learning.table import read_table
    from tests.learning.tables import write_csv

    rows = [[index % 9, f"{index}.5"] for index in range(120)]
    table = read_table(write_csv(tmp_path, ["x", "dose"], rows), target="dose")
    card = prepare(table, tmp_path / "out", seed=SEED).card
    with pytest.raises(Invalid, match="only classes can be weighted"):
        balanced_weights([card])


def test_the_rows_of_a_class_are_counted_over_the_cards_of_all_owners(tmp_path: Path) -> None:
    card = prepare(patient_table(tmp_path), tmp_path / "out", seed=SEED).card
    target = card.target
    assert isinstance(target, ClassTarget)
    mostly_well, mostly_sick = (
        structs.replace(card, target=structs.replace(target, counts=counts)) for counts in ((216, 24), (24, 72))
    )

    assert balanced_weights([mostly_well, mostly_sick]) == (2, 5)
    assert weighted_rows([mostly_well, mostly_sick], (2, 5)) == 2 * 240 + 5 * 96
