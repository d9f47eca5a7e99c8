"""What passes between a peer and its chaincode: read as it was written, and hostile bytes refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.ledger.fabric import messages
from freehold.ledger.fabric.messages import Call, ChaincodeEvent, ChaincodeMessage, Kind, Proposed, Skills
from freehold.ledger.protobuf import bytes_field, message_field, number_field

names = st.text(max_size=40)
events = st.builds(ChaincodeEvent, name=st.text(min_size=1, max_size=10), payload=st.binary(max_size=40))
some_messages = st.builds(
    ChaincodeMessage,
    kind=st.sampled_from(Kind),
    payload=st.binary(max_size=60),
    transaction=names,
    proposal=st.binary(max_size=60),
    event=st.none() | events,
    channel=names,
)


@given(some_messages)
def test_every_message_is_read_as_it_was_written(message: ChaincodeMessage) -> None:
    assert messages.read_message(message.encode()) == message


@given(
    st.text(min_size=1, max_size=20), st.lists(st.binary(max_size=50), max_size=9), st.integers(0, 2**50), names, names
)
def test_a_call_is_read_with_what_its_proposal_says(
    function: str, arguments: list[bytes], time: int, channel: str, chaincode: str
) -> None:
    proposed = [b"another", *arguments]
    message = ChaincodeMessage(
        kind=Kind.TRANSACTION,
        payload=messages.call(function, arguments),
        channel="here",
        proposal=messages.proposal(time, channel, chaincode, proposed),
    )

    assert messages.read_call(message) == Call(
        function=function,
        arguments=tuple(arguments),
        channel="here",
        proposed=Proposed(time=time, channel=channel, chaincode=chaincode, arguments=tuple(proposed)),
    )


@given(st.lists(st.text(max_size=20), max_size=9), st.lists(st.binary(max_size=20), max_size=9))
def test_keys_and_values_arrive_in_their_order_with_the_empty_ones(keys: list[str], values: list[bytes]) -> None:
    assert messages.read_get_states(messages.get_states(keys), 9) == keys
    assert messages.read_states(messages.states(values), len(values)) == values


@given(st.dictionaries(st.text(min_size=1, max_size=20), st.binary(min_size=1, max_size=20), max_size=9))
def test_writes_arrive_alone_and_in_batches(writes: dict[str, bytes]) -> None:
    assert messages.read_put_states(messages.put_states(writes), 9) == writes
    assert [messages.read_put_state(messages.put_state(*each)) for each in writes.items()] == list(writes.items())


def test_the_bytes_of_a_batch_are_those_that_fabric_reads() -> None:
    # One WriteRecord of ten bytes: key "a/b", value "v", type PUT_STATE.
    assert messages.put_states({"a/b": b"v"}).hex() == "0a0a0a03612f621201762809"


def test_a_peer_that_announces_nothing_takes_one_key_at_a_time() -> None:
    assert messages.read_skills(b"") == Skills(reads=1, writes=1)
    assert messages.read_skills(messages.skills(Skills(reads=7, writes=9))) == Skills(reads=7, writes=9)
    without_use = number_field(2, 1_000) + number_field(4, 1_000)
    assert messages.read_skills(without_use) == Skills(reads=1, writes=1)


@given(st.binary(max_size=200))
def test_whatever_bytes_come_they_are_a_message_or_invalid(data: bytes) -> None:
    with suppress(Invalid):
        message = messages.read_message(data)
        messages.read_call(message)
    for read in (messages.read_skills, messages.read_response, messages.read_registration, messages.read_put_state):
        with suppress(Invalid):
            read(data)


@given(some_messages, st.data())
def test_a_message_that_is_cut_off_is_invalid_or_another_one(message: ChaincodeMessage, data: st.DataObject) -> None:
    whole = message.encode()
    with suppress(Invalid):
        assert messages.read_message(whole[: data.draw(st.integers(0, len(whole) - 1))]) != message


@pytest.mark.parametrize(
    "hostile",
    [
        ChaincodeMessage(kind=Kind.TRANSACTION, payload=b"\x0a\x01x" * 100_000),
        ChaincodeMessage(kind=Kind.TRANSACTION, payload=b"\x0a\x00" * 1_000),
        ChaincodeMessage(kind=Kind.TRANSACTION, payload=messages.call("f", []), proposal=b"\x08\x01" * 2**20),
        ChaincodeMessage(kind=Kind.TRANSACTION),
        ChaincodeMessage(kind=Kind.TRANSACTION, payload=messages.call("\0", [])[:-1]),
        ChaincodeMessage(kind=Kind.TRANSACTION, payload=message_field(1, b"\xff")),
        ChaincodeMessage(kind=Kind.TRANSACTION, payload=messages.call("f", []), proposal=number_field(1, 5)),
    ],
    ids=["too large", "too many", "a large proposal", "no function", "cut off", "not UTF-8", "a number for a proposal"],
)
def test_a_hostile_call_is_invalid(hostile: ChaincodeMessage) -> None:
    with pytest.raises(Invalid):
        messages.read_call(hostile)


def test_a_name_that_is_too_long_is_invalid() -> None:
    for number in (4, 7):
        with pytest.raises(Invalid, match="name"):
            messages.read_message(bytes_field(number, b"x" * 257))


def test_an_answer_with_another_number_of_values_is_invalid() -> None:
    for values in ([], [b"a"], [b"a", b"b", b"c"]):
        with pytest.raises(Invalid):
            messages.read_states(messages.states(values), 2)
