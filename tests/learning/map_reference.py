"""Feature maps once more, one number at a time, as TRAINING-ANNEX §6 writes them."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from freehold.learning.random_features import cosine_table
from tests.learning.stream_reference import ReferenceStream

LEVELS = [128, *range(256, 3841, 256), 3968]


def rnd(a: int, b: int) -> int:
    return (2 * a + b) // (2 * b)


def clip(x: int) -> int:
    return max(-127, min(127, x))


def std(x: int, column: dict[str, Any]) -> int:
    deviation = column["deviation"]
    return clip(rnd(32 * (x * 2**16 - column["mean"]), deviation)) if deviation else 0


def rank(x: int, knots: list[int]) -> int:
    low, high = sum(knot < x for knot in knots), sum(knot <= x for knot in knots)
    if high > low:
        level = (LEVELS[low] + LEVELS[high - 1]) // 2
    elif low in (0, 17):
        level = 4032 if low else 64
    else:
        rise, run = LEVELS[low] - LEVELS[low - 1], knots[low] - knots[low - 1]
        level = LEVELS[low - 1] + rnd(rise * (x - knots[low - 1]), run)
    return rnd(127 * (level - 2048), 2048)


def plain(columns: list[dict[str, Any]], row: list[int], *, ranks: bool) -> list[int]:
    found: list[int] = []
    for column, x in zip(columns, row, strict=True):
        if column["kind"] == "category":
            found += [64 * (x == value) for value in range(1, column["values"] + 1)]
        elif column["kind"] == "byte":
            found.append(clip(x))
        else:
            found.append(rank(x, column["knots"]) if ranks else std(x, column))
    return found


def features(map: dict[str, Any], rows: list[list[int]]) -> list[list[int]]:
    """The features of rows under a map's description."""
    columns, name = map["columns"], map["name"]
    result = []
    drawn: list[tuple[list[int], int]] | None = None
    for row in rows:
        found = plain(columns, row, ranks=name == "quantile")
        if name == "standard":
            pairs = zip(columns, row, strict=True)
            found += [rank(x, column["knots"]) for column, x in pairs if column["kind"] == "number"]
        elif name == "poly2":
            found += [clip(rnd(a * b, 64)) for i, a in enumerate(found) for b in found[i:]]
        elif name == "rff":
            drawn = drawn or waves(map, len(found))
            found += cosines(drawn, found)
        result.append([*found, 64])
    return result


def waves(map: dict[str, Any], width: int) -> list[tuple[list[int], int]]:
    """Frequencies and phase of every random feature over `width` plain ones."""
    tag = hashlib.sha256(b"freehold/1/rff").digest()
    extracted = hmac.digest(bytes(32), bytes.fromhex(map["seed"]), "sha256")
    key = hmac.digest(extracted, tag + bytes(32) + b"\x01", "sha256")
    found = []
    for index in range(map["count"]):
        stream = ReferenceStream(key, index)
        sums = [sum(int.from_bytes(stream.read(2), "little") for _ in range(12)) for _ in range(width)]
        frequencies = [rnd(map["width"] * (total - 393210), 65536) for total in sums]
        found.append((frequencies, int.from_bytes(stream.read(3), "little") % 2**20))
    return found


def cosines(waves: list[tuple[list[int], int]], plain: list[int]) -> list[int]:
    table = cosine_table()
    angles = (phase + sum(w * g for w, g in zip(frequencies, plain, strict=True)) for frequencies, phase in waves)
    return [int(table[angle % 2**20 >> 8]) for angle in angles]
