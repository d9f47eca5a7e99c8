"""Canonical JSON, read by hand: no escape, no sign, no point, keys ascending, and nothing but one spelling.

The reader descends character by character and never encodes again; a reader that parses, encodes and compares must
agree with it.
"""

from __future__ import annotations

import re
from typing import Any

LARGEST = 2**53 - 1
DEEPEST = 6
NUMBER = re.compile("0|[1-9][0-9]{0,15}")


class Unreadable(Exception):
    """These bytes are no canonical JSON object."""


def parse(data: bytes) -> dict[str, Any]:
    """The object that the bytes spell."""
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        raise Unreadable from None
    value, end = _value(text, 0, 0)
    if end != len(text) or type(value) is not dict:
        raise Unreadable
    return value


def encode(value: Any) -> str:
    """The one spelling of a value."""
    if isinstance(value, dict):
        return "{" + ",".join(f'"{key}":{encode(value[key])}' for key in sorted(value)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(encode, value)) + "]"
    if isinstance(value, str):
        return f'"{value}"'
    assert type(value) is int
    assert 0 <= value <= LARGEST, value
    return str(value)


def _value(text: str, at: int, depth: int) -> tuple[Any, int]:
    opening = text[at : at + 1]
    if opening == '"':
        return _string(text, at)
    if opening in ("{", "["):
        if depth > DEEPEST:
            raise Unreadable
        return _object(text, at + 1, depth) if opening == "{" else _list(text, at + 1, depth)
    number = NUMBER.match(text, at)
    if not number or int(number[0]) > LARGEST:
        raise Unreadable
    return int(number[0]), number.end()


def _object(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    if text[at : at + 1] == "}":
        return found, at + 1
    last = None
    while True:
        key, at = _string(text, at)
        if (last is not None and key <= last) or text[at : at + 1] != ":":
            raise Unreadable
        last = key
        found[key], at = _value(text, at + 1, depth + 1)
        if text[at : at + 1] == "}":
            return found, at + 1
        if text[at : at + 1] != ",":
            raise Unreadable
        at += 1


def _list(text: str, at: int, depth: int) -> tuple[list[Any], int]:
    found: list[Any] = []
    if text[at : at + 1] == "]":
        return found, at + 1
    while True:
        value, at = _value(text, at, depth + 1)
        found.append(value)
        if text[at : at + 1] == "]":
            return found, at + 1
        if text[at : at + 1] != ",":
            raise Unreadable
        at += 1


def _string(text: str, at: int) -> tuple[str, int]:
    end = text.find('"', at + 1)
    if text[at : at + 1] != '"' or end < 0:
        raise Unreadable
    found = text[at + 1 : end]
    if any(not " " <= character <= "~" or character == "\\" for character in found):
        raise Unreadable
    return found, end + 1
