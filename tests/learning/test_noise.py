"""Noise in the statistics: whole numbers, drawn alike by every replica, spread as a Gaussian."""

from __future__ import annotations

from math import exp, isqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.learning.noise import gaussian, part_digest, scale_rows, statistics_label, statistics_noise
from freehold.learning.streams import Stream

MAP, PART = b"\x0a" * 32, part_digest("all", b"")


def test_the_draws_are_spread_as_the_discrete_gaussian() -> None:
    stream = Stream(b"\x05" * 32, 0)
    drawn = np.array([gaussian(stream, 4) for _ in range(6000)])
    weights = np.array([exp(-x * x / 8) for x in range(-12, 13)])

    frequencies = np.array([(drawn == x).mean() for x in range(-12, 13)])

    assert np.abs(frequencies - weights / weights.sum()).max() < 0.015
    assert abs(drawn.mean()) < 0.1
    assert abs(drawn.var() - 4) < 0.3


@pytest.mark.parametrize("variance", [1, 2, 10**4, 27 * 90**4])
def test_the_spread_follows_the_variance(variance: int) -> None:
    stream = Stream(b"\x06" * 32, 0)
    drawn = [gaussian(stream, variance) for _ in range(600)]

    assert 0.8 < float(np.var(drawn)) / variance < 1.25
    assert max(map(abs, drawn)) < 6 * isqrt(variance) + 6


def test_the_noise_of_a_is_symmetric_and_depends_on_everything_in_the_label() -> None:
    labels = {
        statistics_label(b"\x01" * 32, MAP, (), PART, (90, 1, 1)),
        statistics_label(b"\x02" * 32, MAP, (), PART, (90, 1, 1)),
        statistics_label(b"\x01" * 32, PART, (), PART, (90, 1, 1)),
        statistics_label(b"\x01" * 32, MAP, (1, 2), PART, (90, 1, 1)),
        statistics_label(b"\x01" * 32, MAP, (), MAP, (90, 1, 1)),
        statistics_label(b"\x01" * 32, MAP, (), PART, (90, 1, 2)),
    }
    assert len(labels) == 6

    drawn = [statistics_noise(b"\x03" * 32, label, (6, 2), (10**6, 10**4)) for label in sorted(labels)]

    assert all((upper == upper.T).all() for upper, _ in drawn)
    assert len({upper.tobytes() for upper, _ in drawn}) == 6
    again = statistics_noise(b"\x03" * 32, sorted(labels)[0], (6, 2), (10**6, 10**4))
    assert (again[0] == drawn[0][0]).all()
    assert (again[1] == drawn[0][1]).all()


def test_the_part_depends_on_the_held_rows_only_where_they_matter() -> None:
    assert part_digest("all", b"\x00\x01") == part_digest("all", b"\x01\x00")
    assert part_digest("train", b"\x00\x01") != part_digest("train", b"\x01\x00")
    assert part_digest("train", b"\x00\x01") != part_digest("held", b"\x00\x01")


@settings(max_examples=60)
@given(st.lists(st.integers(-127, 127), min_size=1, max_size=40), st.integers(1, 2000))
def test_no_row_stays_longer_than_the_norm_and_short_rows_stay_as_they_are(row: list[int], norm: int) -> None:
    features = np.array([row], np.int64)

    scaled = scale_rows(features, norm)[0].tolist()

    square = sum(value * value for value in row)
    if square <= norm * norm:
        assert scaled == row
    else:
        root = isqrt(square - 1) + 1
        assert scaled == [abs(value) * norm // root * (1 if value > 0 else -1) for value in row]
        assert sum(value * value for value in scaled) <= norm * norm
