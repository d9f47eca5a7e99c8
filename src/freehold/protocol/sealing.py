"""Sealing: bytes that one member can open, and nobody else can tell apart.

HPKE (RFC 9180) in base mode: X25519, HKDF-SHA256, AES-256-GCM, empty aad. Sealed bytes are the encapsulated key
(32) and the ciphertext with its tag (plaintext + 16). `info` names purpose and subject, so what was sealed for one
instance does not open for another, though the reader is the same member. Base mode proves no sender: who offered
what is the signed action's business, and a forged package fails its public digest.

Locators tell where an object lies. All have 560 bytes, so their length says nothing.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from freehold.errors import Invalid
from freehold.protocol import canonical, forms, limits
from freehold.protocol.digests import T, raw
from freehold.protocol.identifiers import Digest, InstanceId, JobId, Locator, PublicKey, StoreName
from freehold.protocol.records import Record

KEY_BYTES: Final = 32
OVERHEAD: Final = 48
"""What sealing adds: encapsulated key 32, tag 16."""

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class _Place(Record, kw_only=True):
    """What a locator says."""

    object: Digest
    store: StoreName


def new_sealing_key() -> bytes:
    """A fresh X25519 private key: 32 bytes."""
    return X25519PrivateKey.generate().private_bytes_raw()


def sealing_public_key(private: bytes) -> bytes:
    """The public half of an X25519 private key: 32 bytes."""
    return _private(private).public_key().public_bytes_raw()


def x25519(private: bytes, public: bytes) -> bytes:
    """The shared secret of two keys (RFC 7748): 32 bytes; Invalid if it is zero, so known to everybody."""
    try:
        return _private(private).exchange(_public(public))
    except ValueError:
        raise Invalid("the public key shares the same secret with everybody") from None


def seal(public: bytes, info: bytes, plaintext: bytes) -> bytes:
    """`plaintext` sealed to `public` under `info`: 48 bytes longer; Invalid for a key that shares no secret."""
    try:
        return _SUITE.encrypt(plaintext, _public(public), info)
    except ValueError:
        raise Invalid("nothing can be sealed to this key") from None


def unseal(private: bytes, info: bytes, sealed: bytes) -> bytes:
    """The plaintext of `sealed`; Invalid if it was sealed to another key, under another `info`, or altered."""
    if len(sealed) < OVERHEAD:
        raise Invalid(f"sealed bytes are at least {OVERHEAD} long, not {len(sealed)}")
    try:
        return _SUITE.decrypt(sealed, _private(private), info)
    except (InvalidTag, ValueError):
        raise Invalid("not sealed to this key for this purpose, or altered since") from None


def seal_locator(public: PublicKey, subject: InstanceId | JobId, store: StoreName, object: str) -> Locator:
    """Tell one member where the object of `subject` lies: 560 bytes in hex.

    `object` is 32 bytes in hex: of an instance the digest of the sealed package; of a job its own id, since the
    digest of a result must not be told before the vote.
    """
    plaintext = canonical.encode(_Place(object=Digest(object), store=store))
    _read_place(plaintext)
    padded = plaintext.ljust(limits.LOCATOR_PLAINTEXT, b"\0")
    return Locator(seal(raw(public), _info("locator", subject), padded).hex())


def open_locator(private: bytes, subject: InstanceId | JobId, locator: Locator) -> tuple[StoreName, Digest]:
    """Store and object of a locator that was sealed for `subject`; Invalid for anything else."""
    padded = unseal(private, _info("locator", subject), raw(locator, limits.LOCATOR))
    place = _read_place(padded.rstrip(b"\0"))
    return place.store, place.object


def seal_package(public: PublicKey, instance: InstanceId, package: bytes) -> bytes:
    """The package of `instance`, sealed to its cloud owner."""
    return seal(raw(public), _info("package", instance), package)


def open_package(private: bytes, instance: InstanceId, sealed: bytes) -> bytes:
    """The package that was sealed for `instance`; Invalid if it was sealed for another, or is too large."""
    if len(sealed) > limits.PACKAGE_LARGEST + OVERHEAD:
        raise Invalid(f"a package has at most {limits.PACKAGE_LARGEST} bytes")
    return unseal(private, _info("package", instance), sealed)


def _read_place(plaintext: bytes) -> _Place:
    return forms.parse(_Place, plaintext, largest=limits.LOCATOR_PLAINTEXT, name="the locator")


def _info(purpose: str, subject: str) -> bytes:
    return T(purpose) + raw(subject)


def _private(private: bytes) -> X25519PrivateKey:
    if len(private) != KEY_BYTES:
        raise Invalid(f"an X25519 key has {KEY_BYTES} bytes, not {len(private)}")
    return X25519PrivateKey.from_private_bytes(private)


def _public(public: bytes) -> X25519PublicKey:
    if len(public) != KEY_BYTES:
        raise Invalid(f"an X25519 key has {KEY_BYTES} bytes, not {len(public)}")
    return X25519PublicKey.from_public_bytes(public)
