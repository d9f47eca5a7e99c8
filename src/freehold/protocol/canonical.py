"""Canonical JSON: one value, one spelling.

RFC 8785 restricted until every JSON reader of the world agrees on it: ASCII only; object keys ascending, each
once; no white space; strings without quotation mark, backslash or control character, so no escape ever occurs;
integers 0 … 2^53 − 1 in shortest form; neither true, false, null nor fractions; an absent field is left out; at
most six containers below the outermost one. Objects off the ledger may also hold negative integers (`signed`).

A reader parses, checks, encodes again and compares the bytes. The comparison is what catches everything that a
lenient parser would hide: a key twice (one of them is lost), keys out of order, white space, `-0`, `007`, escapes.
What remains for explicit checks is the little that would survive it: fractions, literals, large numbers, depth.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

import msgspec

from freehold.errors import Invalid
from freehold.protocol.limits import DEEPEST_NESTING, LARGEST_INTEGER

_DECODER: Final = msgspec.json.Decoder()
_ENCODER: Final = msgspec.json.Encoder(order="sorted")
# 0x20 … 0x7E without the backslash; a quotation mark inside a string cannot be written without one
_PLAIN: Final = bytes(byte for byte in range(0x20, 0x7F) if byte != ord("\\"))


class Reader(Protocol):
    """Reads JSON into one type; what `msgspec.json.Decoder(SomeRecord)` is."""

    def decode(self, data: bytes, /) -> Any: ...


def encode(value: object, *, signed: bool = False) -> bytes:
    """The canonical bytes of a mapping, sequence, string, integer or frozen record; Invalid if it has none."""
    _check(value, -LARGEST_INTEGER if signed else 0, DEEPEST_NESTING)
    try:
        data = _ENCODER.encode(value)
    except UnicodeEncodeError:
        data = b"\\"
    if not _is_plain(data):
        raise Invalid("canonical JSON holds plain ASCII text only: no quotation mark, backslash, control character")
    return data


def plain(record: msgspec.Struct) -> dict[str, Any]:
    """What a reader who knows only JSON sees in `record`: dicts, lists, strings and integers."""
    value: dict[str, Any] = _DECODER.decode(encode(record))
    return value


def decode(data: bytes, *, largest: int, signed: bool = False) -> dict[str, Any]:
    """The object that `data` writes; Invalid above `largest` bytes or for any spelling but the canonical one."""
    value = _read(data, _DECODER, largest)
    if type(value) is not dict:
        raise Invalid("canonical JSON must be an object")
    _compare(value, data, signed=signed)
    return value


def decode_record(data: bytes, reader: Reader, *, largest: int) -> Any:
    """The record that `reader` reads from `data`, which must be its canonical spelling; Invalid otherwise."""
    record = _read(data, reader, largest)
    _compare(record, data)
    return record


def _compare(value: object, data: bytes, *, signed: bool = False) -> None:
    """Check that the plain text `data`, from which `value` was read, is its canonical spelling."""
    _check(value, -LARGEST_INTEGER if signed else 0, DEEPEST_NESTING)
    if _ENCODER.encode(value) != data:
        raise Invalid("the JSON is not in its canonical spelling")


def _is_plain(data: bytes) -> bool:
    # five times as fast as an expression that says the same
    return not data.translate(None, _PLAIN)


def _read(data: bytes, reader: Reader, largest: int) -> Any:
    if len(data) > largest:
        raise Invalid(f"{len(data)} bytes of JSON, at most {largest} are read")
    # before it is parsed: what the parser complains about names keys, and no stranger writes on a reader's terminal
    if not _is_plain(data):
        raise Invalid("canonical JSON holds plain ASCII text only: no backslash, no control character")
    try:
        return reader.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"not readable as JSON: {str(error)[:200]}") from None


def check(value: object) -> None:
    """Check that a value inside a record has a canonical spelling; Invalid if it has none."""
    if value is not None:
        _check(value, 0, DEEPEST_NESTING - 1)


def _check(value: object, smallest: int, levels: int) -> None:
    """Check that `value` has a canonical spelling: kinds, ranges, and at most `levels` containers below it."""
    # type(), not isinstance(): True is an instance of int
    kind = type(value)
    if kind is str:
        return
    if kind is int:
        if not smallest <= value <= LARGEST_INTEGER:  # type: ignore[operator]
            raise Invalid(f"an integer lies outside {smallest} … {LARGEST_INTEGER}")
        return
    for inner in _contents(value):
        kind = type(inner)
        if kind is not str and kind is not int and levels == 0:
            raise Invalid(f"canonical JSON nests at most {DEEPEST_NESTING} levels below the outermost object")
        _check(inner, smallest, levels - 1)


def _contents(value: object) -> list[Any]:
    """The values inside a container; an absent field of a record is left out."""
    if isinstance(value, dict):
        if not all(type(key) is str for key in value):
            raise Invalid("keys of canonical JSON are strings")
        return list(value.values())
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, msgspec.Struct):
        fields = (getattr(value, name) for name in value.__struct_fields__)
        return [field for field in fields if field is not None]
    raise Invalid(f"canonical JSON has no {type(value).__name__}")
