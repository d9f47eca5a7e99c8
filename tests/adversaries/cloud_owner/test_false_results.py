"""Cloud owners that hand in what is no work of theirs: the base, noise, an old answer, half of it, other rows.

All of these look like an answer: they have its form and its length, and no one who lacks the rows can tell. What tells
them apart is that honest replicas of a subset compute the same bytes, so a majority that did the work is a majority
for one digest.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from freehold.agents.workbench import Workbench
from freehold.learning.prepared import Prepared
from freehold.learning.rows import Rows
from freehold.protocol.packages import unpack
from tests.adversaries.attack import Attack
from tests.adversaries.careless import whoever_commits_is_paid
from tests.adversaries.cloud_owner.programs import Base, OtherRows, Stale, package_of, works_with
from tests.agents.test_market import plaintext_weights
from tests.agents.test_referee import Lying
from tests.agents.test_trouble import slots_of, weights_of
from tests.agents.town import PRICE_JOB, Town

MAJORITY = "S-11: only what more than half of a subset's replicas computed alike is accepted and paid"
RETURNS_BASE = Attack(by="cloud owner", does="hands in the base that it was sent as its answer", stopped_by=MAJORITY)
ADDS_NOISE = Attack(
    by="cloud owner",
    does="hands in its answer with one bit turned",
    stopped_by=MAJORITY,
)
IS_STALE = Attack(
    by="cloud owner", does="works once, and hands in the same answer in every later round", stopped_by=MAJORITY
)
HALF_DONE = Attack(
    by="cloud owner",
    does="computes on half of its rows",
    stopped_by=MAJORITY,
)
WRONG_SUBSET = Attack(
    by="cloud owner", does="trains on another subset's rows, which an accomplice gave it", stopped_by=MAJORITY
)

ROUNDS = 2
Starts = Callable[[Town, str, str], None]


def starts(bench: type[Workbench]) -> Starts:
    return lambda town, liar, accomplice: works_with(town, liar, bench)


def on_half_of_its_rows(town: Town, liar: str, accomplice: str) -> None:
    def half(rows: Rows) -> Rows:
        return rows.take(slice(len(rows) // 2))

    works_with(town, liar, OtherRows, change=half)


def on_rows_of_another_subset(town: Town, liar: str, accomplice: str) -> None:
    given = Rows.parse(bytes(unpack(package_of(town, accomplice)).rows))
    works_with(town, liar, OtherRows, change=lambda rows: given)


# what each is paid for: a stale answer is right once
LIES: dict[str, tuple[Starts, int]] = {
    "base": (starts(Base), 0),
    "noise": (starts(Lying), 0),
    "stale": (starts(Stale), PRICE_JOB),
    "half": (on_half_of_its_rows, 0),
    "other rows": (on_rows_of_another_subset, 0),
}


def with_a_liar(town: Town, prepared: Prepared, lie: str) -> tuple[str, int]:
    """A training of which one replica lies in all rounds: the training's name, and what the liar earned."""
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    slots = slots_of(town, dataset)
    liar, accomplice = slots[1][0], slots[2][0]
    begins, _ = LIES[lie]
    begins(town, liar, accomplice)
    town.trains("heart", dataset, rounds=ROUNDS, map_name="identity")
    return liar, town.account(next(iter(town.cloud_owner(liar).signers())))


@RETURNS_BASE.without
@ADDS_NOISE.without
@IS_STALE.without
@HALF_DONE.without
@WRONG_SUBSET.without
@pytest.mark.parametrize("lie", LIES)
def test_where_every_commitment_counts_as_work_a_liar_is_paid_for_every_round(
    lie: str, town: Town, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    whoever_commits_is_paid(monkeypatch)

    _, earned = with_a_liar(town, prepared, lie)

    assert earned == ROUNDS * PRICE_JOB


@RETURNS_BASE.against
@ADDS_NOISE.against
@IS_STALE.against
@HALF_DONE.against
@WRONG_SUBSET.against
@RETURNS_BASE.unharmed
@ADDS_NOISE.unharmed
@IS_STALE.unharmed
@HALF_DONE.unharmed
@WRONG_SUBSET.unharmed
@pytest.mark.parametrize("lie", LIES)
def test_a_liar_is_out_voted_and_unpaid_while_its_neighbours_are_paid_and_the_model_is_exact(
    lie: str, town: Town, prepared: Prepared
) -> None:
    liar, earned = with_a_liar(town, prepared, lie)

    assert earned == LIES[lie][1]
    done = town.buyer().progress("heart")
    assert done.phase == "finished", done.reason
    assert np.array_equal(weights_of(done), plaintext_weights(prepared, rounds=ROUNDS))
    for name in (f"cloud {number:02}" for number in range(1, 13)):
        if name != liar:
            assert town.account(next(iter(town.cloud_owner(name).signers()))) == ROUNDS * PRICE_JOB
    assert town.ledger.evaluate("list", {"kind": "finding"}) == []
    assert town.money()["burned"] == 0
