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
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
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


Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def issued(*units: str, ca: bool = False, key: Key | None = None, by: tuple[x509.Name, Key] | None = None) -> bytes:
    """A certificate in PEM, of the first organisation's authority if nobody else is named."""
    usual = load_pem_x509_certificate(certificate(PEER))
    name, signing = by or (usual.issuer, FIRST._key)
    made = (
        x509.CertificateBuilder()
        .subject_name(in_units(*units))
        .issuer_name(name)
        .public_key((key or ec.generate_private_key(ec.SECP256R1())).public_key())
        .serial_number(1)
        .not_valid_before(usual.not_valid_before_utc)
        .not_valid_after(usual.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(signing, SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def in_units(*units: str) -> x509.Name:
    """A name in these units."""
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in units])


def of_first(pem: bytes) -> bytes:
    """An identity of the first organisation."""
    return bytes_field(1, b"Org1MSP") + bytes_field(2, pem)


def test_nobody_else_is_known() -> None:
    for creator in (
        identity().creator,
        Organisation("Org1MSP").identity().creator,
        FIRST.identity("owner").creator,
        of_first(issued("peer", "admin")),
        of_first(issued("peer", ca=True)),
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
    key = ec.generate_private_key(ec.SECP256R1())
    for ca in (True, False):
        own = issued("above", ca=ca, key=key, by=(in_units("above"), key))
        some = network(root("Org1MSP", "peer", own), root("OrdererMSP", "orderer", ORDERERS.pem))
        found = Authorities(some.authorities or (), [own, ORDERERS.pem])
        assert (found.signer(of_first(issued("peer", by=(in_units("above"), key)))) is not None) == ca


def test_only_the_curve_that_fabric_takes_counts() -> None:
    assert known().signer(of_first(issued("peer"))) is not None
    for key in (ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65_537, 2_048)):
        assert known().signer(of_first(issued("peer", key=key))) is None


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
    # An organisation that endorses too: its authority vouches for whom it likes, and names no consenter.
    both = network(*named, root("OrdererMSP", "peer", ORDERERS.pem))
    some = Authorities(both.authorities or (), [FIRST.pem, ORDERERS.pem, *map(certificate, own)])
    stranger, known_one = (some.signer(each.creator) for each in (ORDERERS.identity("orderer"), own[0]))
    assert stranger is not None
    assert known_one is not None
    assert (some.orders(stranger), some.orders(known_one)) == (False, True)


def _der(pem: bytes) -> bytes:
    return load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


@settings(deadline=None)
@given(st.integers(0, 2_000), st.integers(1, 255))
def test_a_certificate_with_a_changed_byte_is_nobody_s_or_the_same(place: int, change: int) -> None:
    der = bytearray(_der(certificate(PEER)))
    der[place % len(der)] ^= change
    lines = base64.encodebytes(bytes(der))
    pem = b"-----BEGIN CERTIFICATE-----\n" + lines + b"-----END CERTIFICATE-----\n"
    found, own = known().signer(of_first(pem)), known().signer(PEER.creator)
    assert own is not None
    assert found is None or found.key == own.key
