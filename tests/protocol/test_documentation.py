"""`docs/protocol.md` names everything that the code can say."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from freehold.protocol import actions, assets, events, limits, refusals

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "protocol.md").read_text("utf-8")


def _section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def _row(section: str, word: str) -> str:
    """The row of the section's table whose first cell names `word`."""
    rows = [
        line for line in _section(section).splitlines() if line.startswith("|") and f"`{word}`" in line.split("|")[1]
    ]
    assert len(rows) == 1, f"{word} has {len(rows)} rows in {section!r}"
    return rows[0]


@pytest.mark.parametrize("function", sorted(actions.FUNCTIONS))
def test_every_function_is_described_with_its_arguments(function: str) -> None:
    row = _row("Functions", function)

    fields = actions.FUNCTIONS[function].__struct_fields__
    assert [field for field in fields if f"`{field}`" not in row] == []


@pytest.mark.parametrize("code", sorted(refusals.CODES))
def test_every_refusal_is_explained(code: str) -> None:
    assert _row("Refusals", code)


@pytest.mark.parametrize("name", events.NAMES)
def test_every_event_is_explained(name: str) -> None:
    assert _row("Events", name)


@pytest.mark.parametrize("kind", sorted(assets.KINDS))
def test_every_record_is_described_with_its_fields(kind: str) -> None:
    row = _row("Records", kind)

    if kind != "network":
        missing = [
            field.encode_name for field in msgspec.structs.fields(assets.KINDS[kind]) if field.encode_name not in row
        ]
        assert missing == []


@pytest.mark.parametrize("field", assets.Terms.__struct_fields__)
def test_every_term_is_named(field: str) -> None:
    assert f"`{field}`" in _section("Functions").split("**Terms**", 1)[1]


def _limits() -> dict[str, object]:
    units = ("HOUR", "DAY", "AMOUNT_LARGEST", "DEPOSITS_LARGEST")
    return {name: value for name, value in vars(limits).items() if re.fullmatch("[A-Z_]+", name) and name not in units}


@pytest.mark.parametrize("name", sorted(_limits()))
def test_every_limit_stands_with_its_value(name: str) -> None:
    value = _limits()[name]
    written = ", ".join(map(str, value)) if isinstance(value, tuple) else f"{value:,}"

    assert _row("Limits", name).split("|")[2].strip() == written


def test_every_vector_file_is_named_and_every_named_one_exists() -> None:
    named = set(re.findall(r"`(\w+)\.json`", _section("Checking another implementation")))

    assert named == {path.stem for path in (ROOT / "tests" / "vectors").glob("*.json")} & named
    own = {"actions", "admissions", "arguments", "canonical", "commitments", "digests", "draw", "identifiers"}
    assert named >= own | {"network", "packages", "records", "sealing", "signatures"}
