"""Several byte strings in one: each as its length, u32 big-endian, and its bytes. Nothing stands between or after them.

The same form carries actions over HTTP and lies in the block file.
"""

from __future__ import annotations

from collections.abc import Iterable

from freehold.errors import Invalid

LENGTH = 4


def frame(parts: Iterable[bytes]) -> bytes:
    """The parts as frames, in their order."""
    return b"".join([piece for part in parts for piece in (len(part).to_bytes(LENGTH, "big"), part)])


def unframe(data: bytes, *, largest: int, most: int) -> list[bytes]:
    """The parts of `data`; Invalid if one has more than `largest` bytes, if there are more than `most`, or at a
    remainder."""
    parts: list[bytes] = []
    at = 0
    while at < len(data):
        start = at + LENGTH
        size = int.from_bytes(data[at:start], "big")
        if size > largest or len(parts) == most:
            raise Invalid(f"a frame of {size} bytes at place {len(parts)}: at most {most} of {largest} bytes are read")
        at = start + size
        if at > len(data):
            raise Invalid("the last frame is cut off")
        parts.append(data[start:at])
    return parts
