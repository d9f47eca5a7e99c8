"""The two hashes of the market, and its one key derivation.

`T(name)` is the tag of a purpose: SHA-256 of ASCII ``freehold/1/`` and the name. `H(name, …)` hashes a tag and
fields of known length (32 bytes, or an integer as u64 big-endian), so no field can be extended into its neighbour
and no digest of one purpose is ever a digest of another. `hkdf` is HKDF-SHA256 with empty salt and 32 bytes out.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import cache

from freehold.errors import Invalid

DIGEST_BYTES = 32
_U64 = 2**64


def sha256(data: bytes | bytearray | memoryview) -> bytes:
    """SHA-256 of `data`: 32 bytes."""
    return hashlib.sha256(data).digest()


@cache
def T(name: str) -> bytes:  # noqa: N802 - the protocol's own name
    """The 32-byte tag of the purpose `name` (PROTOCOL, "Bytes")."""
    return sha256(b"freehold/1/" + name.encode("ascii"))


def H(name: str, *fields: bytes | int) -> bytes:  # noqa: N802 - the protocol's own name
    """The 32-byte digest of `fields` under the purpose `name`: each 32 bytes, or an integer below 2^64."""
    data = T(name)
    for value in fields:
        if isinstance(value, int):
            data += u64(value)
        elif len(value) == DIGEST_BYTES:
            data += value
        else:
            raise Invalid(f"a hashed field has {len(value)} bytes instead of {DIGEST_BYTES}")
    return sha256(data)


def u64(value: int) -> bytes:
    """`value` as eight bytes, big-endian; Invalid below 0 or from 2^64 on."""
    if not 0 <= value < _U64:
        raise Invalid(f"{value} does not fit in 64 bits without sign")
    return value.to_bytes(8, "big")


def hkdf(secret: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 (RFC 5869) with empty salt: 32 bytes for `secret` and `info`."""
    extracted = hmac.digest(bytes(DIGEST_BYTES), secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def raw(text: str, size: int = DIGEST_BYTES) -> bytes:
    """The `size` bytes that `text` writes in lower-case hex; Invalid for any other spelling."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    # bytes.fromhex also takes capitals and spaces, which would give one id two spellings
    if len(data) != size or data.hex() != text:
        raise Invalid(f"expected {2 * size} lower-case hex characters, got {text[:80]!r}")
    return data
