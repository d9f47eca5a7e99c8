"""The one rule for signatures, and that every path through the code keeps it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.protocol import signatures
from tests.protocol import ed25519_reference as reference
from tests.protocol.vectors import load, named

VECTORS = load("signatures")
ADMISSIONS = load("admissions")
EIGHT = reference.torsion()


def _bytes(case: dict[str, Any]) -> tuple[bytes, bytes, bytes]:
    return bytes.fromhex(case["key"]), bytes.fromhex(case["message"]), bytes.fromhex(case["signature"])


@pytest.mark.parametrize("case", named(VECTORS["cases"]))
def test_the_rule_decides_each_case(case: dict[str, Any]) -> None:
    assert signatures.verify(*_bytes(case)) is case["accepted"]


@pytest.mark.parametrize("case", named(VECTORS["cases"]))
def test_the_slow_reference_decides_each_case_alike(case: dict[str, Any]) -> None:
    assert reference.verify(*_bytes(case)) is case["accepted"]


@pytest.mark.parametrize("case", named(VECTORS["cases"]))
def test_the_rule_stays_when_libsodium_checks_another_equation(
    case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signatures, "_libsodium_holds_the_equation_itself", lambda: False)

    assert signatures.verify(*_bytes(case)) is case["accepted"]


@pytest.mark.parametrize("case", named(VECTORS["cases"]))
def test_what_the_form_already_shows_never_reaches_a_library(
    case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even a library that accepts everything makes no forgery of small order, second spelling or large S acceptable."""
    monkeypatch.setattr(signatures, "_libsodium_accepts", lambda key, message, signature: True)
    monkeypatch.setattr(signatures, "_libsodium_holds_the_equation_itself", lambda: True)

    assert signatures.verify(*_bytes(case)) is (case.get("fails") != "form")


@pytest.mark.parametrize("case", VECTORS["signed"])
def test_a_seed_signs_as_rfc_8032_says(case: dict[str, Any]) -> None:
    seed = bytes.fromhex(case["seed"])

    assert signatures.public_key(seed).hex() == case["key"]
    assert signatures.sign(seed, bytes.fromhex(case["message"])).hex() == case["signature"]


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_seed_of_another_length_signs_nothing(size: int) -> None:
    with pytest.raises(Invalid):
        signatures.sign(bytes(size), b"message")
    with pytest.raises(Invalid):
        signatures.public_key(bytes(size))


def test_the_points_of_small_order_are_the_ones_that_the_code_names() -> None:
    eight = [reference.encode(point) for point in EIGHT]

    assert len(set(eight)) == 8
    assert {int.from_bytes(point, "little") & (2**255 - 1) for point in eight} == signatures._SMALL_ORDER


@settings(max_examples=60, deadline=None)
@given(
    secret=st.integers(1, reference.L - 1),
    nonce=st.integers(1, reference.L - 1),
    key_torsion=st.integers(0, 7),
    nonce_torsion=st.integers(0, 7),
    message=st.binary(max_size=8),
)
def test_mixed_keys_and_commitments_are_judged_as_the_reference_judges_them(
    secret: int, nonce: int, key_torsion: int, nonce_torsion: int, message: bytes
) -> None:
    """Signatures that always fulfil eight times the equation, and the equation itself now and then."""
    key = reference.encode(reference.add(reference.multiply(secret, reference.BASE), EIGHT[key_torsion]))
    commitment = reference.encode(reference.add(reference.multiply(nonce, reference.BASE), EIGHT[nonce_torsion]))
    s = (nonce + reference.challenge(key, commitment, message) * secret) % reference.L
    signature = commitment + s.to_bytes(32, "little")

    expected = reference.verify(key, message, signature)

    assert signatures.verify(key, message, signature) is expected
    assert signatures._openssl_accepts(key, message, signature) is expected


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=70))
def test_random_bytes_are_no_signature_and_raise_nothing(key: bytes, message: bytes, signature: bytes) -> None:
    assert not signatures.verify(key, message, signature)


@pytest.mark.parametrize("case", ADMISSIONS["accepted"])
def test_the_registrar_admits_one_member_under_one_handle_until_one_time(case: dict[str, Any]) -> None:
    admission = {name: case[name] for name in ("network", "member", "handle", "until")}

    assert signatures.sign_admission(bytes.fromhex(case["seed"]), **admission) == case["signature"]
    assert signatures.verify_admission(case["registrar"], **admission, signature=case["signature"])


@pytest.mark.parametrize("case", named(ADMISSIONS["refused"]))
def test_an_admission_is_worth_nothing_elsewhere(case: dict[str, Any]) -> None:
    arguments = {name: value for name, value in case.items() if name != "what"}

    assert not signatures.verify_admission(**arguments)
