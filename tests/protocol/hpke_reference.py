"""HPKE base mode (RFC 9180) written from the RFC, with a chosen ephemeral key, so that sealing can be repeated.

It is checked against the RFC's own vector (A.1.1) and is then the twin of `sealing`. KEM: DHKEM(X25519,
HKDF-SHA256), KDF: HKDF-SHA256, AEAD: AES-GCM with a key of 16 or 32 bytes.
"""

from __future__ import annotations

import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEM = b"KEM" + (0x0020).to_bytes(2, "big")


def seal(
    recipient: bytes, ephemeral: bytes, info: bytes, plaintext: bytes, *, aad: bytes = b"", key: int = 32
) -> bytes:
    """enc ‖ ciphertext, sealed to the public key `recipient` with the private key `ephemeral`."""
    private = X25519PrivateKey.from_private_bytes(ephemeral)
    enc = private.public_key().public_bytes_raw()
    shared = private.exchange(X25519PublicKey.from_public_bytes(recipient))
    prk = _extract(_KEM, b"", b"eae_prk", shared)
    secret = _expand(_KEM, prk, b"shared_secret", enc + recipient, 32)
    aead_key, nonce = _keys(secret, info, key)
    return enc + AESGCM(aead_key).encrypt(nonce, plaintext, aad)


def _keys(shared: bytes, info: bytes, size: int) -> tuple[bytes, bytes]:
    """AEAD key and nonce of the first message under `shared` and `info`."""
    suite = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in (0x0020, 0x0001, {16: 1, 32: 2}[size]))
    context = b"\0" + _extract(suite, b"", b"psk_id_hash", b"") + _extract(suite, b"", b"info_hash", info)
    secret = _extract(suite, shared, b"secret", b"")
    return _expand(suite, secret, b"key", context, size), _expand(suite, secret, b"base_nonce", context, 12)


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + material, "sha256")


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, size: int) -> bytes:
    labelled = size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(prk, labelled + b"\x01", "sha256")[:size]
