"""Actions: signed once, read one way, and nothing hostile passes the first step of the refusals."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import Invalid, Refused
from freehold.protocol import actions, canonical, envelope, limits
from freehold.protocol.identifiers import MemberId, NetworkId
from tests.protocol.vectors import load, named

VECTORS = load("actions")
ACCEPTED = VECTORS["accepted"]
ARGUMENTS = {case["function"]: case["arguments"] for case in load("arguments")["accepted"]}
SEED = bytes([2]) * 32


def _sign(case: dict[str, Any], arguments: Any) -> bytes:
    return envelope.sign_action(
        bytes.fromhex(case["seed"]),
        network=case["network"],
        function=case["function"],
        member=case["member"],
        time=case["time"],
        arguments=arguments,
    )


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case["function"])
def test_a_member_signs_the_bytes_that_the_annex_gives(case: dict[str, Any]) -> None:
    action = bytes.fromhex(case["action"])

    assert _sign(case, case["arguments"]) == action
    assert _sign(case, actions.parse(case["function"], case["arguments"])) == action
    assert envelope.action_digest(action) == case["digest"] == hashlib.sha256(action).hexdigest()


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case["function"])
def test_an_action_is_opened_into_what_was_signed(case: dict[str, Any]) -> None:
    action = bytes.fromhex(case["action"])

    opened = envelope.open_action(action)

    assert (opened.raw, opened.key) == (action, action[:32].hex())
    assert (opened.function, opened.member, opened.network, opened.time) == (
        case["function"],
        case["member"],
        case["network"],
        case["time"],
    )
    assert actions.encode(opened.arguments) == case["arguments"]


@pytest.mark.parametrize("case", named(VECTORS["refused"]))
def test_a_broken_action_is_refused_with_the_code_of_its_first_fault(case: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        envelope.open_action(bytes.fromhex(case["action"]))

    assert refused.value.code == case["code"]


def test_a_signature_that_was_checked_elsewhere_is_not_checked_again() -> None:
    action = bytearray.fromhex(ACCEPTED[0]["action"])
    action[40] ^= 1
    forged = bytes(action)

    with pytest.raises(Refused, match="signature"):
        envelope.check_signature(forged)
    assert envelope.open_action(forged, signature_checked=True).function == "Deposit"


@pytest.mark.parametrize("position", range(0, 96 + 361, 7))
def test_any_flipped_byte_makes_an_action_malformed(position: int) -> None:
    action = bytearray.fromhex(ACCEPTED[0]["action"])
    action[position] ^= 0x20

    with pytest.raises(Refused) as refused:
        envelope.open_action(bytes(action))
    assert refused.value.code == "malformed"


@pytest.mark.parametrize("function", sorted(actions.FUNCTIONS))
def test_no_function_is_so_harmless_that_its_signature_goes_unread(function: str) -> None:
    action = bytearray(_sign({**ACCEPTED[0], "function": function}, ARGUMENTS[function]))
    assert envelope.open_action(bytes(action)).function == function

    action[40] ^= 1
    with pytest.raises(Refused, match="signature") as refused:
        envelope.open_action(bytes(action))
    assert refused.value.code == "malformed"


def test_an_action_of_the_largest_size_is_read_and_one_byte_more_is_not() -> None:
    empty = len(envelope.sign_body(SEED, canonical.encode({"a": ""})))
    largest = envelope.sign_body(SEED, canonical.encode({"a": "x" * (limits.ACTION_LARGEST - empty)}))
    larger = envelope.sign_body(SEED, canonical.encode({"a": "x" * (limits.ACTION_LARGEST - empty + 1)}))

    assert len(largest) == limits.ACTION_LARGEST
    envelope.check_signature(largest)
    with pytest.raises(Refused, match="12289"):
        envelope.check_signature(larger)


def test_what_has_no_canonical_spelling_cannot_be_signed() -> None:
    with pytest.raises(Invalid):
        envelope.sign_action(
            SEED,
            network=NetworkId("01" * 32),
            function="Deposit",
            member=MemberId("02" * 32),
            time=-1,
            arguments={},
        )


@given(st.binary(max_size=400))
def test_hostile_bytes_are_malformed_and_never_raise_anything_else(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        envelope.open_action(data)
    assert refused.value.code == "malformed"


VALUES = st.recursive(
    st.integers(0, 2**53 - 1) | st.text("0a-", max_size=4) | st.just("01" * 32),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["handle", "until", "m"]), inner),
    max_leaves=6,
)


@given(st.sampled_from(sorted(actions.FUNCTIONS)), st.data())
def test_a_well_signed_body_with_wild_arguments_is_read_or_refused_by_code(function: str, data: st.DataObject) -> None:
    fields = actions.FUNCTIONS[function].__struct_fields__
    body = {
        "arguments": data.draw(st.dictionaries(st.sampled_from(fields), VALUES) | VALUES),
        "function": function,
        "member": "01" * 32,
        "network": "02" * 32,
        "time": 0,
    }
    try:
        action = envelope.sign_body(SEED, canonical.encode(body))
    except Invalid:
        return
    try:
        outcome = actions.encode(envelope.open_action(action).arguments)
    except Refused as refused:
        outcome = {"refused": refused.code}

    assert outcome in (body["arguments"], {"refused": "malformed"}, {"refused": "limit"})
