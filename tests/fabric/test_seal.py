"""A seal holds if orderers signed its last block and everything before it follows, and in no other case."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.agents.auditor.evidence import parse_seal
from freehold.errors import Invalid
from freehold.ledger.fabric import seal as seals
from freehold.ledger.fabric.identity import Identity
from freehold.ledger.fabric.seal import Seal, Sealed, check_seal, cut
from freehold.ledger.protobuf import bytes_field
from freehold.protocol import canonical
from freehold.protocol.network import NetworkRecord
from tests.fabric.ordered import (
    CLIENT,
    ORDERER,
    ORDERERS,
    RECORDS,
    TIME,
    Ordered,
    a_channel,
    action,
    certificate,
    configuration,
    consenters,
    network,
    root,
    tick,
)
from tests.fabric.organisations import Organisation, endorsers, organisations
from tests.fabric.test_validity import high

WHOLE = a_channel()
DIGEST = WHOLE.digest()


def checked(seal: Seal, digest: str = DIGEST, record: NetworkRecord | None = None) -> Sealed:
    """What a reader finds."""
    return check_seal(seal, record or network(), RECORDS, digest)


def test_a_whole_channel_says_who_stands_for_its_history() -> None:
    whole = WHOLE.seal(ORDERER)
    found = checked(whole)

    assert found.height == 2
    assert found.organisations == found.signers == ("OrdererMSP", "Org1MSP", "Org2MSP")
    assert parse_seal(canonical.encode(whole)) == whole
    assert len(whole.certificates) == 7


def by_peers() -> NetworkRecord:
    """A network whose orderers an organisation of peers runs, under one authority."""
    first, second = organisations()
    named = [root(first.name, "peer", first.pem), root(second.name, "peer", second.pem)]
    return network(*named, root(first.name, "orderer", first.pem))


SIGNERS: dict[str, Callable[[], list[Identity]]] = {
    "nobody": list,
    "another authority's orderer": lambda: [Organisation("OrdererMSP").identity("orderer")],
    "a client of the orderers": lambda: [ORDERERS.identity("client")],
    "a peer of the orderers": lambda: [ORDERERS.identity("peer")],
    "a peer": lambda: [endorsers()[0]],
    "an orderer of an organisation that does not order": lambda: [organisations()[0].identity("orderer")],
    "an orderer and a stranger": lambda: [ORDERER, CLIENT],
    "one orderer twice": lambda: [ORDERER, ORDERER],
    "an orderer with the higher s": lambda: [high(ORDERERS)],
}


@pytest.mark.parametrize("by", SIGNERS.values(), ids=SIGNERS.keys())
def test_only_orderers_that_the_network_names_sign_blocks(by: Callable[[], list[Identity]]) -> None:
    with pytest.raises(Invalid, match="orderer"):
        checked(WHOLE.seal(*by()))


def test_an_organisation_may_endorse_and_order() -> None:
    record = by_peers()
    digest = WHOLE.digest(record)

    assert checked(WHOLE.seal(organisations()[0].identity("orderer")), digest, record).signers == ("Org1MSP", "Org2MSP")
    with pytest.raises(Invalid, match="orderer"):
        checked(WHOLE.seal(endorsers()[0]), digest, record)


def of_consenters() -> tuple[Ordered, NetworkRecord]:
    """A channel that four orderers sign of whom one may lie, and its network."""
    ordered = a_channel()
    ordered.rows[0] = configuration(*map(certificate, consenters()))
    named = [root(each.name, "peer", each.pem) for each in organisations()]
    return ordered, network(*named, *(root(ORDERERS.name, "consenter", certificate(each)) for each in consenters()))


def test_of_orderers_who_may_lie_a_quorum_signs() -> None:
    ordered, record = of_consenters()
    digest, own = ordered.digest(record), consenters()
    three = dict(enumerate(own[:3], start=1))

    assert checked(ordered.seal(numbers=three), digest, record).signers == ("OrdererMSP", "Org1MSP", "Org2MSP")
    assert checked(ordered.seal(own[3], numbers=dict(list(three.items())[:2])), digest, record).height == 2
    for few in (
        ordered.seal(numbers=dict(enumerate(own[:2], start=1))),
        ordered.seal(own[0], numbers=dict(enumerate(own[:2], start=1))),
        ordered.seal(numbers={1: own[0], 2: own[0], 3: own[0]}),
        ordered.seal(numbers={1: own[0], 2: own[1], 3: ORDERERS.identity("orderer")}),
        # Of the same authority, and not one of those that are named.
        ordered.seal(own[0], own[1], ORDERER),
        ordered.seal(ORDERER),
    ):
        with pytest.raises(Invalid, match="orderer"):
            checked(few, digest, record)


def test_a_block_or_transaction_that_is_left_out_or_put_in_is_missed() -> None:
    signed = WHOLE.seal(ORDERER)
    first, clock, actions = WHOLE.rows
    one, two = cut(actions)
    for rows in (
        [first, clock],
        [first, actions],
        [clock, actions],
        [first, clock, two],
        [first, clock, two + one],
        [first, clock, actions, clock],
        [first, clock, actions + action(3, (1, 0))],
    ):
        other = Ordered(rows=list(rows))
        folded = other.seal(ORDERER)
        # The blocks of the one under the signature of the other.
        forged = msgspec.structs.replace(folded, signatures=signed.signatures)
        with pytest.raises(Invalid):
            checked(forged)
        # And signed anew by the orderers: then it is another history.
        with pytest.raises(Invalid):
            checked(folded)


def test_what_was_ordered_after_the_history_s_end_is_no_part_of_its_seal() -> None:
    longer = a_channel()
    longer.block(tick(TIME + 2_000, (1, 0)))
    with pytest.raises(Invalid, match="another history"):
        checked(longer.seal(ORDERER))
    longer.block(action(3, (3, 0)))
    with pytest.raises(Invalid, match="another history"):
        checked(longer.seal(ORDERER))
    assert checked(longer.seal(ORDERER), longer.digest()).height == 4


def test_one_organisation_s_word_makes_no_history_whoever_orders_it() -> None:
    forged = Ordered()
    forged.block(tick(TIME, None))
    forged.block(action(1, (1, 0)), action(2, (1, 0), by=(endorsers()[0],)))
    honest = Ordered(rows=[*forged.rows[:2], cut(forged.rows[2])[0]])

    # The second action is there, signed by the orderers, and gives nothing.
    assert forged.digest() == honest.digest() != DIGEST
    with pytest.raises(Invalid, match="another history"):
        checked(forged.seal(ORDERER))


def test_a_channel_under_other_certificates_is_another_one() -> None:
    first, second = organisations()
    others = [root(each.name, "peer", each.pem) for each in (Organisation("Org1MSP"), second)]
    with pytest.raises(Invalid, match="not in its first block"):
        checked(WHOLE.seal(ORDERER), record=network(*others, root(ORDERERS.name, "orderer", ORDERERS.pem)))
    swapped = [root(second.name, "peer", first.pem), root(first.name, "peer", second.pem)]
    with pytest.raises(Invalid, match="another history"):
        checked(WHOLE.seal(ORDERER), record=network(*swapped, root(ORDERERS.name, "orderer", ORDERERS.pem)))


def test_another_channel_or_chaincode_is_not_the_ledger() -> None:
    record = network()
    assert record.channel is not None
    for changes in ({"name": "other"}, {"chaincode": "other"}):
        channel = msgspec.structs.replace(record.channel, **changes)
        with pytest.raises(Invalid):
            checked(WHOLE.seal(ORDERER), record=msgspec.structs.replace(record, channel=channel))
    mixed = Ordered(rows=[configuration(channel="other"), *WHOLE.rows[1:]])
    with pytest.raises(Invalid, match="not its configuration"):
        checked(mixed.seal(ORDERER))
    with pytest.raises(Invalid, match="names no authorities"):
        checked(WHOLE.seal(ORDERER), record=msgspec.structs.replace(record, authorities=None, channel=None))


def test_a_signature_names_its_orderer_in_exactly_one_way() -> None:
    whole = WHOLE.seal(ORDERER)
    (signature,) = whole.signatures
    for changes in ({"header": None}, {"identifier": "AAAA"}, {"identifier": "AB=="}):
        with pytest.raises(Invalid):
            checked(msgspec.structs.replace(whole, signatures=(msgspec.structs.replace(signature, **changes),)))
    for value in ("", "AB==", "*"):
        with pytest.raises(Invalid):
            checked(msgspec.structs.replace(whole, value=value))


def test_a_row_of_envelopes_is_cut_in_one_way_alone() -> None:
    one, two = (bytes_field(1, message) + bytes_field(2, b"s") for message in (b"a", b"b"))
    assert cut(one + two) == (one, two)
    for row in (
        b"",
        b"\x0a\x00",
        one + b"\x0a\x00",
        one[3:],
        one + one[3:],
        one + b"\x18\x01",
        b"\x0a\x81\x00a\x12\x01s",
        one + two[:-1],
    ):
        with pytest.raises(Invalid):
            cut(row)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_hostile_bytes_are_no_row_and_no_seal(data: bytes) -> None:
    with pytest.raises(Invalid):
        parse_seal(data)
    try:
        envelopes = cut(data)
    except Invalid:
        return
    assert b"".join(envelopes) == data


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 2), st.integers(0, 10**6), st.integers(1, 255))
def test_an_orderer_that_alters_what_others_signed_only_loses_it(row: int, place: int, change: int) -> None:
    altered = bytearray(WHOLE.rows[row])
    altered[place % len(altered)] ^= change
    rows = [*WHOLE.rows]
    rows[row] = bytes(altered)
    with pytest.raises(Invalid):
        checked(Ordered(rows=rows).seal(ORDERER))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_first_block_of_the_orderer_s_own_gives_the_same_history_or_none(place: int, change: int) -> None:
    altered = bytearray(WHOLE.rows[0])
    altered[place % len(altered)] ^= change
    try:
        found = checked(Ordered(rows=[bytes(altered), *WHOLE.rows[1:]]).seal(ORDERER))
    except Invalid:
        return
    assert found.signers == ("OrdererMSP", "Org1MSP", "Org2MSP")


def test_a_small_seal_that_says_a_large_channel_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "UNFOLDED_LARGEST", 10_000)
    whole = WHOLE.seal(ORDERER)
    with pytest.raises(Invalid, match="larger"):
        checked(msgspec.structs.replace(whole, blocks=((*whole.blocks[0], *(0,) * 100), *whole.blocks[1:])))
