"""What must hold of every reader of strangers' bytes, whatever the bytes.

A reader either refuses with an error that the product documents, or reads; and what it read has exactly the spelling
that it was read from. Everything else is a surprise: another exception, a second spelling, an error of our own making.
"""

from __future__ import annotations

from collections.abc import Callable

from freehold.errors import Invalid, Refused
from freehold.protocol.refusals import CODES


class Surprise(AssertionError):
    """A reader did what none may do."""


def read(reader: Callable[[bytes], object], data: bytes, encode: Callable[[object], bytes] | None = None) -> bool:
    """Whether `reader` reads the bytes; with `encode`, what it read is spelled again and compared."""
    try:
        value = reader(data)
    except Invalid:
        return False
    except Refused as refused:
        if refused.code not in CODES:
            raise Surprise(f"refused with {refused.code!r}, which is no code of the protocol") from refused
        return False
    if encode is not None and encode(value) != data:
        raise Surprise("two spellings were read as one value")
    return True


def patched(genuine: bytes, data: bytes) -> bytes:
    """A genuine object with some bytes overwritten, as `data` says: place (3 bytes), length (1 byte), that many bytes.

    So a reader of objects that have one length and many numbers is reached behind its first checks, by short inputs.
    """
    object, at = bytearray(genuine), 0
    while at + 4 < len(data):
        place = int.from_bytes(data[at : at + 3], "big") % len(genuine)
        piece = data[at + 4 : at + 4 + data[at + 3] % 16 + 1]
        object[place : place + len(piece)] = piece
        at += 4 + len(piece)
    return bytes(object[: len(genuine)])
