"""Who signed, judged by the certificates that a network record names, and by nothing else.

A signer shows a certificate. It counts if an authority of its organisation signed that certificate, if the certificate
says what the signer is (Fabric's organisational units: peer, orderer, client, admin, exactly one), and if the signature
fits its key. Consenters are known by their own certificates. As Fabric does, signatures have to be ECDSA on P-256 with
the lower s; and when a certificate ends does not matter, since what it signed while it held stays signed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from freehold.errors import Invalid
from freehold.ledger.fabric.envelope import found
from freehold.ledger.protobuf import octets, text
from freehold.protocol.network import Authority

CERTIFICATE_LARGEST: Final = 2**14
_KNOWN_LARGEST: Final = 2**14
"""Certificates that are remembered; a channel has as many as it has clients."""
_HALF_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 // 2
_STRANGE: Final = (
    ValueError,
    TypeError,
    InvalidSignature,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    # What is odd and still read is warned of, and where warnings are errors it is not read.
    Warning,
)
"""What reading a certificate may come to."""
_UNITS: Final = frozenset({"admin", "client", "orderer", "peer"})
_PEM: Final = re.compile(rb"-----BEGIN [A-Z ]{1,40}-----\s([A-Za-z0-9+/=\s]{1,24576})-----END ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Whose certificate it is, as an authority vouches for it."""

    msp: str
    unit: str
    """What it is: one of admin, client, orderer, peer."""
    digest: str
    """SHA-256 of the certificate, hex."""
    key: ec.EllipticCurvePublicKey


class Authorities:
    """The certificates that are believed, with what was found out about others by them."""

    def __init__(self, named: Sequence[Authority], certificates: Iterable[bytes]) -> None:
        """`certificates` are in PEM; Invalid unless each that is named is among them."""
        present: dict[str, x509.Certificate] = {}
        for pem in certificates:
            certificate = _read(pem)
            if certificate is not None:
                present[_digest(certificate)] = certificate
        for each in named:
            if each.root not in present:
                raise Invalid(f"the certificate of {each.msp} that the network record names is not in its first block")
        self.peers = tuple(sorted({each.msp for each in named if each.role == "peer"}))
        """The organisations whose peers endorse."""
        self.orderers = tuple(sorted({each.msp for each in named if each.role != "peer"}))
        """Those whose orderers sign blocks."""
        self.consenters = tuple(sorted(each.root for each in named if each.role == "consenter"))
        """The orderers that are named one by one; none where any orderer signs for all."""
        self._roots = [(each, present[each.root]) for each in named]
        self._known: dict[bytes, Signer | None] = {}

    @property
    def majority(self) -> int:
        """How many organisations have to endorse: more than half."""
        return len(self.peers) // 2 + 1

    @property
    def quorum(self) -> int:
        """How many orderers have to sign."""
        among = len(self.consenters)
        return (among + (among - 1) // 3 + 2) // 2 if among else 1

    def signer(self, identity: bytes) -> Signer | None:
        """Who an identity of Fabric is; None unless an authority of its organisation vouches for it."""
        if identity not in self._known:
            if len(self._known) >= _KNOWN_LARGEST:
                self._known.clear()
            self._known[identity] = self._found_out(identity)
        return self._known[identity]

    @property
    def endorsing(self) -> dict[str, bytes]:
        """The authorities under which peers stand, in PEM, by organisation."""
        listed: dict[str, bytes] = {}
        for each, root in self._roots:
            if each.role == "peer":
                listed[each.msp] = listed.get(each.msp, b"") + root.public_bytes(Encoding.PEM)
        return listed

    def orders(self, signer: Signer) -> bool:
        """Whether a signature of this signer counts under a block."""
        named = not self.consenters or signer.digest in self.consenters
        return named and signer.unit == "orderer" and signer.msp in self.orderers

    def by_number(self) -> list[Signer]:
        """The consenters, who sign under numbers."""
        own = [(each, root) for each, root in self._roots if each.role == "consenter"]
        signers = [_signer(each.msp, root) for each, root in own]
        return [each for each in signers if each is not None]

    def _found_out(self, identity: bytes) -> Signer | None:
        try:
            parts = found(identity)
            msp, certificate = text(parts.get(1, b"")), _read(octets(parts.get(2, b"")))
        except Invalid:
            return None
        if certificate is None or not any(self._vouches(*root, msp, certificate) for root in self._roots):
            return None
        return _signer(msp, certificate)

    @staticmethod
    def _vouches(authority: Authority, root: x509.Certificate, msp: str, certificate: x509.Certificate) -> bool:
        if authority.msp != msp:
            return False
        if authority.role == "consenter":
            return certificate == root
        try:
            if not _is_authority(root):
                return False
            certificate.verify_directly_issued_by(root)
        except _STRANGE:
            return False
        return True


def fits(signer: Signer, message: bytes, signature: bytes, *, exact: bool = False) -> bool:
    """Whether the signer signed; `exact` if nothing else vouches for the bytes of the signature.

    Fabric overlooks what stands behind a signature, so whoever judges its transactions has to as well.
    """
    if not exact and signature[:1] == b"\x30" and len(signature) > 1 and signature[1] < 0x80:
        signature = signature[: 2 + signature[1]]
    try:
        _, s = utils.decode_dss_signature(signature)
        signer.key.verify(signature, message, ec.ECDSA(SHA256()))
    except (ValueError, InvalidSignature):
        return False
    return s <= _HALF_ORDER


def _signer(msp: str, certificate: x509.Certificate) -> Signer | None:
    try:
        key = certificate.public_key()
        units = {
            str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
        }
        ca = _is_authority(certificate)
    except _STRANGE:
        return None
    if ca or len(units & _UNITS) != 1 or not isinstance(key, ec.EllipticCurvePublicKey):
        return None
    if not isinstance(key.curve, ec.SECP256R1):
        return None
    return Signer(msp=msp, unit=(units & _UNITS).pop(), digest=_digest(certificate), key=key)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _read(pem: bytes) -> x509.Certificate | None:
    if len(pem) > CERTIFICATE_LARGEST:
        return None
    block = _PEM.search(pem)
    try:
        return None if block is None else x509.load_der_x509_certificate(base64.b64decode(b"".join(block[1].split())))
    except (binascii.Error, *_STRANGE):
        return None


def _digest(certificate: x509.Certificate) -> str:
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
