"""Hashes, tags and the strict reading of hex."""

from __future__ import annotations

from typing import Any

import pytest

from freehold.errors import Invalid
from freehold.protocol import digests
from freehold.protocol.digests import H, T
from tests.protocol.vectors import load, named

VECTORS = load("digests")


def _fields(case: dict[str, Any]) -> list[bytes | int]:
    return [field if isinstance(field, int) else bytes.fromhex(field) for field in case["fields"]]


@pytest.mark.parametrize("case", VECTORS["tags"])
def test_a_tag_is_the_digest_of_its_name(case: dict[str, Any]) -> None:
    assert T(case["name"]).hex() == case["tag"]


@pytest.mark.parametrize("case", VECTORS["hashes"])
def test_fields_hash_under_their_purpose(case: dict[str, Any]) -> None:
    assert H(case["name"], *_fields(case)).hex() == case["digest"]


@pytest.mark.parametrize("case", named(VECTORS["refused"]))
def test_a_field_of_another_length_cannot_be_hashed(case: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        H(case["name"], *_fields(case))


@pytest.mark.parametrize("case", named(VECTORS["hkdf"]))
def test_keys_are_derived_as_rfc_5869_says(case: dict[str, Any]) -> None:
    assert digests.hkdf(bytes.fromhex(case["secret"]), bytes.fromhex(case["info"])).hex() == case["key"]


@pytest.mark.parametrize("text", VECTORS["hex_refused"])
def test_an_id_has_one_spelling(text: str) -> None:
    with pytest.raises(Invalid):
        digests.raw(text)


def test_the_same_bytes_mean_different_things_under_different_purposes() -> None:
    field = bytes(32)

    assert len({H(name, field, field) for name in ("result", "draw", "dataset", "payout")}) == 4
