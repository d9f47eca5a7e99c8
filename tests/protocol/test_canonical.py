"""Canonical JSON: one value, one spelling, and nothing hostile gets past the reader."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.protocol import canonical
from freehold.protocol.limits import DEEPEST_NESTING, LARGEST_INTEGER
from tests.protocol.vectors import load, named

VECTORS = load("canonical")
LARGEST = 65_536

TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters='"\\'), max_size=12)
INTEGERS = st.integers(0, LARGEST_INTEGER)
SIGNED = st.integers(-LARGEST_INTEGER, LARGEST_INTEGER)


def nested(numbers: st.SearchStrategy[int], levels: int) -> st.SearchStrategy[Any]:
    """Values with at most `levels` containers in each other."""
    scalars = TEXT | numbers
    if levels == 0:
        return scalars
    inner = nested(numbers, levels - 1)
    return scalars | st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)


def objects(numbers: st.SearchStrategy[int] = INTEGERS) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(TEXT, nested(numbers, DEEPEST_NESTING), max_size=4)


@pytest.mark.parametrize("case", named(VECTORS["accepted"]))
def test_canonical_text_is_read_and_written_back(case: dict[str, Any]) -> None:
    data = case["text"].encode("ascii")

    value = canonical.decode(data, largest=LARGEST)

    assert value == json.loads(data)
    assert canonical.encode(value) == data


@pytest.mark.parametrize("case", named(VECTORS["refused"]))
def test_any_other_spelling_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        canonical.decode(case["text"].encode("utf-8", "surrogatepass"), largest=LARGEST)


@pytest.mark.parametrize("case", named(VECTORS["refused_bytes"]))
def test_bytes_that_are_no_text_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        canonical.decode(bytes.fromhex(case["bytes"]), largest=LARGEST)


@pytest.mark.parametrize("case", named(VECTORS["signed"]["accepted"]))
def test_objects_off_the_ledger_may_hold_negative_integers(case: dict[str, Any]) -> None:
    data = case["text"].encode("ascii")

    assert canonical.encode(canonical.decode(data, largest=LARGEST, signed=True), signed=True) == data


@pytest.mark.parametrize("case", named(VECTORS["signed"]["refused"]))
def test_negative_integers_have_one_spelling_and_a_limit(case: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        canonical.decode(case["text"].encode("ascii"), largest=LARGEST, signed=True)


def test_nothing_above_the_size_limit_is_parsed() -> None:
    data = b'{"a":"' + b"x" * 100 + b'"}'

    assert canonical.decode(data, largest=len(data))
    with pytest.raises(Invalid, match="at most"):
        canonical.decode(data, largest=len(data) - 1)


class Reached:
    """A parser that remembers whether anything got as far as it."""

    asked = False

    def decode(self, data: bytes, /) -> dict[str, str]:
        self.asked = True
        return {}


def test_what_is_too_large_never_reaches_the_parser() -> None:
    parser = Reached()

    with pytest.raises(Invalid, match="3 bytes of JSON, at most 2"):
        canonical.decode_record(b"{ }", parser, largest=2)

    assert not parser.asked
    assert canonical.decode_record(b"{}", parser, largest=2) == {}
    assert parser.asked


def test_a_hundred_thousand_opening_brackets_are_refused_and_do_no_harm() -> None:
    for opening in (b"[", b'{"a":'):
        with pytest.raises(Invalid):
            canonical.decode(opening * 100_000, largest=1_000_000)


@pytest.mark.parametrize(
    "value",
    [
        {"a": True},
        {"a": None},
        {"a": 1.0},
        {"a": b"bytes"},
        {"a": {1: 2}},
        {"a": -1},
        {"a": 2**53},
        {"a": "é"},
        {"a": '"'},
        {"a": "\\"},
        {"a": "\n"},
        {"a": "\ud800"},
        {"é": 1},
        {"a": {1, 2}},
        {"a": [[[[[[[1]]]]]]]},
        1.5,
        None,
    ],
    ids=repr,
)
def test_a_value_without_canonical_spelling_is_not_written(value: object) -> None:
    with pytest.raises(Invalid):
        canonical.encode(value)


def test_a_list_that_holds_itself_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)

    with pytest.raises(Invalid):
        canonical.encode(endless)


@given(objects())
def test_the_spelling_is_that_of_rfc_8785(value: dict[str, Any]) -> None:
    data = canonical.encode(value)

    assert data == rfc8785.dumps(value)
    assert canonical.decode(data, largest=len(data)) == value


@given(objects(SIGNED))
def test_the_spelling_of_signed_objects_is_that_of_rfc_8785(value: dict[str, Any]) -> None:
    data = canonical.encode(value, signed=True)

    assert data == rfc8785.dumps(value)
    assert canonical.decode(data, largest=len(data), signed=True) == value


@given(objects(), st.data())
def test_one_changed_byte_is_refused_or_makes_another_canonical_value(
    value: dict[str, Any], data: st.DataObject
) -> None:
    original = canonical.encode(value)
    position = data.draw(st.integers(0, len(original) - 1))
    changed = original[:position] + data.draw(st.binary(min_size=1, max_size=1)) + original[position + 1 :]

    try:
        read = canonical.decode(changed, largest=LARGEST)
    except Invalid:
        return
    assert rfc8785.dumps(read) == changed
    assert (read == value) == (changed == original)


@given(st.binary(max_size=200) | st.text(alphabet='{}[]":,0123456789-+.eE \\aubtrnfls', max_size=60).map(str.encode))
@example(b'{"a":1e999}')
@example(b'{"a":-0.0}')
@example(b'{"\\ud83d":1}')
def test_hostile_bytes_are_refused_and_never_raise_anything_else(data: bytes) -> None:
    try:
        value = canonical.decode(data, largest=LARGEST)
    except Invalid:
        return
    assert rfc8785.dumps(value) == data


ANYTHING = st.recursive(
    TEXT
    | st.sampled_from([":-1", ",true", "[null", "[1.5", ":1e5", ":9007199254740992", "[[[[[[[["])
    | st.integers(-(2**54), 2**54)
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)


@given(value=st.dictionaries(TEXT, ANYTHING, max_size=3), signed=st.booleans())
def test_a_glance_at_the_text_lets_nothing_pass_that_a_walk_through_the_value_finds(
    value: dict[str, Any], signed: bool
) -> None:
    text = json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")
    try:
        walked = canonical.encode(value, signed=signed) == text
    except Invalid:
        walked = False
    try:
        read = canonical.decode(text, largest=LARGEST, signed=signed) == value
    except Invalid:
        read = False

    assert read == walked
