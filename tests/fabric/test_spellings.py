"""A client spells what it sends in its own way, as Fabric allows: every node reads the same, and none is stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.ledger.fabric import lenient, messages
from freehold.ledger.fabric.clock import KEY
from freehold.ledger.fabric.derived import derive
from freehold.ledger.fabric.endorsements import Endorsers
from freehold.ledger.fabric.envelope import Proposal, propose
from freehold.ledger.fabric.transactions import FabricBlock, read_block, read_call, transaction_id
from freehold.ledger.protobuf import bytes_field, fields, message_field, number_field, octets, varint
from tests.engines.notebook import note
from tests.fabric.channel import PLACE, block_bytes, read_write_set, transaction
from tests.fabric.organisations import authorities, endorsers
from tests.fabric.test_derived import CLOCK, TIME, WHO, envelope

ACTION = note("one", "hello")
ENVELOPE = envelope(ACTION)
UNKNOWN = bytes_field(77, b"unknown") + number_field(78, 5)
GROUP = varint(9 << 3 | 3) + message_field(1, b"inside") + varint(9 << 3 | 4)
OTHER_KIND = varint(1 << 3 | 1) + b"12345678"
"""A field of eight bytes under the number 1."""


def parts(message: bytes) -> dict[int, bytes]:
    return {number: octets(value) for number, value in fields(message)}


def respelled(change: Callable[[bytes], bytes], *path: int) -> bytes:
    """The envelope with the message at a path spelled otherwise."""

    def inner(message: bytes, rest: tuple[int, ...]) -> bytes:
        if not rest:
            return change(message)
        return b"".join(
            message_field(number, inner(octets(value), rest[1:]) if number == rest[0] else octets(value))
            for number, value in fields(message)
        )

    return inner(ENVELOPE, path)


def split(message: bytes, number: int) -> bytes:
    """A message in which a message of this number stands in two parts."""
    out = b""
    for each, value in fields(message):
        inner = octets(value)
        if each != number:
            out += message_field(each, inner)
            continue
        pieces = [message_field(field, octets(piece)) for field, piece in fields(inner)]
        out += message_field(each, pieces[0]) + message_field(each, b"".join(pieces[1:]))
    return out


def block(*envelopes: bytes) -> FabricBlock:
    return read_block(block_bytes(7, b"\x01" * 32, envelopes, [0] * len(envelopes)))


PATHS = {
    "envelope": (),
    "payload": (1,),
    "header": (1, 1),
    "transaction": (1, 2),
    "action": (1, 2, 1),
    "action payload": (1, 2, 1, 2),
    "endorsed action": (1, 2, 1, 2, 2),
}


@pytest.mark.parametrize("extra", [UNKNOWN, GROUP, OTHER_KIND], ids=["unknown", "a group", "of another kind"])
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
def test_what_nobody_knows_is_passed_over_wherever_a_client_puts_it(path: tuple[int, ...], extra: bytes) -> None:
    for change in (lambda message: message + extra, lambda message: extra + message):
        said = respelled(change, *path)

        assert read_call(said, PLACE.channel) == read_call(ENVELOPE, PLACE.channel)
        assert transaction_id(said) == transaction_id(ENVELOPE)


@pytest.mark.parametrize(("path", "number"), [((1,), 1), ((1, 2, 1, 2), 2)], ids=["header", "endorsed action"])
def test_a_message_in_two_parts_is_one(path: tuple[int, ...], number: int) -> None:
    said = respelled(lambda message: split(message, number), *path)

    assert said != ENVELOPE
    assert read_call(said, PLACE.channel) == read_call(ENVELOPE, PLACE.channel)


def test_the_header_of_the_call_is_what_was_endorsed_and_the_payloads_may_be_spelled_otherwise() -> None:
    said = respelled(lambda header: header + GROUP, 1, 1, 2)

    assert read_call(said, PLACE.channel) == read_call(ENVELOPE, PLACE.channel)
    with pytest.raises(Invalid, match="another proposal"):
        read_call(respelled(lambda header: header + GROUP, 1, 2, 1, 1), PLACE.channel)


def test_endorsements_without_number_stop_nobody() -> None:
    def crowded(done: bytes) -> bytes:
        return message_field(2, b"") * 5_000 + message_field(2, bytes_field(1, b"\xff")) + done

    ((made,), _) = derive(block(respelled(crowded, 1, 2, 1, 2, 2)), PLACE, Endorsers(authorities()), CLOCK)

    assert made.contents.actions == (ACTION,)


def foreign(proposal: Proposal, results: bytes) -> bytes:
    return bytes_field(1, transaction(proposal, results, b"", chaincode="other", by=()))


def test_whatever_others_call_and_write_elsewhere_stops_nobody() -> None:
    place = replace(PLACE, chaincode="other")
    strange = [
        foreign(propose(WHO, place, [b"x"] * 1_000, TIME), b""),
        foreign(propose(WHO, place, [b"x"], -(2**60)), b""),
        foreign(propose(WHO, place, [b"x"], 2**60), b"".join(read_write_set({}, f"n{n}") for n in range(200))),
        foreign(propose(WHO, place, [], TIME), read_write_set({f"k{n}": b"" for n in range(5_000)}, "other")),
    ]
    reading = envelope(
        ACTION, arguments=[b"read", b"a"], results=read_write_set({}, reads={KEY: CLOCK.version}), payload=b""
    )

    (made,), clock = derive(block(*strange, reading, ENVELOPE), PLACE, Endorsers(authorities()), CLOCK)

    assert (made.contents.actions, clock) == ((ACTION,), CLOCK)


def test_the_chaincode_that_a_peer_calls_is_the_one_in_the_header_of_the_proposal() -> None:
    """Another one passes the call on, and the client calls it by our name where no peer looks."""
    theirs = propose(WHO, replace(PLACE, chaincode="other"), [b"execute", ACTION], TIME)
    ours = propose(WHO, PLACE, [b"execute", ACTION], TIME)
    header, payload = parts(parts(theirs.signed)[1])[1], parts(parts(ours.signed)[1])[2]

    proposed = messages.read_proposal(bytes_field(1, bytes_field(1, header) + bytes_field(2, payload)))

    assert (proposed.chaincode, proposed.arguments) == ("other", (b"execute", ACTION))


@given(st.binary(max_size=60))
def test_hostile_bytes_are_invalid_or_read_and_nothing_else(data: bytes) -> None:
    for read in (lenient.last, lenient.merged, lenient.repeated, lenient.whole):
        try:
            read(data, 1)
        except Invalid:
            continue


def test_groups_may_lie_in_one_another_and_have_to_end() -> None:
    begin, end = varint(9 << 3 | 3), varint(9 << 3 | 4)
    inside = begin + begin + bytes_field(1, b"no") + end + number_field(1, 9) + end

    assert lenient.last(bytes_field(1, b"yes") + inside, 1) == b"yes"
    assert lenient.whole(inside + number_field(1, 3), 1) == 3
    for broken in (begin, end, begin + varint(8 << 3 | 4), inside[:-1]):
        with pytest.raises(Invalid):
            lenient.last(broken, 1)


def test_both_organisations_stand_behind_the_envelope_of_these_tests() -> None:
    call = read_call(ENVELOPE, PLACE.channel)

    assert call is not None
    Endorsers(authorities()).check(call.endorsed, call.endorsements)
    assert len(call.endorsements) == len(endorsers())
