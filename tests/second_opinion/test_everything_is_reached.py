"""The histories in which product and second opinion agree reach every function and every reason to refuse.

An agreement says nothing about a rule that no history comes to. A new function, a new code or a new reason on the
protocol's page fails here until the crowd comes to it, or until it stands in `UNREACHED` with its reason.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from freehold.protocol import actions
from freehold.protocol.refusals import CODES
from tests.second_opinion.compared import Compared, function_of

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"
SEEDS = range(16)
MOVES = 500
UNREACHED = {
    ("StartRound", "limit"): "a subset has at most n slots, and RequestTC counted n for each of the largest group",
}
"""What the protocol's page names and no action of anybody can bring about, and why."""


@pytest.fixture(scope="module")
def crowds() -> list[Compared]:
    """The same crowds every time: open and permissioned networks, poor and rich, few datasets and many."""
    lived = []
    for seed in SEEDS:
        crowd = Compared(Random(seed), permissioned=bool(seed & 1), rich=bool(seed & 2), wide=bool(seed & 4))
        crowd.gathers()
        crowd.lives(MOVES)
        crowd.loses_its_datasets()
        lived.append(crowd)
    for seed, operators in enumerate((1, 2, 4, 32)):
        crowd = Compared(Random(seed), permissioned=False, rich=False, wide=False, operators=operators)
        crowd.governs(150)
        crowd.ends()
        lived.append(crowd)
    return lived


def own_refusals() -> set[tuple[str, str]]:
    """Function and code, as the last column of the protocol's table of functions names them."""
    found = set()
    for line in PAGE.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        functions = re.findall(r"`(\w+)`", cells[1]) if len(cells) == 7 else []
        if functions and set(functions) <= set(actions.FUNCTIONS):
            codes = set(re.findall(r"`([a-z-]+)`", cells[5])) & set(CODES)
            found |= {(function, code) for function in functions for code in codes}
    return found


def test_every_function_is_carried_out(crowds: list[Compared]) -> None:
    done = Counter(function_of(action) for crowd in crowds for action, _ in crowd.accepted)

    assert set(done) == set(actions.FUNCTIONS)


def test_every_code_is_given(crowds: list[Compared]) -> None:
    assert {code for crowd in crowds for _, code in crowd.refused} == set(CODES)


def test_every_function_is_refused_for_each_reason_of_its_own_but_those_that_cannot_come_about(
    crowds: list[Compared],
) -> None:
    given = {fate for crowd in crowds for fate in crowd.refused}
    own = own_refusals()

    assert {function for function, _ in own} > {"CreateDS", "StartRound", "Withdraw"}, "the page is read no more"
    assert own - given == set(UNREACHED)
    assert all(len(reason) > 20 for reason in UNREACHED.values())


def test_every_function_is_refused_for_its_form_its_time_and_its_sender(crowds: list[Compared]) -> None:
    given = {fate for crowd in crowds for fate in crowd.refused}

    for code in ("malformed", "clock", "not-yours"):
        assert {function for function, each in given if each == code} >= set(actions.FUNCTIONS), code
