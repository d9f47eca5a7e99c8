"""The network record."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.protocol.limits import NETWORK_RECORD_LARGEST
from freehold.protocol.network import NetworkRecord, network_id
from tests.protocol.vectors import load, named

VECTORS = load("network")


@pytest.mark.parametrize("case", named(VECTORS["accepted"]))
def test_a_network_record_gives_its_id_and_its_own_bytes_back(case: dict[str, Any]) -> None:
    record = NetworkRecord.parse(case["text"].encode("ascii"))

    assert record.encode() == case["text"].encode("ascii")
    assert network_id(record) == case["id"]
    assert record.is_open == ("registrar" not in case["text"])


@pytest.mark.parametrize("case", named(VECTORS["refused"]))
def test_what_is_no_network_record_is_invalid(case: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        NetworkRecord.parse(case["text"].encode())


def test_a_network_record_is_measured_before_it_is_read() -> None:
    with pytest.raises(Invalid, match="at most"):
        NetworkRecord.parse(b"{" + b" " * NETWORK_RECORD_LARGEST + b"}")


@given(st.binary(max_size=300))
def test_hostile_bytes_are_no_network(data: bytes) -> None:
    with pytest.raises(Invalid):
        NetworkRecord.parse(data)
