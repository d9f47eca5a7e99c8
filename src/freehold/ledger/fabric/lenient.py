"""Messages that a stranger wrote, read as the peers read them.

A client makes the envelope around what was endorsed, and may spell it in its own way: a message in two parts, which
are one; fields that nobody knows, groups among them; a known number with a value of another kind, which counts as
unknown. Peers find such a transaction valid. So whoever follows them has to read it too, and to the same: otherwise one
client could stop every node.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from freehold.errors import Invalid
from freehold.ledger.protobuf import BYTES, FIXED32, FIXED64, VARINT, Value, integer, octets, read_varint

GROUP, GROUP_END = 3, 4
_FIXED: Final = {FIXED64: 8, FIXED32: 4}
_Field: TypeAlias = tuple[int, int, Value]
"""Number, kind and value."""


def last(data: bytes, number: int) -> bytes:
    """The bytes field of this number: of several the last; empty if there is none."""
    return (_values(data, number) or [b""])[-1]


def merged(data: bytes, number: int) -> bytes:
    """The message field of this number: of several the parts as one; empty if there is none."""
    return b"".join(_values(data, number))


def repeated(data: bytes, number: int) -> list[bytes]:
    """The elements of a repeated field."""
    return _values(data, number)


def whole(data: bytes, number: int) -> int:
    """The integer field of this number: of several the last; 0 if there is none."""
    listed = [value for each, kind, value in _scanned(data) if each == number and kind == VARINT]
    return integer(listed[-1]) if listed else 0


def _values(data: bytes, number: int) -> list[bytes]:
    return [octets(value) for each, kind, value in _scanned(data) if each == number and kind == BYTES]


def _scanned(data: bytes) -> Iterator[_Field]:
    """The fields of a message outside of groups; Invalid if they do not fill it exactly."""
    at = 0
    groups: list[int] = []
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if not number:
            raise Invalid("a field of a message has the number 0")
        if kind == GROUP:
            groups.append(number)
            continue
        if kind == GROUP_END:
            if not groups or groups.pop() != number:
                raise Invalid("a group of a message ends where none began")
            continue
        value, at = _value(data, at, kind)
        if not groups:
            yield number, kind, value
    if groups:
        raise Invalid("a group of a message does not end")


def _value(data: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind == VARINT:
        return _varint(data, at)
    if kind == BYTES:
        size, at = _varint(data, at)
    elif kind in _FIXED:
        size = _FIXED[kind]
    else:
        raise Invalid(f"a field of a message has the unknown kind {kind}")
    if size > len(data) - at:
        raise Invalid("a field of a message is cut off")
    return data[at : at + size], at + size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    read = read_varint(data, at)
    if read is None:
        raise Invalid("a varint is cut off")
    return read
