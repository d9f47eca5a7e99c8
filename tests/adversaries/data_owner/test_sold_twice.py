"""A data owner that sells one subset twice, and has the buyer pay for work on both.

The same package twice is seen by everybody, since its digest is public. The same rows in two packages are not: each
package holds a secret of its own, without which its digest would tell something about the rows.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from freehold.contract import distribution
from freehold.learning.ciphers.seal import SealCipher
from freehold.protocol import packages
from freehold.protocol.digests import sha256
from freehold.protocol.identifiers import DatasetId, NetworkId
from tests.adversaries.attack import Attack
from tests.adversaries.careless import refuses_nobody
from tests.learning.cases import Case, case, directions
from tests.learning.honest import Round
from tests.market import Dataset, Market, refused

ONE_SALT = Attack(
    by="data owner",
    does="names one package for two subsets",
    stopped_by="S-18: equal digests or mask keys are not published: the two would have one mask, which cancels",
)
TWO_SALTS = Attack(
    by="data owner",
    does="sells one subset twice under two salts",
    stopped_by="Under two salts equal rows look like different ones; what rows are worth is not promised. The buyer"
    " pays for work on both, and they count twice. Only its own patients lose secrecy: a group of copies is one subset",
    promised=False,
)
DATASET = DatasetId("01" * 32)
CASE = case("twice", rows={1: (40, 44, 52)}, features=7, outputs=2)


def packed(secret: bytes) -> dict[str, str]:
    """What the ledger hears of the one subset that is sold, under this secret."""
    package = packages.pack(NetworkId("ab" * 32), DATASET, 0, secret, b"the same rows")
    return {"digest": sha256(package).hex(), "mask_key": packages.mask_public(secret, DATASET, 0).hex()}


def sells(market: Market, *secrets: bytes) -> Dataset:
    """A dataset whose subsets are one set of rows, each under a secret; every slot of it is held."""
    return market.drafts(subsets=[packed(secret) for secret in secrets]).is_held()


@ONE_SALT.without
def test_where_digests_are_not_compared_the_buyer_pays_twice_for_one_package(monkeypatch: pytest.MonkeyPatch) -> None:
    refuses_nobody(monkeypatch, distribution, "duplicate")
    market = Market()

    training = market.requests(sells(market, bytes(31) + b"\x01", bytes(31) + b"\x01").is_published()).is_approved()
    training.starts_round().is_agreed()

    assert len(market.records("job", state="accepted")) == 6
    assert len({subset["digest"] for subset in market.records("subset")}) == 1


@ONE_SALT.against
def test_one_package_for_two_subsets_is_not_published() -> None:
    market = Market()
    dataset = sells(market, bytes(31) + b"\x01", bytes(31) + b"\x01")

    with refused("duplicate"):
        dataset.is_published()


@ONE_SALT.unharmed
def test_who_holds_what_cannot_be_published_leaves_with_its_stake() -> None:
    market = Market()
    dataset = sells(market, bytes(31) + b"\x01", bytes(31) + b"\x01")

    for slot in dataset.slots(0):
        holder = market.people[slot["co"]]
        holder.does("RetireCI", instance=slot["instance"])
        assert holder.collects() == 1_000

    assert market.records("finding") == []
    assert market.money_is_conserved()


def sold_twice() -> Case:
    """A training whose second subset has the rows of the first, under another secret."""
    first, _, third = CASE.statistics
    return replace(CASE, statistics=(first, first, third))


@TWO_SALTS.without
def test_one_subset_under_two_salts_is_published_and_the_buyer_pays_for_both() -> None:
    market = Market()

    dataset = sells(market, bytes(31) + b"\x01", bytes(31) + b"\x02").is_published()
    training = market.requests(dataset, rounds=1).is_approved()
    training.starts_round().is_agreed()

    assert sum(market.earned(each) for each in market.people.values() if each.role == "co") == 2 * 3 * 100
    assert len({subset["digest"] for subset in market.records("subset")}) == 2


@TWO_SALTS.without
def test_rows_that_were_sold_twice_count_twice_in_the_sum(seal: SealCipher) -> None:
    twice = sold_twice()
    round = Round(twice, seal)

    answers = {
        member.subset: twice.replica(index, seal).answer(twice.training, twice.group, 1, round.zero_bytes, round.sent)
        for index, member in enumerate(twice.group)
    }

    asked = directions(twice, 1)
    first, _, third = (part.a @ asked - part.b for part in twice.statistics)
    total = twice.owner(seal).combine(twice.group, 1, round.sent, answers)
    assert np.array_equal(total.y, 2 * first + third)
