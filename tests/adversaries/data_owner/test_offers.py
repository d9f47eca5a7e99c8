"""A data owner that offers something to everybody, and means nothing by it.

An offer costs its maker nothing and asks nobody. If it took a cloud owner off the list from which data owners draw, one
member without any data could empty that list, or leave only its accomplices on it, who would then be a majority.
"""

from __future__ import annotations

from typing import Any

import pytest

from freehold.contract import queries, records
from freehold.contract.queries import holdings
from freehold.learning.prepared import Prepared
from freehold.ports.state_view import StateView
from freehold.protocol.actions import CreateCI, CreateDS, CreateDSS
from freehold.protocol.assets import CloudInstance
from freehold.protocol.identifiers import DatasetId, Digest, Locator, Nonce, PublicKey, subset_id
from tests.adversaries.attack import Attack
from tests.agents.town import Town

OFFERS_TO_ALL = Attack(
    by="data owner",
    does="offers junk to all cloud owners but its accomplices, so that others draw those",
    stopped_by="S-4: an offer binds nobody; whoever never took one is a candidate for everybody else",
)
JUNK = "ab" * 32


def offers_junk_to_all(town: Town, prepared: Prepared) -> None:
    """The second hospital drafts a dataset without data and offers it to everybody; then the first one publishes."""
    town.settles(cloud_owners=12, data_owners=2)
    town.lives(
        lambda: len(town.reader.candidates()) == 12 and town.reader.member(town.data_owner(2).member) is not None
    )
    signer, world = town.data_owner(2)._signer, town.people["hospital 2"].world
    made = signer.send(
        world,
        CreateDS(nonce=Nonce(JUNK), m=2, n=3, terms=town.terms(prepared, group_min=2), card_digest=Digest(JUNK)),
    )
    dataset = DatasetId(made.id)
    signer.send(world, CreateDSS(dataset=dataset, index=0, digest=Digest(JUNK), mask_key=PublicKey(JUNK)))
    for candidate in town.reader.candidates():
        junk = CreateCI(
            subset=subset_id(dataset, 0),
            co=candidate.id,
            nonce=Nonce(JUNK),
            object=Digest(JUNK),
            locator=Locator("ab" * 560),
        )
        signer.send(world, junk)
    hospital = town.people["hospital 1"]
    hospital.survives(lambda: town.data_owner().publish(prepared, town.terms(prepared)))
    town.rests(10_000)


def offered_to_nobody(view: StateView) -> list[dict[str, Any]]:
    """The candidates of a careless market: whoever was ever offered anything is none."""
    offered = {instance.co for _, instance in records.every(view, CloudInstance)}
    return [each for each in holdings.candidates(view) if each["id"] not in offered]


@OFFERS_TO_ALL.without
def test_where_an_offer_takes_people_off_the_list_an_honest_hospital_finds_nobody(
    town: Town, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(queries.QUERIES, "candidates", queries._Query(offered_to_nobody))

    offers_junk_to_all(town, prepared)

    [dataset] = town.data_owner().publications()
    assert town.state("dataset", dataset) == "draft"
    assert all(not subset.instances for subset in town.dataset(dataset).subsets)


@OFFERS_TO_ALL.against
def test_after_junk_offers_an_honest_hospital_finds_everybody_still(town: Town, prepared: Prepared) -> None:
    offers_junk_to_all(town, prepared)

    [dataset] = town.data_owner().publications()
    assert town.state("dataset", dataset) == "published"


@OFFERS_TO_ALL.unharmed
def test_after_junk_offers_a_training_goes_on_and_nothing_is_lost(town: Town, prepared: Prepared) -> None:
    offers_junk_to_all(town, prepared)
    [dataset] = town.data_owner().publications()

    done = town.trains("heart", dataset, rounds=1, map_name="identity")

    assert done.phase == "finished"
    assert town.ledger.evaluate("list", {"kind": "finding"}) == []
    assert town.money()["stakes"] == 0
