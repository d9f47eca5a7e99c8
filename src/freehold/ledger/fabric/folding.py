"""Blocks of Fabric as text in which each certificate stands once.

Every transaction names its creator twice and each endorser once, with the whole certificate each time, which is half of
its bytes. Here a block is a list of pieces: text is base64 of bytes, a number the place of a certificate in a table.
Cut is wherever a certificate in the usual spelling of PEM begins or ends, and the table is in the order in which they
come first. So the same bytes give the same pieces, and whoever reads pieces folds what they say again and compares.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final, TypeAlias

from freehold.errors import Invalid

Pieces: TypeAlias = tuple[str | int, ...]

PEM: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----\n"
    rb"(?:[A-Za-z0-9+/]{64}\n){0,127}[A-Za-z0-9+/]{1,64}={0,2}\n"
    rb"-----END CERTIFICATE-----\n"
)


class Folding:
    """The table, while blocks are folded one after the other."""

    def __init__(self) -> None:
        self._places: dict[bytes, int] = {}

    @property
    def certificates(self) -> tuple[str, ...]:
        """What stands in the table so far, in base64."""
        return tuple(map(_to_base64, self._places))

    def copy(self) -> Folding:
        """The table as it is, to go on with it in another way."""
        copied = Folding()
        copied._places.update(self._places)
        return copied

    def fold(self, data: bytes) -> Pieces:
        """The pieces that say these bytes."""
        pieces: list[str | int] = []
        at = 0
        for found in PEM.finditer(data):
            if found.start() > at:
                pieces.append(_to_base64(data[at : found.start()]))
            pieces.append(self._places.setdefault(found[0], len(self._places)))
            at = found.end()
        if at < len(data):
            pieces.append(_to_base64(data[at:]))
        return tuple(pieces)


class Unfolding:
    """A table that somebody else made, and the bytes that pieces say with it."""

    def __init__(self, certificates: Sequence[str], largest: int) -> None:
        """`largest` bytes are said in all at most: a number of one digit may stand for a thousand bytes."""
        self._given = tuple(certificates)
        self._table = [_from_base64(each) for each in certificates]
        self._again = Folding()
        self._left = largest

    def unfold(self, pieces: Pieces) -> bytes:
        """The bytes; Invalid unless these are the pieces that they give, and the table is in order."""
        data = b"".join(map(self._said, pieces))
        if self._again.fold(data) != pieces:
            raise Invalid("its blocks are cut otherwise than certificates begin and end")
        return data

    def end(self) -> None:
        """Invalid if the table holds anything else than what came."""
        if self._again.certificates != self._given:
            raise Invalid("it holds other certificates than its blocks name")

    def _said(self, piece: str | int) -> bytes:
        if isinstance(piece, int):
            if not 0 <= piece < len(self._table):
                raise Invalid(f"it has no certificate {piece}")
            said = self._table[piece]
        else:
            said = _from_base64(piece)
        self._left -= len(said)
        if self._left < 0:
            raise Invalid("its blocks are larger than is read")
        return said


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("a value that should be base64 is not") from None
