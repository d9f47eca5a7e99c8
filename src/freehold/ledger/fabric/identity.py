"""Who speaks to a peer: a certificate of an organisation and the key that signs under it.

Fabric demands ECDSA on P-256 over SHA-256, in DER, with the lower of the two values that s may have. This identity is
only a carrier: members are known by the Ed25519 signatures on their actions, which the rules check.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from freehold.errors import Invalid
from freehold.ledger.protobuf import bytes_field

_PEM_LARGEST: Final = 2**16
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Identity:
    """A certificate with its key, as a member of one organisation; safe to use from many threads."""

    def __init__(self, organisation: str, certificate: bytes, key: bytes) -> None:
        """Both in PEM; Invalid unless they belong together and are of the one kind that Fabric takes here."""
        if max(len(certificate), len(key)) > _PEM_LARGEST:
            raise Invalid(f"a certificate or key has at most {_PEM_LARGEST} bytes")
        try:
            private = load_pem_private_key(key, None)
            public = load_pem_x509_certificate(certificate).public_key()
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise Invalid(f"the certificate or key of {organisation} cannot be read: {error}") from None
        if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
            raise Invalid(f"the key of {organisation} is not one on the curve P-256")
        if public != private.public_key():
            raise Invalid(f"certificate and key of {organisation} do not belong together")
        self._key = private
        self.creator = bytes_field(1, organisation.encode()) + bytes_field(2, certificate)
        """The SerializedIdentity that stands in everything it signs."""

    @classmethod
    def read(cls, organisation: str, folder: Path) -> Identity:
        """The identity in an MSP folder: one certificate in `signcerts`, one key in `keystore`."""
        return cls(organisation, _only(folder / "signcerts"), _only(folder / "keystore"))

    def sign(self, message: bytes) -> bytes:
        """The signature in DER, with a low s."""
        r, s = utils.decode_dss_signature(self._key.sign(message, ec.ECDSA(SHA256())))
        return utils.encode_dss_signature(r, min(s, _ORDER - s))


def _only(folder: Path) -> bytes:
    try:
        (path,) = [each for each in folder.iterdir() if each.is_file()]
        return path.read_bytes()
    except (OSError, ValueError):
        raise Invalid(
            f"{folder} does not hold exactly one file", next="name the MSP folder of a user of the organisation"
        ) from None
