"""Packages, their digests, and the keys that pairs of subsets share."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.protocol import digests, packages
from freehold.protocol.digests import T
from freehold.protocol.identifiers import DatasetId, NetworkId
from tests.protocol.vectors import load, named

VECTORS = load("packages")
NETWORK, DATASET = NetworkId("01" * 32), DatasetId("02" * 32)


@pytest.mark.parametrize("case", VECTORS["packages"])
def test_a_package_has_the_bytes_and_digest_of_the_annex(case: dict[str, Any]) -> None:
    rows, secret = bytes.fromhex(case["rows"]), bytes.fromhex(case["secret"])

    package = packages.pack(case["network"], case["dataset"], case["index"], secret, rows)

    assert package.hex() == case["package"]
    assert digests.sha256(package).hex() == case["digest"]
    read = packages.unpack(package)
    assert (read.network, read.dataset, read.index) == (case["network"], case["dataset"], case["index"])
    assert (read.secret, bytes(read.rows)) == (secret, rows)


@pytest.mark.parametrize("case", named(VECTORS["refused"]))
def test_what_does_not_begin_like_a_package_is_invalid(case: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        packages.unpack(bytes.fromhex(case["package"]))


def test_a_package_above_the_given_size_is_not_read() -> None:
    package = packages.pack(NETWORK, DATASET, 0, bytes(32), b"rows")

    assert packages.unpack(package, largest=len(package)).index == 0
    with pytest.raises(Invalid):
        packages.unpack(package, largest=len(package) - 1)


def test_a_package_that_nobody_may_read_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    largest = packages.pack(NETWORK, DATASET, 0, bytes(32), b"rows")
    monkeypatch.setattr("freehold.protocol.limits.PACKAGE_LARGEST", len(largest))

    assert packages.pack(NETWORK, DATASET, 0, bytes(32), b"rows") == largest
    with pytest.raises(Invalid, match="at most"):
        packages.pack(NETWORK, DATASET, 0, bytes(32), b"rows!")


def test_the_rows_of_a_large_package_are_read_without_a_copy() -> None:
    package = packages.pack(NETWORK, DATASET, 0, bytes(32), bytes(20_000_000))

    tracemalloc.start()
    rows = packages.unpack(package).rows
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(rows) == 20_000_000
    assert peak < 100_000


def test_a_package_without_a_whole_secret_is_not_made() -> None:
    with pytest.raises(Invalid):
        packages.pack(NETWORK, DATASET, 0, bytes(31), b"rows")


@pytest.mark.parametrize("case", VECTORS["mask_keys"])
def test_a_mask_key_follows_from_the_packages_secret(case: dict[str, Any]) -> None:
    secret = bytes.fromhex(case["secret"])

    assert packages.mask_public(secret, case["dataset"], case["index"]).hex() == case["public"]


@pytest.mark.parametrize("case", VECTORS["pairs"])
def test_both_subsets_of_a_pair_find_the_same_key(case: dict[str, Any]) -> None:
    first, second = (bytes.fromhex(secret) for secret in case["secrets"])
    i, j = case["indexes"]
    info = T("mask") + bytes.fromhex(case["label"])

    mine = packages.pair_secret(
        packages.mask_private(first, case["dataset"], i), packages.mask_public(second, case["dataset"], j)
    )
    theirs = packages.pair_secret(
        packages.mask_private(second, case["dataset"], j), packages.mask_public(first, case["dataset"], i)
    )

    assert mine == theirs
    assert digests.hkdf(mine, info).hex() == case["key"]


@pytest.mark.parametrize("key", VECTORS["good_mask_keys"])
def test_an_ordinary_mask_key_is_good(key: str) -> None:
    assert packages.is_good_mask_key(key)


@pytest.mark.parametrize("case", named(VECTORS["bad_mask_keys"]))
def test_a_mask_key_that_unmasks_its_subset_is_bad(case: dict[str, Any]) -> None:
    assert not packages.is_good_mask_key(case["key"])


@pytest.mark.parametrize("key", sorted(packages.LOW_ORDER_MASK_KEYS))
def test_no_secret_is_shared_with_any_of_the_seven_low_order_keys(key: str) -> None:
    with pytest.raises(Invalid):
        packages.pair_secret(bytes([9]) * 32, bytes.fromhex(key))


@given(st.binary(max_size=200))
def test_hostile_bytes_are_no_package(data: bytes) -> None:
    with pytest.raises(Invalid):
        packages.unpack(data)
