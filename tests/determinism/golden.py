"""Recomputes the golden digests of training with this Python, and says which differ.

Needs nothing but the product as it is installed: no test tools. The digests cover statistics (float matrix products),
encryption, products, masks, switching, decryption and noise, so a processor, library or interpreter that computes one
bit otherwise is found here before a cloud owner is out-voted for it.
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.learning.cases import cases, golden_digests


def main() -> int:
    """Compare every case; 0 when all are equal."""
    checked, wrong = 0, []
    for case, expected in cases():
        found = golden_digests(case, len(expected.get("rounds", [])))
        for (name, value), (_, other) in zip(leaves(case.name, expected), leaves(case.name, found), strict=True):
            checked += 1
            if value != other:
                wrong.append(name)
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
