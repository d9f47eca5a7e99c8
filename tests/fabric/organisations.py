"""Two organisations of a channel, each with the authority that signs for its peers; made once for all tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from freehold.ledger.fabric.identity import Identity
from freehold.ledger.protobuf import bytes_field, message_field

NAMES: Final = ("Org1MSP", "Org2MSP")


class Organisation:
    """An authority, and what it signs."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _named("authority", "authority of " + name)
        certificate = self._certificate(self._subject, self._key, authority=True)
        self.pem = certificate.public_bytes(Encoding.PEM)

    def identity(self, unit: str = "peer", *, name: str = "") -> Identity:
        """A certificate of this authority, for a peer or somebody else, who may call itself of another organisation."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._certificate(_named(unit, "somebody"), key)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Identity(name or self.name, certificate.public_bytes(Encoding.PEM), pem)

    def _certificate(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool = False
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .sign(self._key, SHA256())
        )


@cache
def organisations() -> tuple[Organisation, ...]:
    """Those of the channel."""
    return tuple(map(Organisation, NAMES))


@cache
def endorsers() -> tuple[Identity, ...]:
    """A peer of each."""
    return tuple(each.identity() for each in organisations())


def authorities() -> Mapping[str, bytes]:
    """By name what signs for their peers."""
    return {each.name: each.pem for each in organisations()}


def endorsement(by: Identity, answer: bytes) -> bytes:
    """An Endorsement of an answer."""
    return bytes_field(1, by.creator) + bytes_field(2, by.sign(answer + by.creator))


def endorsed(answer: bytes, by: tuple[Identity, ...]) -> bytes:
    """A ChaincodeEndorsedAction."""
    return message_field(1, answer) + b"".join(message_field(2, endorsement(each, answer)) for each in by)


def _named(unit: str, name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
