"""The table of attacks in docs/threats.md is the one that these tests make."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.adversaries.attack import ROOT, Attack
from tests.adversaries.table import attacks, missing, table


@pytest.mark.parametrize("attack", attacks(), ids=lambda attack: f"{attack.by} {attack.does}"[:60])
def test_every_attack_is_shown_without_its_defence_against_it_and_harming_nobody(attack: Attack) -> None:
    assert missing(attack) == []


def test_no_attack_is_told_twice() -> None:
    told = Counter((attack.by, attack.does) for attack in attacks())

    assert [each for each, count in told.items() if count > 1] == []


def test_the_documentation_has_a_row_for_every_attack_with_its_tests() -> None:
    page = (ROOT / "docs/threats.md").read_text()

    assert table().strip() in page, "renew the table of docs/threats.md: python -m tests.adversaries"
