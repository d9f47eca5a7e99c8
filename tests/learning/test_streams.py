"""Streams: every team draws the same numbers, and no stream ever runs dry."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.learning.parameters import PRIMES
from freehold.learning.streams import Stream, key_of
from freehold.protocol.digests import T, hkdf
from tests.learning.stream_reference import ReferenceStream

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "training-streams.json").read_text())["streams"]
ZERO_KEY = bytes(32)


def digest(values: Iterable[int]) -> str:
    return hashlib.sha256(b"".join((value % 2**128).to_bytes(16, "little") for value in values)).hexdigest()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['key'][:2]}/{vector['index']}")
def test_every_sampler_draws_the_vectors_numbers(vector: dict[str, Any]) -> None:
    def stream() -> Stream:
        return Stream(bytes.fromhex(vector["key"]), vector["index"])

    assert stream().read(16).hex() == vector["begins"]
    for sampler, values in (
        ("ternary", stream().ternary(8192).tolist()),
        ("errors", stream().errors(8192).tolist()),
        ("flood", stream().floods(64)),
    ):
        expected = vector[sampler]
        first = [int(value) for value in expected["first"]]
        assert values[: len(first)] == first
        assert len(values) == expected["count"]
        assert digest(values) == expected["digest"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['key'][:2]}/{vector['index']}")
def test_one_by_one_and_all_at_once_are_the_same_numbers(vector: dict[str, Any]) -> None:
    for case in vector["below"]:
        bound, key, index = int(case["bound"]), bytes.fromhex(vector["key"]), vector["index"]
        slow = Stream(key, index)
        singles = [slow.below(bound) for _ in range(case["count"])]

        assert [str(value) for value in singles[:3]] == case["first"]
        assert digest(singles) == case["digest"]
        if bound > 1:
            assert Stream(key, index).uniform(bound, case["count"]).tolist() == singles


@given(bound=st.integers(2, 2**63), count=st.integers(0, 40), more=st.integers(0, 40))
def test_a_sampler_reads_exactly_what_it_needs_however_much_it_rejects(bound: int, count: int, more: int) -> None:
    stream, reference = Stream(ZERO_KEY, 3), ReferenceStream(ZERO_KEY, 3)

    assert stream.uniform(bound, count).tolist() == [reference.below(bound) for _ in range(count)]
    assert stream.ternary(more).tolist() == [reference.ternary() for _ in range(more)]
    assert stream.below(1) == 0
    assert stream.uniform(bound, more).tolist() == [reference.below(bound) for _ in range(more)]
    assert stream.floods(2) == [reference.flood() for _ in range(2)]
    assert stream.errors(8).tolist() == reference.errors(8)
    assert stream.words(3).tolist() == [reference.below(2**64) for _ in range(3)]


@pytest.mark.parametrize("prime", PRIMES)
def test_a_mask_that_continues_behind_another_is_one_draw(prime: int) -> None:
    whole = Stream(ZERO_KEY, 0).uniform(prime, 8192 + 320)
    parts = Stream(ZERO_KEY, 0)

    assert parts.uniform(prime, 8192).tolist() == whole[:8192].tolist()
    assert parts.uniform(prime, 320).tolist() == whole[8192:].tolist()


def test_streams_of_other_keys_indexes_and_purposes_have_nothing_in_common() -> None:
    begins = {Stream(key, index).read(16) for key in (ZERO_KEY, b"\x01" * 32) for index in (0, 1, 2**32)}
    keys = {key_of(purpose, ZERO_KEY, ZERO_KEY) for purpose in ("mask", "envelope", "rerand-u", "rerand-e0")}

    assert len(begins) == 6
    assert len(keys) == 4
    assert key_of("mask", b"\x05" * 32, b"\x06" * 32) == hkdf(b"\x05" * 32, T("mask") + b"\x06" * 32)


def test_what_cannot_be_drawn_is_said() -> None:
    with pytest.raises(Invalid):
        Stream(ZERO_KEY, 0).below(0)
    with pytest.raises(Invalid):
        Stream(ZERO_KEY, 0).errors(3)
    with pytest.raises(Invalid):
        Stream(ZERO_KEY, -1)
