"""The two forms of a name, and nothing else: whoever can write a name cannot leave the folder with it."""

from __future__ import annotations

import re
from hashlib import sha256

from freehold.errors import Invalid

OBJECT_LARGEST = 2**30
"""Bytes of one object: a sealed package of 150,000 rows × 1,000 columns fits."""

_NAME = re.compile(r"(?:results/[0-9a-f]{64}/)?([0-9a-f]{64})", re.ASCII)


def digest_of(name: str) -> str:
    """The SHA-256 that the name promises, hex; Invalid unless it is `<digest>` or `results/<job>/<digest>`."""
    matched = _NAME.fullmatch(name)
    if matched is None:
        raise Invalid(
            f"{name[:160]!r} is no name of an object",
            why="a name is 64 lower-case hex digits, or results/<64>/<64>",
        )
    return matched[1]


def check(name: str, digest: str) -> None:
    """Invalid unless the bytes with this digest are what the name promises."""
    if digest_of(name) != digest:
        raise Invalid(f"the bytes are not what the name {name} promises", why=f"their SHA-256 is {digest}")


def check_bytes(name: str, data: bytes) -> None:
    """Invalid unless these bytes are what the name promises."""
    check(name, sha256(data).hexdigest())
