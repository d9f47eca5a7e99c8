"""S-17: whatever a market of real agents leaves on the ledger is a hash, a key, a number or a word of a closed list."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest

from freehold.learning.prepared import Prepared
from freehold.protocol import assets, events
from freehold.protocol.actions import FUNCTIONS
from freehold.protocol.forms import MODEL_TYPES
from tests.agents.town import Town

STATES = {
    word
    for state in (
        assets.DatasetState, assets.InstanceState, assets.CoupleState,
        assets.BallotState, assets.JobState, assets.PayoutState, assets.Role,
    )
    for word in get_args(state)
}  # fmt: skip
WORDS = {*STATES, *FUNCTIONS, *events.NAMES, *MODEL_TYPES, "linear-1", "statistics-1", "main"}
BYTES = re.compile("[0-9a-f]{64}|[0-9a-f]{128}")
SEALED = "locator"
LOCATOR = re.compile("[0-9a-f]{1120}")
KEYS = ("signing_key", "sealing_key", "recovery_key")


def values(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    """Every text and number inside a document, with the name of its field."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from values(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from values(inner, name)
    else:
        yield name, value


def documents(ledger: Any) -> list[dict[str, Any]]:
    """Every action, result and header of a ledger's blocks."""
    found = []
    for block in ledger.export(0, 1 << 30):
        found.append(msgspec.json.decode(block.header))
        found += [msgspec.json.decode(action[96:]) for action in block.actions]
        found += [msgspec.json.decode(result) for result in block.results]
    return found


def identifying(found: list[dict[str, Any]]) -> list[tuple[str, object]]:
    """What is of no known kind, and keys that stand under two members."""
    strange = []
    for document in found:
        for name, value in values(document):
            known = type(value) is int or value in WORDS
            if not known and isinstance(value, str):
                known = bool((LOCATOR if name == SEALED else BYTES).fullmatch(value))
            if not known:
                strange.append((name, value))
    joined = [each["arguments"] for each in found if str(each.get("function")) in ("CreateDO", "CreateCO", "CreateMO")]
    uses = Counter(arguments[key] for arguments in joined for key in KEYS)
    return strange + [("key", key) for key, times in uses.items() if times > 1]


@pytest.fixture
def found(town: Town, prepared: Prepared) -> list[dict[str, Any]]:
    town.settles(cloud_owners=12)
    town.trains("heart", town.publishes(prepared), rounds=2)
    return documents(town.ledger)


def test_everything_that_real_agents_record_is_of_a_known_kind(found: list[dict[str, Any]], town: Town) -> None:
    assert len(found) > 300
    assert sum(document.get("function") == "CreateCO" for document in found) == 12
    assert identifying(found) == []
    recorded = msgspec.json.encode(found).decode()
    for name in (*town.people, "hospital", "age", "dose", "pulse", "outcome", str(town.folder), "localhost"):
        assert f'"{name}' not in recorded


def test_one_planted_word_is_found_wherever_it_stands(found: list[dict[str, Any]]) -> None:
    names = ("hospital 1", "jane@example.org", "ward-7.example", "/srv/patients.csv", "outcome")
    last = next(document for document in reversed(found) if document.get("function") == "UpdateTJ")
    for planted in (*names, "ab" * 31, "AB" * 32, 1.5):
        for field in ("commitment", "nonce", "locator"):
            honest = last["arguments"][field]
            last["arguments"][field] = planted
            assert identifying(found) == [(field, planted)]
            last["arguments"][field] = honest


def test_a_locator_of_another_length_and_a_key_used_twice_are_found(found: list[dict[str, Any]]) -> None:
    offer = next(document for document in found if document.get("function") == "CreateCI")
    first, second = [document for document in found if document.get("function") == "CreateCO"][:2]
    shorter = offer["arguments"]["locator"][:-2]
    offer["arguments"]["locator"] = shorter
    second["arguments"]["sealing_key"] = first["arguments"]["sealing_key"]

    assert identifying(found) == [("locator", shorter), ("key", first["arguments"]["sealing_key"])]
