"""The split obeys R1 and R2, keeps groups together, and refuses what cannot be with the reason."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.learning.splitter import Parts, fewest_subsets, split_rows
from tests.learning.tables import SEED


def split(labels: list[int], subsets: int, groups: list[int] | None = None, seed: bytes = SEED) -> Parts:
    names = [f"class {label}" for label in range(max(labels) + 1)]
    known = None if groups is None else np.array(groups)
    return split_rows(np.array(labels, dtype=np.int64), names, known, subsets, seed)


def counts(labels: list[int], parts: Parts) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    classes = max(labels) + 1
    return np.array([np.bincount(np.array(labels)[rows], minlength=classes) for rows in parts.subsets])


def require_rules(labels: list[int], parts: Parts) -> None:
    table = counts(labels, parts)
    assert not np.any(np.all(table > 0, axis=1)), "R1"
    assert not np.any(2 * table > table.sum(axis=0)), "R2"
    assert np.all(table.sum(axis=1) > 0)
    everything = np.concatenate([*parts.subsets, parts.left_out])
    assert sorted(everything.tolist()) == list(range(len(labels)))


def test_the_fewest_subsets_are_those_of_the_protocol() -> None:
    assert [fewest_subsets(classes) for classes in (2, 3, 4, 5, 10, 100)] == [4, 3, 3, 3, 3, 3]


@given(st.data())
@settings(max_examples=120)
def test_every_split_obeys_the_rules_and_loses_at_most_a_row_per_class(data: st.DataObject) -> None:
    classes = data.draw(st.integers(2, 7))
    subsets = data.draw(st.integers(fewest_subsets(classes), 12))
    sizes = data.draw(st.lists(st.integers(subsets, 60), min_size=classes, max_size=classes))
    labels = [label for label, size in enumerate(sizes) for _ in range(size)]
    parts = split(labels, subsets, seed=data.draw(st.binary(min_size=32, max_size=32)))
    require_rules(labels, parts)
    assert len(parts.left_out) <= classes
    # gentle: each subset lacks one class only, and the holders of a class hold alike
    table = counts(labels, parts)
    if classes > 2:
        assert np.all((table == 0).sum(axis=1) == 1)
    for column in table.T:
        assert column.max() - column[column > 0].min() <= 1


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_rows_of_one_group_stay_together(data: st.DataObject) -> None:
    classes = data.draw(st.integers(2, 5))
    subsets = data.draw(st.integers(fewest_subsets(classes) + 2, 10))
    labels, groups = [], []
    for group in range(data.draw(st.integers(60, 90))):
        first = group % classes
        second = (first + data.draw(st.integers(0, 1))) % classes if classes > 2 else first
        for row in range(data.draw(st.integers(1, 4))):
            labels.append(second if row == 2 else first)
            groups.append(group)
    assume(min(np.bincount(labels, minlength=classes)) >= subsets)
    parts = split(labels, subsets, groups)
    require_rules(labels, parts)
    homes = (*parts.subsets, parts.left_out)
    for group in set(groups):
        rows = [row for row, of in enumerate(groups) if of == group]
        assert sum(bool(set(rows) & set(home.tolist())) for home in homes) == 1


def test_the_same_seed_gives_the_same_split_and_another_seed_another() -> None:
    labels = [index % 3 for index in range(300)]
    first, again, other = split(labels, 4), split(labels, 4), split(labels, 4, seed=bytes(32))
    assert all(np.array_equal(one, two) for one, two in zip(first.subsets, again.subsets, strict=True))
    assert not all(np.array_equal(one, two) for one, two in zip(first.subsets, other.subsets, strict=True))


def test_two_holders_of_an_odd_class_hold_exactly_half_each_and_one_row_is_left_out() -> None:
    labels = [0] * 357 + [1] * 212
    parts = split(labels, 4)
    assert sorted(counts(labels, parts).sum(axis=1).tolist()) == [106, 106, 178, 178]
    assert len(parts.left_out) == 1


def test_subsets_are_shared_out_by_the_sizes_of_two_classes() -> None:
    table = counts(labels := [0] * 900 + [1] * 100, split(labels, 10))
    assert (table[:, 0] > 0).sum() == 8
    assert (table[:, 1] > 0).sum() == 2


@pytest.mark.parametrize(
    ("labels", "subsets", "groups", "what"),
    [
        ([0, 1] * 50, 3, None, "2 classes cannot be split into 3 subsets"),
        ([0, 1, 2] * 50, 2, None, "3 classes cannot be split into 2 subsets"),
        ([0] * 50 + [1] * 2, 4, None, "class 1 has 2 rows: too few for 4 subsets"),
        ([0] * 50, 4, None, "one class only"),
        ([0, 1] * 50, 4, [row // 10 for row in range(100)], "10 of 10 groups hold rows of both classes"),
        ([0, 1, 2] * 20, 4, [row // 3 for row in range(60)], "20 of 20 groups hold rows of every class"),
        (
            [0] * 60 + [1] * 60,
            4,
            [row // 40 for row in range(60)] + [9 + row for row in range(60)],
            "one group holds 40",
        ),
        ([0] * 60 + [1] * 60, 4, [row // 20 for row in range(60)] + [9 + row for row in range(60)], "no split into 4"),
    ],
)
def test_the_impossible_is_refused_with_the_reason(
    labels: list[int], subsets: int, groups: list[int] | None, what: str
) -> None:
    with pytest.raises(Invalid, match=what) as caught:
        split(labels, subsets, groups)
    assert caught.value.next
