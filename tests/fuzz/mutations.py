"""Changes to genuine bytes: a few bytes, or one value of the JSON that they end with, spelled canonically again.

The second kind gets past a reader's first question, whether the spelling is canonical, which bytes at random never do.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any, Final

_STRANGE: Final[tuple[Any, ...]] = (
    *(0, 1, -1, 2, 255, 2**31 - 1, -(2**31), 2**53 - 1, 2**53, -(2**53) + 1, 2**64, 1.5, True, None),
    *("", "0", "a", "%C3%A9", "%", "é", 'a"b', "\\", "\n", "00" * 32, "ff" * 32, "linear-1", "main", "x" * 300),
    *([], {}, [[]], {"": 0}, {"kind": "number"}, [[[[[[[[]]]]]]]]),
)


def mutated(data: bytes, random: Random) -> bytes:
    """The bytes, changed in one to four ways."""
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        data = json_changed(data, random) if random.random() < 0.5 else bytes_changed(data, random)
    return data


def bytes_changed(data: bytes, random: Random) -> bytes:
    """Some bytes turned, taken out, doubled, put in, or everything after a place cut off."""
    at = random.randrange(len(data) + 1)
    end = min(len(data), at + random.choice((1, 1, 2, 4, 8, 32)))
    piece = random.randbytes(random.choice((1, 1, 2, 4, 8)))
    turned = bytes(byte ^ 1 << random.randrange(8) for byte in data[at:end])
    number = random.choice((0, 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1)).to_bytes(8, random.choice(("big", "little")))
    return random.choice(
        (
            data[:at] + turned + data[end:],
            data[:at] + data[end:],
            data[:end] + data[at:],
            data[:at] + piece + data[at:],
            data[:at] + piece + data[at + len(piece) :],
            data[:at] + number + data[at + 8 :],
            data[:at],
        )
    )


def json_changed(data: bytes, random: Random) -> bytes:
    """One value of the JSON object within `data` replaced, taken out, doubled or moved; bytes without one otherwise."""
    start = data.find(b"{")
    try:
        value = json.loads(data[start:]) if start >= 0 else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        return bytes_changed(data, random)
    container, key = _place(value, random)
    if key is None:
        return bytes_changed(data, random)
    _change(container, key, random)
    return data[:start] + json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _place(value: Any, random: Random) -> tuple[Any, Any]:
    """A container and a key within it, at any depth."""
    while value:
        key = random.choice(list(value)) if isinstance(value, dict) else random.randrange(len(value))
        inner = value[key]
        if not isinstance(inner, dict | list) or not inner or random.random() < 0.2:
            return value, key
        value = inner
    return value, None


def _change(container: Any, key: Any, random: Random) -> None:
    old, kind = container[key], random.randrange(5)
    if kind == 0:
        del container[key]
    elif kind == 1 and type(old) is int:
        container[key] = random.choice((old + 1, old - 1, -old, old * 2, old << random.randrange(40)))
    elif kind == 1 and isinstance(old, str) and old:
        at = random.randrange(len(old))
        container[key] = old[:at] + random.choice("0129afz%- ") + old[at + random.randrange(2) :]
    elif kind == 2 and isinstance(container, list):
        container.insert(random.randrange(len(container) + 1), old)
    elif kind == 3 and isinstance(container, list):
        random.shuffle(container)
    elif kind == 3:
        container[random.choice(list(container))] = old
    else:
        container[key] = json.loads(json.dumps(random.choice(_STRANGE)))
