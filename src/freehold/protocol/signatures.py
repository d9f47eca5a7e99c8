"""One rule for signatures, ours and not a library's.

Libraries disagree about Ed25519 at the edges: one accepts a key of low order under which a signature fits every
message, another verifies eight times the equation instead of the equation. On a ledger that others replay such a
difference forks history. So the rule is written here (RFC 8032, and what it leaves open):

    S < L                               else every signature has a second spelling
    A and R canonical                   else every key and every R of low order has a second spelling
    neither A nor R of small order      else one signature fits many messages
    S·B = R + H(R, A, M)·A              without the factor 8, compared byte by byte

The first three are checked here, before any library sees the signature. The equation is libsodium's, twice as
fast as OpenSSL's, if the installed libsodium refuses a signature for which only eight times the equation holds;
else OpenSSL's, which compares the bytes of R.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import nacl.bindings
import nacl.exceptions
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from freehold.errors import Invalid
from freehold.protocol.digests import T, raw, u64
from freehold.protocol.identifiers import Handle, MemberId, NetworkId, PublicKey, Signature

KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

_P: Final = 2**255 - 19
_L: Final = 2**252 + 27742317777372353535851937790883648493
_WITHOUT_SIGN: Final = 2**255 - 1
# y of the points whose order divides 8: order 4, 1, 2 and the two pairs of order 8
_SMALL_ORDER: Final = frozenset(
    {
        0,
        1,
        _P - 1,
        int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
        int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
    }
)
# PROTOCOL-ANNEX, "Signatures": A has a torsion part, and only eight times the equation holds for this message
_TORSION_KEY: Final = bytes.fromhex("99555efe5dbf5b50b6fb4d8c38ee05c4ea8a97011c08e11366e8c8c00e8ce5d5")
_TORSION_SIGNATURE: Final = bytes.fromhex(
    "3e54c441927f9f0ee5e13e34f0b0404c5043651a8f4b7ef087a1c42262a85d0a"
    "0f65bce7f4cec87a84874696c6a0c56e8f490ddae10b06b4c0a3216a0a006c00"
)


def public_key(seed: bytes) -> bytes:
    """The 32-byte Ed25519 key of a 32-byte seed."""
    return _key_pair(seed)[0]


def sign(seed: bytes, message: bytes) -> bytes:
    """The 64-byte signature of `message` by the key of `seed`."""
    _, secret = _key_pair(seed)
    signed: bytes = nacl.bindings.crypto_sign(message, secret)
    return signed[:SIGNATURE_BYTES]


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is one of `key` over `message`, by the rule above; any lengths may be given."""
    if len(key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    if not (_is_acceptable_point(key) and _is_acceptable_point(signature[:32])):
        return False
    if int.from_bytes(signature[32:], "little") >= _L:
        return False
    if _libsodium_holds_the_equation_itself():
        return _libsodium_accepts(key, message, signature)
    return _openssl_accepts(key, message, signature)


def sign_admission(seed: bytes, network: NetworkId, member: MemberId, handle: Handle, until: int) -> Signature:
    """The registrar's word that `member` belongs to the person `handle` and may act until `until` (milliseconds)."""
    return Signature(sign(seed, _admission(network, member, handle, until)).hex())


def verify_admission(
    registrar: PublicKey, network: NetworkId, member: MemberId, handle: Handle, until: int, signature: Signature
) -> bool:
    """Whether the registrar signed this admission."""
    message = _admission(network, member, handle, until)
    return verify(raw(registrar), message, raw(signature, SIGNATURE_BYTES))


def _admission(network: NetworkId, member: MemberId, handle: Handle, until: int) -> bytes:
    return T("admission") + raw(network) + raw(member) + raw(handle) + u64(until)


def _is_acceptable_point(encoded: bytes) -> bool:
    """Canonical and not of small order. The other canonical demand, no sign on x = 0, is about y = ±1: small order."""
    y = int.from_bytes(encoded, "little") & _WITHOUT_SIGN
    return y < _P and y not in _SMALL_ORDER


def _key_pair(seed: bytes) -> tuple[bytes, bytes]:
    if len(seed) != KEY_BYTES:
        raise Invalid(f"a signing seed has {KEY_BYTES} bytes, not {len(seed)}")
    pair: tuple[bytes, bytes] = nacl.bindings.crypto_sign_seed_keypair(seed)
    return pair


def _libsodium_accepts(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        nacl.bindings.crypto_sign_open(signature + message, key)
    except nacl.exceptions.BadSignatureError:
        return False
    return True


def _openssl_accepts(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@cache
def _libsodium_holds_the_equation_itself() -> bool:
    """Whether the installed libsodium refuses a signature for which only eight times the equation holds."""
    return not _libsodium_accepts(_TORSION_KEY, b"freehold 0", _TORSION_SIGNATURE)
