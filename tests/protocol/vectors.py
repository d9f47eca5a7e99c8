"""Reads the vector files of `tests/vectors`, which any other implementation can read as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

_FOLDER = Path(__file__).parent.parent / "vectors"


def load(name: str) -> dict[str, Any]:
    """The vector file `name`, without its description."""
    content: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text("ascii"))
    assert content.pop("description")
    return content


def named(cases: list[dict[str, Any]]) -> list[Any]:
    """The cases as pytest parameters that bear their own sentence."""
    return [pytest.param(case, id=case.get("what", str(index))) for index, case in enumerate(cases)]
