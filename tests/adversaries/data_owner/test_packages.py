"""A data owner that deals one replica something else than it published, so that an honest one looks like a liar.

The replica does all its work, on other rows or with other secrets; it computes other bytes than its neighbours, is
out-voted or cannot answer at all, and is unpaid. Where a referee looks it would even lose its stake, since the referee
works from the package whose digest is public.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from freehold.agents.cloud_owner import offers
from freehold.learning.prepared import Prepared
from freehold.learning.rows import Rows
from freehold.protocol.packages import pack, unpack
from tests.adversaries.attack import Attack
from tests.adversaries.data_owner.programs import TwoFaced, runs
from tests.agents.test_market import plaintext_weights
from tests.agents.test_trouble import cloud_of, weights_of
from tests.agents.town import PRICE_JOB, Town

DIGEST = "S-12: one public digest covers all that a replica uses; who cannot reproduce it does not join"
OTHER_ROWS = Attack(by="data owner", does="deals one replica other rows, so that it is out-voted", stopped_by=DIGEST)
OTHER_SECRET = Attack(
    by="data owner", does="deals one replica another mask key, so that it cannot answer", stopped_by=DIGEST
)


def other_rows(package: bytes) -> bytes:
    """The package of a subset whose first row has another target."""
    held = unpack(package)
    rows = Rows.parse(bytes(held.rows))
    targets = np.concatenate([1 - rows.targets[:1], rows.targets[1:]])
    return pack(held.network, held.dataset, held.index, held.secret, replace(rows, targets=targets).encode())


def other_secret(package: bytes) -> bytes:
    """The package with another secret, from which another mask key and other noise follow."""
    held = unpack(package)
    return pack(held.network, held.dataset, held.index, bytes([7]) * 32, bytes(held.rows))


DEALT: dict[str, Callable[[bytes], bytes]] = {"rows": other_rows, "secret": other_secret}


def with_a_victim(town: Town, prepared: Prepared, dealt: str) -> str:
    """A training whose hospital dealt one cloud owner something else: that cloud owner's name."""
    town.settles(cloud_owners=13)
    agent = runs(town, TwoFaced)
    agent.deals = DEALT[dealt]
    town.lives(lambda: len(town.reader.candidates()) == 13)
    dataset = town.publishes(prepared)
    assert agent.victim is not None
    victim = cloud_of(town, agent.victim)
    assert town.trains("heart", dataset, rounds=1, map_name="identity").phase == "finished"
    return victim


def jobs_of(town: Town, name: str) -> list[str]:
    """What became of a cloud owner's jobs."""
    member = next(iter(town.cloud_owner(name).signers()))
    jobs = town.ledger.evaluate("list", {"kind": "job", "where": {"co": member}})
    return [job["state"] for job in jobs]


@OTHER_ROWS.without
@OTHER_SECRET.without
@pytest.mark.parametrize(("dealt", "state"), [("rows", "rejected"), ("secret", "missing")])
def test_who_joins_without_comparing_digests_works_honestly_and_is_unpaid(
    dealt: str, state: str, town: Town, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offers, "require_package", lambda package, network, seen, card: None)

    victim = with_a_victim(town, prepared, dealt)

    assert jobs_of(town, victim) == [state]
    assert town.account(next(iter(town.cloud_owner(victim).signers()))) == 0


@OTHER_ROWS.against
@OTHER_SECRET.against
@pytest.mark.parametrize("dealt", DEALT)
def test_who_was_dealt_another_package_does_not_join_and_can_be_out_voted_by_nobody(
    dealt: str, town: Town, prepared: Prepared
) -> None:
    victim = with_a_victim(town, prepared, dealt)

    assert jobs_of(town, victim) == []
    member = next(iter(town.cloud_owner(victim).signers()))
    [offer] = town.reader.replicas(member)
    assert offer.instance.record.receipt is None
    assert "whose digest is public" in (town.people[victim].journal.noted("given-up", offer.instance.id) or "")


@OTHER_ROWS.unharmed
@OTHER_SECRET.unharmed
@pytest.mark.parametrize("dealt", DEALT)
def test_another_one_takes_the_offer_and_everybody_who_joined_is_paid(
    dealt: str, town: Town, prepared: Prepared
) -> None:
    victim = with_a_victim(town, prepared, dealt)

    assert np.array_equal(weights_of(town.buyer().progress("heart")), plaintext_weights(prepared, rounds=1))
    for name in (f"cloud {number:02}" for number in range(1, 14)):
        account = town.account(next(iter(town.cloud_owner(name).signers())))
        assert account == (0 if name == victim else PRICE_JOB)
    assert town.ledger.evaluate("list", {"kind": "finding"}) == []
    town.money()
