"""The vectors of feature maps, and the rows that their formula stands for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from freehold.learning.maps import FeatureMap
from freehold.protocol.digests import sha256

VECTORS = Path(__file__).parent.parent / "vectors" / "training-maps.json"


def load() -> dict[str, Any]:
    """`maps` with rows and features written out, `many` with a formula and a digest."""
    loaded: dict[str, Any] = json.loads(VECTORS.read_text())
    return loaded


def many_rows(count: int, columns: int) -> list[list[int]]:
    """x(r, j) = ((r + 1)(j + 3)·7919 + 13·j²) mod 20001 − 10000."""
    return [[((r + 1) * (j + 3) * 7919 + 13 * j * j) % 20001 - 10000 for j in range(columns)] for r in range(count)]


def digest_of(features: list[list[int]]) -> str:
    """SHA-256 of the features as signed bytes, row by row."""
    return sha256(np.array(features, np.int8).tobytes()).hex()


def many_digest(vector: dict[str, Any]) -> str:
    """The digest of a vector of `many`, by the product."""
    feature_map = FeatureMap.parse(vector["map"].encode())
    rows = many_rows(vector["rows"], len(feature_map.description.columns))
    return digest_of(feature_map.features(np.array(rows, np.int32)).tolist())
