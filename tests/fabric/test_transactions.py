"""What a peer hands over is read as it is, and hostile bytes are Invalid, never anything else."""

from __future__ import annotations

import hashlib
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.ledger.fabric.clock import Version
from freehold.ledger.fabric.envelope import propose, read_endorsed, seek
from freehold.ledger.fabric.identity import Identity
from freehold.ledger.fabric.transactions import Written, read_block, read_call, transaction_id
from freehold.ledger.protobuf import bytes_field, fields, message_field, number_field, octets
from tests.fabric.channel import PLACE, block_bytes, identity, read_write_set, transaction
from tests.fabric.organisations import endorsers

WHO = identity()
PROPOSAL = propose(WHO, PLACE, [b"execute", b"an action"], 1_234_567_890_123)
WRITES = {"note/one": b'{"text":"hello"}', "note/two": b'{"text":"there"}'}
READS: dict[str, Version | None] = {"clock": (3, 1), "a/b": None}
PAYLOAD = transaction(PROPOSAL, read_write_set(WRITES, reads=READS), b'{"events":[],"result":{"id":"one"}}')
ENVELOPE = bytes_field(1, PAYLOAD) + bytes_field(2, b"signature")
BLOCK = block_bytes(7, b"\x07" * 32, [b"something", ENVELOPE], [11, 0])


def test_a_proposal_comes_back_out_of_a_block_with_what_was_made_of_it() -> None:
    block = read_block(BLOCK)
    call = read_call(block.envelopes[1], PLACE.channel)

    assert (block.number, block.previous, list(block.codes)) == (7, b"\x07" * 32, [11, 0])
    assert call is not None
    assert call.transaction == PROPOSAL.transaction == transaction_id(ENVELOPE)
    assert (call.time, call.chaincode, call.status) == (1_234_567_890_123, PLACE.chaincode, 200)
    assert call.arguments == (b"execute", b"an action")
    assert call.payload == b'{"events":[],"result":{"id":"one"}}'
    written = Written(
        namespace=PLACE.chaincode, writes=tuple(WRITES.items()), others=False, reads=(("clock", (3, 1)), ("a/b", None))
    )
    assert call.written == (written,)
    assert [each.endorser for each in call.endorsements] == [each.creator for each in endorsers()]


def test_a_transaction_s_id_is_bound_to_its_nonce_and_its_creator() -> None:
    proposed = dict(fields(octets(dict(fields(PROPOSAL.signed))[1])))
    signature_header = dict(fields(octets(dict(fields(octets(proposed[1])))[2])))

    assert signature_header[1] == WHO.creator
    assert hashlib.sha256(octets(signature_header[2]) + WHO.creator).hexdigest() == PROPOSAL.transaction
    assert propose(WHO, PLACE, [b"execute", b"an action"], 0).transaction != PROPOSAL.transaction


def test_signatures_verify_and_have_a_low_s() -> None:
    certificate = octets(dict(fields(WHO.creator))[2])
    public = load_pem_x509_certificate(certificate).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    half = 0x7FFFFFFF800000007FFFFFFFFFFFFFFFDE737D56D38BCF4279DCE5617E3192A8

    for number in range(20):
        message = b"%d" % number
        signature = WHO.sign(message)
        public.verify(signature, message, ec.ECDSA(SHA256()))
        assert utils.decode_dss_signature(signature)[1] <= half


def test_a_key_of_somebody_else_or_of_another_kind_is_named() -> None:
    certificate = octets(dict(fields(identity().creator))[2])

    with pytest.raises(Invalid, match="cannot be read"):
        Identity("Org1MSP", certificate, b"-----BEGIN PRIVATE KEY-----")
    with pytest.raises(Invalid, match="at most"):
        Identity("Org1MSP", certificate * 1_000, b"")


def test_an_envelope_that_is_about_another_proposal_is_not_signed() -> None:
    other = propose(WHO, PLACE, [b"execute", b"another action"], 0)
    answer = message_field(1, bytes_field(1, PAYLOAD))

    assert read_endorsed(WHO, PROPOSAL, answer).transaction == PROPOSAL.transaction
    with pytest.raises(Invalid, match="another transaction"):
        read_endorsed(WHO, other, answer)


def test_a_block_is_named_by_the_digest_that_fabric_gives_it() -> None:
    # protoutil.BlockHeaderHash over {300, 07 × 32, SHA-256 of "a"}: a number of two bytes in DER.
    block = read_block(block_bytes(300, b"\x07" * 32, [b"a"], [0]))
    data = hashlib.sha256(b"a").digest()
    written = bytes.fromhex("3048" + "0202012c" + "0420" + "07" * 32 + "0420") + data

    assert block.digest == hashlib.sha256(written).digest()


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (block_bytes(1, b"", [ENVELOPE], []), "codes"),
        (block_bytes(1, b"short", [ENVELOPE], [0]), "predecessor"),
        (BLOCK.replace(b"something", b"somethinG"), "other envelopes"),
        (BLOCK[:-3], "cut off"),
    ],
)
def test_a_block_that_contradicts_itself_is_invalid(data: bytes, match: str) -> None:
    with pytest.raises(Invalid, match=match):
        read_block(data)


def test_an_envelope_of_another_channel_or_with_two_actions_is_invalid() -> None:
    with pytest.raises(Invalid, match="another channel"):
        read_call(ENVELOPE, "other")
    header, actions = dict(fields(PAYLOAD))[1], octets(dict(fields(PAYLOAD))[2])
    doubled = message_field(1, octets(header)) + bytes_field(2, actions + actions)
    with pytest.raises(Invalid, match="more than one"):
        read_call(bytes_field(1, doubled), PLACE.channel)
    with pytest.raises(Invalid, match="without an action"):
        read_call(bytes_field(1, message_field(1, octets(header))), PLACE.channel)


def test_what_is_no_transaction_of_a_chaincode_is_passed_over() -> None:
    configuration = bytes_field(1, message_field(1, bytes_field(1, number_field(1, 1) + bytes_field(4, b"channel"))))

    assert read_call(configuration, PLACE.channel) is None
    assert transaction_id(b"\xff\xff") == ""


def test_a_request_for_blocks_names_the_first_and_no_last() -> None:
    wanted = octets(dict(fields(octets(dict(fields(seek(WHO, "channel", 5, 0)))[1])))[2])
    newest = octets(dict(fields(octets(dict(fields(seek(WHO, "channel", None, 0)))[1])))[2])

    assert wanted.hex() == "0a041a020805" + "120d" + "1a0b08" + "ff" * 9 + "01"
    assert newest.hex() == "0a020a00" + "12020a00"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.tuples(st.integers(0, len(BLOCK) - 1), st.integers(1, 255)))
def test_hostile_bytes_are_invalid_and_nothing_else(change: bytes | tuple[int, int]) -> None:
    if isinstance(change, bytes):
        block, envelope = change, change
    else:
        place, difference = change
        block = BLOCK[:place] + bytes([BLOCK[place] ^ difference]) + BLOCK[place + 1 :]
        place %= len(ENVELOPE)
        envelope = ENVELOPE[:place] + bytes([ENVELOPE[place] ^ difference]) + ENVELOPE[place + 1 :]

    with suppress(Invalid):
        read_block(block)
    with suppress(Invalid):
        read_call(envelope, PLACE.channel)
    transaction_id(envelope)
