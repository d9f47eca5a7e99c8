"""What is sealed opens for its reader and its purpose only."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.protocol import limits, sealing
from freehold.protocol.digests import T, raw
from freehold.protocol.identifiers import InstanceId, JobId, Locator, PublicKey, StoreName
from tests.protocol import hpke_reference
from tests.protocol.vectors import load, named

VECTORS = load("sealing")
PRIVATE = bytes.fromhex(VECTORS["private"])
PUBLIC = bytes.fromhex(VECTORS["public"])
EPHEMERAL = bytes.fromhex(VECTORS["ephemeral"])
INSTANCE = InstanceId("01" * 32)


def test_the_reference_gives_the_vector_of_rfc_9180() -> None:
    case = {name: bytes.fromhex(value) for name, value in VECTORS["rfc"].items()}

    sealed = hpke_reference.seal(
        case["recipient"], case["ephemeral"], case["info"], case["plaintext"], aad=case["aad"], key=16
    )

    assert sealed == case["enc"] + case["ciphertext"]


@given(st.binary(max_size=100), st.binary(max_size=64), st.binary(min_size=32, max_size=32))
def test_what_the_reference_seals_we_open(plaintext: bytes, info: bytes, ephemeral: bytes) -> None:
    sealed = hpke_reference.seal(PUBLIC, ephemeral, info, plaintext)

    assert len(sealed) == len(plaintext) + sealing.OVERHEAD
    assert sealing.unseal(PRIVATE, info, sealed) == plaintext


def test_what_we_seal_opens_for_its_reader_only() -> None:
    mine, other = sealing.new_sealing_key(), sealing.new_sealing_key()

    sealed = sealing.seal(sealing.sealing_public_key(mine), b"info", b"plaintext")

    assert sealing.unseal(mine, b"info", sealed) == b"plaintext"
    assert len(sealed) == len(b"plaintext") + sealing.OVERHEAD
    for private, info in ((other, b"info"), (mine, b"other info")):
        with pytest.raises(Invalid):
            sealing.unseal(private, info, sealed)


@pytest.mark.parametrize("case", VECTORS["locators"])
def test_a_locator_that_others_sealed_is_opened(case: dict[str, Any]) -> None:
    padded = case["plaintext"].encode("ascii").ljust(limits.LOCATOR_PLAINTEXT, b"\0")
    info = T("locator") + raw(case["subject"])

    assert hpke_reference.seal(PUBLIC, EPHEMERAL, info, padded).hex() == case["sealed"]
    assert sealing.open_locator(PRIVATE, case["subject"], case["sealed"]) == (case["store"], case["object"])


@pytest.mark.parametrize("case", named(VECTORS["refused_locators"]))
def test_a_locator_that_says_anything_else_is_invalid(case: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        sealing.open_locator(PRIVATE, case["subject"], case["sealed"])


@pytest.mark.parametrize("store", ["a", "main", "a" * 32])
def test_all_locators_have_one_length(store: str) -> None:
    public = PublicKey(PUBLIC.hex())

    locator = sealing.seal_locator(public, JobId("02" * 32), StoreName(store), "03" * 32)

    assert len(locator) == 2 * limits.LOCATOR == 1120
    assert sealing.open_locator(PRIVATE, JobId("02" * 32), locator) == (store, "03" * 32)


@pytest.mark.parametrize(("store", "name"), [("https://x", "03" * 32), ("main", "results/x"), ("", "03" * 32)])
def test_a_locator_names_an_alias_and_a_digest_and_never_a_path(store: str, name: str) -> None:
    with pytest.raises(Invalid):
        sealing.seal_locator(PublicKey(PUBLIC.hex()), INSTANCE, StoreName(store), name)


@pytest.mark.parametrize("case", VECTORS["packages"])
def test_a_package_that_others_sealed_is_opened(case: dict[str, Any]) -> None:
    package = bytes.fromhex(case["package"])
    info = T("package") + raw(case["instance"])

    assert hpke_reference.seal(PUBLIC, EPHEMERAL, info, package).hex() == case["sealed"]
    assert sealing.open_package(PRIVATE, case["instance"], bytes.fromhex(case["sealed"])) == package


def test_a_package_opens_for_its_instance_only() -> None:
    sealed = sealing.seal_package(PublicKey(PUBLIC.hex()), INSTANCE, b"package")

    assert sealing.open_package(PRIVATE, INSTANCE, sealed) == b"package"
    with pytest.raises(Invalid):
        sealing.open_package(PRIVATE, InstanceId("02" * 32), sealed)


@pytest.mark.parametrize("key", VECTORS["refused_publics"])
def test_nothing_is_sealed_to_or_agreed_with_a_key_that_everybody_can_use(key: str) -> None:
    with pytest.raises(Invalid):
        sealing.seal(bytes.fromhex(key), b"info", b"plaintext")
    with pytest.raises(Invalid):
        sealing.x25519(PRIVATE, bytes.fromhex(key))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_keys_of_another_length_are_invalid(size: int) -> None:
    with pytest.raises(Invalid):
        sealing.seal(bytes(size), b"info", b"plaintext")
    with pytest.raises(Invalid):
        sealing.unseal(bytes(size), b"info", bytes(100))


def test_a_package_beyond_the_limit_is_not_even_unsealed(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = sealing.seal_package(PublicKey(PUBLIC.hex()), INSTANCE, b"package")
    monkeypatch.setattr("freehold.protocol.limits.PACKAGE_LARGEST", 7)
    assert sealing.open_package(PRIVATE, INSTANCE, sealed) == b"package"

    monkeypatch.setattr("freehold.protocol.limits.PACKAGE_LARGEST", 6)
    # what is too large is told from what does not open, whoever sealed it and to whom
    for bytes_that_came in (sealed, bytes(len(sealed))):
        with pytest.raises(Invalid, match="at most 6 bytes"):
            sealing.open_package(PRIVATE, INSTANCE, bytes_that_came)


@settings(max_examples=50)
@given(st.binary(max_size=120))
def test_hostile_bytes_open_nothing(data: bytes) -> None:
    with pytest.raises(Invalid):
        sealing.unseal(PRIVATE, b"info", data)
    with pytest.raises(Invalid):
        sealing.open_package(PRIVATE, INSTANCE, data)
    with pytest.raises(Invalid):
        sealing.open_locator(PRIVATE, INSTANCE, Locator(data.hex()))
