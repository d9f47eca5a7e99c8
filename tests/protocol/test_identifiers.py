"""Ids follow from what makes a thing unique."""

from __future__ import annotations

from typing import Any

import pytest

from freehold.errors import Invalid
from freehold.protocol import identifiers
from tests.protocol.vectors import load

CASES = load("identifiers")["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["function"])
def test_an_id_is_the_digest_that_the_annex_gives(case: dict[str, Any]) -> None:
    assert getattr(identifiers, case["function"])(*case["fields"]) == case["id"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["function"])
def test_no_field_of_an_id_can_be_left_to_chance(case: dict[str, Any]) -> None:
    derive = getattr(identifiers, case["function"])

    for position, field in enumerate(case["fields"]):
        changed = list(case["fields"])
        if isinstance(field, int):
            changed[position] = field + 1
        elif field in ("do", "co", "mo"):
            changed[position] = {"do": "co", "co": "mo", "mo": "do"}[field]
        else:
            changed[position] = field[:-1] + ("0" if field[-1] != "0" else "1")
        assert derive(*changed) != case["id"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["function"])
def test_an_id_is_never_made_from_a_second_spelling_of_another(case: dict[str, Any]) -> None:
    derive = getattr(identifiers, case["function"])

    for position, field in enumerate(case["fields"]):
        if isinstance(field, str) and len(field) == 64:
            changed = list(case["fields"])
            changed[position] = field.upper() if field.upper() != field else field[:-1] + " "
            with pytest.raises(Invalid):
                derive(*changed)


def test_one_owner_of_two_datasets_gets_two_fees_for_one_round() -> None:
    couple, owner = identifiers.CoupleId("01" * 32), identifiers.MemberId("02" * 32)
    causes = [identifiers.fee_cause(couple, 1, identifiers.DatasetId(byte * 32)) for byte in ("03", "04")]

    assert len({identifiers.payout_id(cause, owner) for cause in causes}) == 2
