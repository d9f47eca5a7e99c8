"""Records: their keys, their bytes, and that they cannot be altered in place."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.protocol import assets, limits
from freehold.protocol.records import Record
from tests.protocol.vectors import load, named

VECTORS = load("records")


@pytest.mark.parametrize("case", VECTORS["accepted"], ids=lambda case: case["kind"])
def test_a_record_is_read_and_written_back_under_its_key(case: dict[str, Any]) -> None:
    data = case["text"].encode("ascii")

    record = assets.decode(case["kind"], data)

    assert type(record) is assets.KINDS[case["kind"]]
    assert assets.encode(record) == data
    assert assets.as_dict(record) == json.loads(data)
    assert assets.key(case["kind"], case["id"]) == case["key"]


@pytest.mark.parametrize("case", named(VECTORS["refused"]))
def test_what_is_no_record_of_its_kind_is_invalid(case: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        assets.decode(case["kind"], case["text"].encode("ascii"))


def test_every_kind_of_record_has_a_vector() -> None:
    assert {case["kind"] for case in VECTORS["accepted"]} == set(assets.KINDS)


def test_a_record_changes_by_becoming_another_one() -> None:
    account = assets.Account(free=5)

    richer = assets.with_changes(account, free=7)

    assert (account.free, richer.free) == (5, 7)
    with pytest.raises(AttributeError):
        account.free = 9  # type: ignore[misc]


def test_an_optional_field_appears_with_its_cause_and_can_be_taken_away() -> None:
    case = next(case for case in VECTORS["accepted"] if case["kind"] == "job")
    job = assets.decode("job", case["text"].encode("ascii"))

    committed = assets.with_changes(job, commitment="01" * 32)

    assert b"commitment" not in assets.encode(job)
    assert b"commitment" in assets.encode(committed)
    assert assets.encode(assets.with_changes(committed, commitment=None)) == assets.encode(job)


def test_no_record_is_written_with_a_number_that_canonical_json_lacks() -> None:
    for free in (-1, 2**53):
        with pytest.raises(Invalid):
            assets.encode(assets.Account(free=free))


def test_a_record_above_the_limit_is_not_read() -> None:
    subset = {"dataset": "", "digest": "", "index": 0, "mask_key": "x" * limits.RECORD_LARGEST, "slots": []}

    with pytest.raises(Invalid, match="at most"):
        assets.decode("subset", json.dumps(subset, separators=(",", ":")).encode())


def test_only_fields_that_may_be_absent_have_a_default() -> None:
    records: tuple[type[Record], ...] = (*assets.KINDS.values(), assets.Terms, assets.Slot, assets.Part)

    for record in records:
        assert all(field.required or field.default is None for field in msgspec.structs.fields(record)), record


@given(
    st.sampled_from(sorted(assets.KINDS)), st.binary(max_size=60) | st.text('{}[]":,09a-', max_size=40).map(str.encode)
)
def test_hostile_bytes_are_no_record(kind: str, data: bytes) -> None:
    with pytest.raises(Invalid):
        assert isinstance(assets.decode(kind, data), Record)
