"""Every promise has an id that stands in docs/threats.md, and in the code that asks whether it holds."""

from __future__ import annotations

import re

import pytest

from freehold.contract.invariants import INVARIANTS
from tests.adversaries.attack import ROOT
from tests.adversaries.table import attacks

PAGE = ROOT / "docs/threats.md"
PROMISES = (
    *(f"S-{number}" for number in range(1, 21)),
    *(f"G-{number}" for number in range(1, 8)),
    *(f"V-{number}" for number in range(1, 7)),
)
ROW = re.compile(r"\| (?P<id>[SGV]-\d+) \|.*\| (?P<asked_by>[^|]*) \|")
LINK = re.compile(r"\[[^]]+\]\(\.\./([^)]+)\)")
ASKED_BY = {
    row["id"]: LINK.findall(row["asked_by"]) for row in map(ROW.fullmatch, PAGE.read_text().splitlines()) if row
}


def test_every_promise_has_its_row() -> None:
    assert tuple(ASKED_BY) == PROMISES


@pytest.mark.parametrize("promise", PROMISES)
def test_a_promise_is_asked_where_its_row_says_so(promise: str) -> None:
    assert ASKED_BY[promise]
    for file in ASKED_BY[promise]:
        assert re.search(rf"\b{promise}\b", (ROOT / file).read_text()), f"{file} does not name {promise}"


def test_every_invariant_of_the_contract_and_every_attack_names_a_promise() -> None:
    named = [*INVARIANTS, *(attack.stopped_by for attack in attacks() if attack.promised)]

    for text in named:
        assert set(re.findall(r"\b[SGV]-\d+\b", text)) & set(PROMISES), text
