"""A referee that rules too often, too late, where nobody named it, or falsely."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from freehold.contract import rulings
from freehold.errors import Refused
from tests.adversaries.attack import Attack
from tests.adversaries.careless import refuses_nobody
from tests.market import Ballot, Market

RULES_TWICE = Attack(
    by="referee",
    does="rules a second time, the other way round",
    stopped_by="S-15: a ballot is ruled on once",
)
RULES_LATE = Attack(
    by="referee",
    does="rules after the hold, when nobody keeps its package any more",
    stopped_by="S-15: a ruling is taken until a hold after the ballot's end",
)
RULES_UNASKED = Attack(
    by="referee",
    does="rules on a ballot whose terms do not name it",
    stopped_by="S-12: a replica accepted one referee with the terms, and only that one's word counts",
)
RULES_FALSELY = Attack(
    by="referee",
    does="rules that an honest replica lied",
    stopped_by="Who accepts terms with a referee trusts it with its stake. A false ruling stays for ever, and whoever"
    " holds the package can compute that it is false (S-13); terms without a referee have no stake at all",
    promised=False,
)


def agreed(market: Market, **terms: Any) -> Ballot:
    """A ballot on which three honest replicas agree."""
    return market.trains(subsets=2, **terms).starts_round().ballot(subset=0).is_agreed(b"gradient")


def rules_twice(market: Market) -> Ballot:
    ballot = agreed(market)
    ballot.is_ruled(b"gradient")
    with suppress(Refused):
        ballot.is_ruled(b"something else")
    return ballot


def rules_late(market: Market) -> Ballot:
    ballot = agreed(market)
    market.waits_until_after(ballot.record["close_until"] + 80_000)
    with suppress(Refused):
        ballot.is_ruled(b"something else")
    return ballot


def rules_unasked(market: Market) -> Ballot:
    ballot = agreed(market, referee=None, stake=0)
    with suppress(Refused):
        ballot.is_ruled(b"something else")
    return ballot


WAYS = {
    "exists": (RULES_TWICE, rules_twice),
    "too-late": (RULES_LATE, rules_late),
    "not-yours": (RULES_UNASKED, rules_unasked),
}
ATTACKS = [(code, rules) for code, (_, rules) in WAYS.items()]


@RULES_TWICE.without
@RULES_LATE.without
@RULES_UNASKED.without
@pytest.mark.parametrize(("code", "rules"), ATTACKS, ids=WAYS)
def test_where_nobody_asks_whether_a_ruling_may_come_three_honest_replicas_get_a_finding(
    code: str, rules: Callable[[Market], Ballot], monkeypatch: pytest.MonkeyPatch
) -> None:
    refuses_nobody(monkeypatch, rulings, code)
    market = Market()

    ballot = rules(market)

    assert {finding["co"] for finding in market.records("finding")} == {replica.id for replica in ballot.replicas}


@RULES_TWICE.against
@RULES_TWICE.unharmed
@RULES_LATE.against
@RULES_LATE.unharmed
@RULES_UNASKED.against
@RULES_UNASKED.unharmed
@pytest.mark.parametrize(("code", "rules"), ATTACKS, ids=WAYS)
def test_such_a_ruling_is_refused_nobody_is_found_guilty_and_the_training_goes_on(
    code: str, rules: Callable[[Market], Ballot]
) -> None:
    market = Market()

    ballot = rules(market)

    assert market.records("finding") == []
    assert list(ballot.verdicts().values()) == ["accepted"] * 3
    assert {instance["state"] for instance in market.records("instance")} == {"verified"}
    assert all(market.earned(replica) == 100 for replica in ballot.replicas)
    assert market.ledger.evaluate("totals", {})["burned"] == 0
    assert market.money_is_conserved()


@RULES_FALSELY.without
def test_the_referee_of_the_terms_can_burn_honest_stakes_and_its_ruling_stays_for_all_to_check() -> None:
    market = Market()
    ballot = agreed(market)

    ballot.is_ruled(b"something else")

    assert market.ledger.evaluate("totals", {})["burned"] == 3_000
    assert ballot.record["ruling"] != ballot.record["digest"]
    assert all(market.earned(replica) == 100 for replica in ballot.replicas)
