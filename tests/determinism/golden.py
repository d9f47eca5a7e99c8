"""Recomputes the golden digests of training with this Python, and says which differ.

Needs nothing but the product as it is installed: no test tools. The digests cover features, statistics (float matrix
products), encryption, products, masks, switching, decryption and noise, so a processor, library or interpreter that
computes one bit otherwise is found here before a cloud owner is out-voted for it.
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.learning import map_vectors
from tests.learning.cases import cases, golden_digests


def main() -> int:
    """Compare every case; 0 when all are equal."""
    expected: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for case, digests in cases():
        expected[case.name] = digests
        found[case.name] = golden_digests(case, len(digests.get("rounds", [])))
    for vector in map_vectors.load()["many"]:
        expected[vector["digest"]] = vector["features"]
        found[vector["digest"]] = map_vectors.many_digest(vector)
    pairs = list(zip(leaves("", expected), leaves("", found), strict=True))
    checked, wrong = len(pairs), [name for (name, value), (_, other) in pairs if value != other]
    for name in wrong:
        print(f"differs: {name}")
    system = f"{platform.python_implementation()} {platform.python_version()} on {platform.machine()}"
    print(f"{checked - len(wrong)} of {checked} golden values are equal ({system})")
    return 1 if wrong else 0


def leaves(path: str, value: Any) -> list[tuple[str, Any]]:
    """Every value of a nested structure with the way to it."""
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in leaves(f"{path} / {key}", value[key])]
    if isinstance(value, list):
        return [leaf for index, inner in enumerate(value) for leaf in leaves(f"{path} / {index}", inner)]
    return [(path, value)]


if __name__ == "__main__":
    sys.exit(main())
