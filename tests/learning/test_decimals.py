"""Number text becomes integers by one exact rule, read one by one or a column at a time."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.learning.decimals import (
    LARGEST_FIXED,
    MOST_DIGITS,
    digits_used,
    fixed_point,
    half_units,
    is_number,
    number_text,
    read_columns,
    read_decimals,
    to_fixed_point,
)

DIGITS = st.text("0123456789", min_size=1, max_size=31)
NUMBERS = st.from_regex(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?", fullmatch=True).filter(
    lambda text: text.isascii()
)
TEXTS = NUMBERS | st.text("0123456789+-.eE,_ N", max_size=12) | st.sampled_from(["", "NA", "NaN", "nan", "null", "?"])


def exactly(text: str, digits: int) -> int:
    """The rule as the annex writes it, on fractions."""
    value = floor(Fraction(text) * Fraction(10) ** digits + Fraction(1, 2))
    return max(-LARGEST_FIXED, min(LARGEST_FIXED, value))


def test_halves_go_up_also_below_zero() -> None:
    assert fixed_point("1.005", 2) == 101
    assert fixed_point("-1.005", 2) == -100
    assert [fixed_point(text, 0) for text in ("-1.5", "-0.5", "0.5", "1.5")] == [-1, 0, 1, 2]


@given(NUMBERS, st.integers(0, MOST_DIGITS))
@example("99999999999999999999", 9)
@example("-1e-99", 9)
@example("2147483647.5", 0)
@example("4611686018427387904", 0)
def test_a_number_is_rounded_from_its_exact_value(text: str, digits: int) -> None:
    assert fixed_point(text, digits) == exactly(text, digits)


@given(st.lists(TEXTS, max_size=40), st.integers(0, MOST_DIGITS))
@example(["1" * 17, "9" * 18 + ".5", "0." + "0" * 20 + "1", "-" + "9" * 30 + "e99"], 3)
@example(["0.1234567890123456789", "12345678901234567e-8", "7e17", "1e-30"], 9)
def test_a_column_is_read_like_its_texts_one_by_one(texts: list[str], digits: int) -> None:
    read = read_decimals(texts)
    assert [bool(flag) for flag in read.numbers] == [is_number(text) for text in texts]
    assert [bool(flag) for flag in read.missing] == [text in {"", "NA", "NaN", "nan", "null", "?"} for text in texts]
    numbers = [text for text in texts if is_number(text)]
    assert to_fixed_point(read.half_units[read.numbers], digits).tolist() == [exactly(text, digits) for text in numbers]


@given(st.integers(1, 5).flatmap(lambda rows: st.lists(st.lists(TEXTS, min_size=rows, max_size=rows), max_size=6)))
def test_columns_that_are_read_together_are_read_like_each_alone(columns: list[list[str]]) -> None:
    for texts, together in zip(columns, read_columns(columns), strict=True):
        alone = read_decimals(texts)
        for name in ("half_units", "numbers", "missing", "padded"):
            assert getattr(together, name).tolist() == getattr(alone, name).tolist()


@pytest.mark.parametrize(
    "text", ["1,5", "1_000", ".5", "5.", "inf", "0x10", " 1", "1 ", "1e", "1e100", "--1", "٣", "1" * 31, ""]
)
def test_what_is_not_plainly_a_number_is_none(text: str) -> None:
    assert not is_number(text)
    assert not read_decimals([text]).numbers[0]
    with pytest.raises(Invalid):
        half_units(text)


def test_a_code_with_leading_zeros_is_noticed() -> None:
    assert read_decimals(["01067", "0.5", "0", "10"]).padded.tolist() == [True, False, False, False]


@given(st.integers(-LARGEST_FIXED, LARGEST_FIXED), st.integers(0, MOST_DIGITS))
def test_the_text_of_a_fixed_point_number_reads_back(value: int, digits: int) -> None:
    assert fixed_point(number_text(value, digits), digits) == value


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=20), st.integers(0, MOST_DIGITS))
def test_the_digits_of_a_column_are_the_fewest_that_lose_nothing(values: list[int], digits: int) -> None:
    texts = [number_text(value, digits) for value in values]
    used = digits_used(np.array([half_units(text) for text in texts]))
    with localcontext() as context:
        context.prec = 60
        for text in texts:
            assert Decimal(text).scaleb(used) == Decimal(text).scaleb(used).to_integral_value(ROUND_FLOOR)
    assert used == 0 or any(Decimal(text).scaleb(used - 1) % 1 for text in texts)
