"""One block of Fabric gives the block that every engine would make of the same actions, or is Broken."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from freehold.errors import Broken
from freehold.ledger import blocks
from freehold.ledger.fabric.derived import derive
from freehold.ledger.fabric.envelope import Place, propose
from freehold.ledger.fabric.transactions import FabricBlock, read_block
from freehold.ledger.protobuf import bytes_field, message_field, number_field
from freehold.ports.machine import Executed
from tests.engines.notebook import Notebook, add, note
from tests.fabric.channel import PLACE, block_bytes, identity, payload_of, read_write_set, transaction

WHO = identity()


def done(action: bytes, time: int = 1_000) -> Executed:
    return Notebook().execute(lambda keys: [None] * len(keys), action, time)


def envelope(
    action: bytes,
    *,
    time: int = 1_000,
    arguments: Sequence[bytes] | None = None,
    results: bytes | None = None,
    payload: bytes | None = None,
    chaincode: str = PLACE.chaincode,
    status: int = 200,
) -> bytes:
    """An envelope of an action that was accepted, but for what is given."""
    executed = done(action, time)
    proposal = propose(WHO, PLACE, [b"execute", action] if arguments is None else arguments, time)
    inner = transaction(
        proposal,
        read_write_set(executed.writes) if results is None else results,
        payload_of(executed) if payload is None else payload,
        chaincode=chaincode,
        status=status,
    )
    return bytes_field(1, inner)


def block(*envelopes: bytes, codes: Sequence[int] | None = None) -> FabricBlock:
    return read_block(block_bytes(1, b"\x01" * 32, envelopes, codes or [0] * len(envelopes)))


def test_the_accepted_actions_of_a_block_are_in_it_and_the_others_are_not() -> None:
    actions = [note("one", "a"), note("two", "b"), note("three", "c")]
    ordered = block(envelope(actions[0]), envelope(actions[1]), b"rubbish", envelope(actions[2]), codes=[0, 11, 5, 0])

    (derived,) = derive(ordered, PLACE, 0)

    expected = blocks.Contents.of([actions[0], actions[2]], [done(actions[0]), done(actions[2])])
    assert derived.contents == expected
    assert derived.contents.encode() == expected.encode()


def test_a_block_without_accepted_actions_gives_none() -> None:
    configuration = bytes_field(1, message_field(1, bytes_field(1, number_field(1, 1) + bytes_field(4, b"channel"))))
    reading = envelope(note("one", "a"), arguments=[b"read", b"note/one"], results=b"", payload=b"")

    assert derive(block(configuration, envelope(note("one", "a")), reading, codes=[0, 11, 0]), PLACE, 0) == []


def test_the_time_of_a_block_is_the_latest_claim_and_never_falls() -> None:
    ordered = block(envelope(note("one", "a"), time=3_000), envelope(note("two", "b"), time=2_000))

    assert [each.time for each in derive(ordered, PLACE, 1_000)] == [3_000]
    assert [each.time for each in derive(ordered, PLACE, 9_000)] == [9_000]


def test_more_actions_than_a_block_holds_give_several() -> None:
    actions = [add("c", 1, nonce) for nonce in range(blocks.ACTIONS_LARGEST + 3)]
    ordered = block(*(envelope(each, time=1_000 + number) for number, each in enumerate(actions)))

    derived = derive(ordered, PLACE, 0)

    assert [len(each.contents.actions) for each in derived] == [blocks.ACTIONS_LARGEST, 3]
    assert [each.time for each in derived] == [1_000 + blocks.ACTIONS_LARGEST - 1, 1_000 + blocks.ACTIONS_LARGEST + 2]
    assert [action for each in derived for action in each.contents.actions] == actions


def test_what_other_chaincodes_do_in_their_own_namespaces_is_passed_over() -> None:
    elsewhere = read_write_set({"anything": b"goes"}, "other")
    other = envelope(note("one", "a"), chaincode="other", results=elsewhere)

    assert derive(block(other), PLACE, 0) == []
    assert derive(block(envelope(note("one", "a"))), Place(channel="channel", chaincode="another"), 0) == []


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"chaincode": "other"}, "is no action"),
        ({"arguments": [b"read", b"note/one"]}, "is no action"),
        ({"arguments": [b"execute", b"a", b"b"]}, "one action"),
        ({"arguments": [b"execute", b"x" * 20_000]}, "one action"),
        ({"status": 202}, "answered well"),
        ({"payload": b'{"result":{"id":"one"},"events":[]}'}, "canonical"),
        ({"payload": b'{"events":[],"result":{"name":"one"}}'}, "without an id"),
        ({"payload": b""}, "."),
        ({"results": read_write_set({"note": b"{}"})}, "no record's key"),
        ({"results": read_write_set({"note/one\n": b"{}"})}, "no record's key"),
        ({"results": read_write_set({"note/one": b"no record"})}, "."),
        ({"results": read_write_set({"note/one": b""})}, "."),
        ({"results": read_write_set({}, extra=message_field(3, bytes_field(1, b"note/a") + number_field(2, 1)))}, "no"),
        ({"results": read_write_set({}, extra=message_field(4, bytes_field(1, b"note/a")))}, "no record"),
        ({"results": read_write_set({"note/a": b"{}"}) * 2}, "no record"),
        (
            {
                "results": read_write_set(
                    {"note/a": b"{}"}, extra=message_field(3, bytes_field(1, b"note/a") + bytes_field(3, b"{}"))
                )
            },
            "twice",
        ),
    ],
)
def test_whatever_the_rules_did_not_write_stops_the_ledger(wrong: dict[str, object], match: str) -> None:
    honest, forged = envelope(note("zero", "a")), envelope(note("one", "a"), **wrong)  # type: ignore[arg-type]

    with pytest.raises(Broken, match=match):
        derive(block(honest, forged), PLACE, 0)
    # The same envelope, found invalid, changed nothing and is nobody's trouble.
    (derived,) = derive(block(honest, forged, codes=[0, 10]), PLACE, 0)
    assert derived.contents.actions == (note("zero", "a"),)
