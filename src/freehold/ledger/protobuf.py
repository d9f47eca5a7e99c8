"""Protobuf by hand, as far as the engines of several operators need it: varints, fields, and frames.

The bytes come from a node of CometBFT or Fabric, which passes on what strangers sent. So every length is compared with
what there is before anything is read, a varint has at most ten bytes, and a frame a largest size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from freehold.errors import Invalid

FRAME_LARGEST: Final = 32 * 2**20
"""Bytes of one message: blocks are configured to 2 MiB, and a node may hand over several proposals' worth."""

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
Value: TypeAlias = int | bytes
"""An int for VARINT, bytes for the others."""

_VARINT_LARGEST: Final = 10
_U64: Final = 2**64
_I64: Final = 2**63
_FIXED: Final = {FIXED64: 8, FIXED32: 4}


def varint(number: int) -> bytes:
    """The unsigned varint; a negative number is written as its 64-bit two's complement, as int64 is."""
    if not -_I64 <= number < _U64:
        raise Invalid(f"{number} has more than 64 bits")
    number %= _U64
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def read_varint(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """The varint at a place and the place after it; None if it is cut off, Invalid if it has more than 64 bits."""
    number = 0
    for place in range(_VARINT_LARGEST):
        if at + place >= len(data):
            return None
        byte = data[at + place]
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            if number >= _U64:
                break
            return number, at + place + 1
    raise Invalid("a varint has more than 64 bits")


def number_field(field: int, number: int) -> bytes:
    """An integer field; zero is left out, as proto3 demands."""
    return varint(field << 3 | VARINT) + varint(number) if number else b""


def bytes_field(field: int, data: bytes) -> bytes:
    """A bytes or string field; empty bytes are left out."""
    return message_field(field, data) if data else b""


def message_field(field: int, data: bytes) -> bytes:
    """A message, or one element of a repeated field: written even if it is empty."""
    return varint(field << 3 | BYTES) + varint(len(data)) + data


def fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """The fields of a message in their order, each number with its value; Invalid if they do not fill it exactly."""
    at = 0
    while at < len(data):
        tag, at = _number(data, at)
        field, kind = tag >> 3, tag & 7
        if not field:
            raise Invalid("a field of a message has the number 0")
        if kind == VARINT:
            number, at = _number(data, at)
            yield field, number
            continue
        if kind == BYTES:
            size, at = _number(data, at)
        elif kind in _FIXED:
            size = _FIXED[kind]
        else:
            raise Invalid(f"a field of a message has the unknown kind {kind}")
        if size > len(data) - at:
            raise Invalid("a field of a message is cut off")
        yield field, data[at : at + size]
        at += size


def integer(value: Value) -> int:
    """The value of an int64 field; Invalid if the field holds no number."""
    if not isinstance(value, int):
        raise Invalid("a field holds bytes where a number belongs")
    return value - _U64 if value >= _I64 else value


def octets(value: Value) -> bytes:
    """The value of a bytes field; Invalid if the field holds a number."""
    if not isinstance(value, bytes):
        raise Invalid("a field holds a number where bytes belong")
    return value


def text(value: Value) -> str:
    """The value of a string field; Invalid if it is not UTF-8."""
    try:
        return octets(value).decode()
    except UnicodeDecodeError:
        raise Invalid("a field of text is not UTF-8") from None


def framed(message: bytes) -> bytes:
    """The message as it travels."""
    return varint(len(message)) + message


def take_frames(buffer: bytearray, *, largest: int = FRAME_LARGEST) -> list[bytes]:
    """Takes every whole message off the front of the buffer; Invalid if one claims more than `largest` bytes."""
    found: list[bytes] = []
    at = 0
    while read := read_varint(buffer, at):
        size, start = read
        if size > largest:
            raise Invalid(f"a message of {size} bytes: at most {largest} are read")
        if start + size > len(buffer):
            break
        found.append(bytes(buffer[start : start + size]))
        at = start + size
    del buffer[:at]
    return found


def _number(data: bytes, at: int) -> tuple[int, int]:
    read = read_varint(data, at)
    if read is None:
        raise Invalid("a varint is cut off")
    return read
