"""Every id and digest of the market: fields of 32 bytes or of eight behind the digest of a name."""

from __future__ import annotations

import hashlib


def sha256(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


def T(name: str) -> bytes:
    """The tag of a purpose."""
    return sha256(b"freehold/1/" + name.encode())


def H(name: str, *fields: str | int) -> str:
    """The digest of fields under a purpose, in hex."""
    data = T(name)
    for field in fields:
        data += field.to_bytes(8, "big") if isinstance(field, int) else bytes.fromhex(field)
    return sha256(data).hex()
