"""Whose certificate it is: what an authority issued to a peer, an orderer or somebody else, and nothing stranger."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.ledger.fabric.authorities import Authorities, fits
from freehold.ledger.protobuf import bytes_field
from tests.fabric.channel import identity
from tests.fabric.ordered import ORDERERS, certificate, consenters, network, root
from tests.fabric.organisations import Organisation, endorsers, organisations

FIRST, SECOND = organisations()
PEER = endorsers()[0]
PEMS = [FIRST.pem, SECOND.pem, ORDERERS.pem]


def known() -> Authorities:
    """What the network names."""
    return Authorities(network().authorities or (), PEMS)


def test_a_certificate_says_whose_and_what_it_is() -> None:
    for unit in ("admin", "client", "orderer", "peer"):
        creator = SECOND.identity(unit)
        found = known().signer(creator.creator)
        assert found is not None
        assert (found.msp, found.unit) == ("Org2MSP", unit)
        assert fits(found, b"message", creator.sign(b"message"))
        assert not fits(found, b"another", creator.sign(b"message"))
        assert not fits(found, b"message", PEER.sign(b"message"))
    assert known().peers == ("Org1MSP", "Org2MSP")
    assert (known().majority, known().quorum) == (2, 1)


def test_nobody_else_is_known() -> None:
    for creator in (
        identity().creator,
        Organisation("Org1MSP").identity().creator,
        FIRST.identity("owner").creator,
        FIRST.identity("").creator,
        FIRST.identity(name="Org2MSP").creator,
        FIRST.identity(name="Org3MSP").creator,
        bytes_field(1, b"Org1MSP") + bytes_field(2, FIRST.pem),
        bytes_field(1, b"Org1MSP") + bytes_field(2, b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        bytes_field(1, b"Org1MSP") + bytes_field(2, certificate(PEER) + b" " * 2**14),
        bytes_field(1, b"\xff") + bytes_field(2, certificate(PEER)),
        b"\x0a",
        b"",
    ):
        assert known().signer(creator) is None


def test_a_root_that_is_no_authority_vouches_for_nobody() -> None:
    # The first organisation's peer as if it were an authority.
    named = [root("Org1MSP", "peer", certificate(PEER)), root("OrdererMSP", "orderer", ORDERERS.pem)]
    some = Authorities(network(*named).authorities or (), [certificate(PEER), ORDERERS.pem])
    assert some.signer(PEER.creator) is None


def test_only_the_curve_that_fabric_takes_counts() -> None:
    for key in (ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65_537, 2_048)):
        usual = load_pem_x509_certificate(certificate(PEER))
        issued = (
            x509.CertificateBuilder()
            .subject_name(usual.subject)
            .issuer_name(usual.issuer)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(usual.not_valid_before_utc)
            .not_valid_after(usual.not_valid_after_utc)
            .sign(FIRST._key, SHA256())
        )
        creator = bytes_field(1, b"Org1MSP") + bytes_field(2, issued.public_bytes(Encoding.PEM))
        assert known().signer(creator) is None


def test_a_certificate_that_the_record_names_has_to_be_there() -> None:
    with pytest.raises(Invalid, match="Org2MSP"):
        Authorities(network().authorities or (), [FIRST.pem, ORDERERS.pem, b"junk"])


def test_what_stands_behind_a_signature_counts_for_nothing_where_fabric_overlooks_it() -> None:
    signer = known().signer(PEER.creator)
    assert signer is not None
    signature = PEER.sign(b"message")
    assert fits(signer, b"message", signature + b"more")
    assert not fits(signer, b"message", signature + b"more", exact=True)
    for strange in (b"", b"\x30", b"\x30\x00", signature[:-1], b"\x31" + signature[1:], bytes(72)):
        assert not fits(signer, b"message", strange)


@pytest.mark.parametrize(("orderers", "quorum"), [(1, 1), (2, 2), (3, 2), (4, 3), (7, 5), (10, 7)])
def test_a_quorum_is_as_large_as_fabric_s(orderers: int, quorum: int) -> None:
    own = [certificate(ORDERERS.identity("orderer")) for _ in range(orderers)]
    named = [root("Org1MSP", "peer", FIRST.pem), *(root("OrdererMSP", "consenter", each) for each in own)]
    some = Authorities(network(*named).authorities or (), [FIRST.pem, *own])
    assert some.quorum == quorum
    assert {each.digest for each in some.by_number()} == set(some.consenters)


def test_consenters_are_known_by_their_own_certificates() -> None:
    own = consenters()
    named = [root("Org1MSP", "peer", FIRST.pem), *(root("OrdererMSP", "consenter", certificate(each)) for each in own)]
    some = Authorities(network(*named).authorities or (), [FIRST.pem, *map(certificate, own)])
    found = some.signer(own[0].creator)
    assert found is not None
    assert found.digest == hashlib.sha256(_der(certificate(own[0]))).hexdigest()
    assert some.orders(found)
    assert some.signer(ORDERERS.identity("orderer").creator) is None


def _der(pem: bytes) -> bytes:
    return load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


@given(st.integers(0, 2_000), st.integers(1, 255))
def test_a_certificate_with_a_changed_byte_is_nobody_s_or_the_same(place: int, change: int) -> None:
    der = bytearray(_der(certificate(PEER)))
    der[place % len(der)] ^= change
    lines = base64.encodebytes(bytes(der))
    pem = b"-----BEGIN CERTIFICATE-----\n" + lines + b"-----END CERTIFICATE-----\n"
    assert known().signer(bytes_field(1, b"Org1MSP") + bytes_field(2, pem)) is None
