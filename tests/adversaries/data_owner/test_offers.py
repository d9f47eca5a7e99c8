"""A data owner that offers something to everybody, and means nothing by it.

A data owner's agent draws among cloud owners to whom nothing was offered so far. An offer costs its maker nothing and
asks nobody; so one member without any data can take all others off that list.
"""

from __future__ import annotations

from freehold.learning.prepared import Prepared
from freehold.protocol.actions import CreateCI, CreateDS, CreateDSS
from freehold.protocol.identifiers import DatasetId, Digest, Locator, Nonce, PublicKey, subset_id
from tests.adversaries.attack import Attack
from tests.agents.town import Town

OFFERS_TO_ALL = Attack(
    by="data owner",
    does="offers junk to all cloud owners, so that nobody else asks them any more",
    stopped_by="Whoever was ever offered anything is no candidate, and an offer is free. `freehold cloud open` makes a"
    " fresh member, which is a candidate until the next junk. Nothing is lost but time",
    promised=False,
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


@OFFERS_TO_ALL.without
def test_after_one_junk_offer_to_each_cloud_owner_an_honest_hospital_finds_nobody(
    town: Town, prepared: Prepared
) -> None:
    offers_junk_to_all(town, prepared)

    [dataset] = town.data_owner().publications()
    assert town.state("dataset", dataset) == "draft"
    assert town.reader.candidates() == ()
    assert all(not subset.instances for subset in town.dataset(dataset).subsets)
    troubles = [str(told.trouble) for told in town.people["hospital 1"].told if told.trouble is not None]
    assert any("No cloud owner is free" in trouble for trouble in troubles)


@OFFERS_TO_ALL.unharmed
def test_after_junk_offers_fresh_members_of_cloud_owners_are_found_and_nothing_is_lost(
    town: Town, prepared: Prepared
) -> None:
    offers_junk_to_all(town, prepared)
    [dataset] = town.data_owner().publications()

    for number in range(12):
        town.adds_cloud_owner(f"fresh {number:02}")
    town.lives(lambda: town.state("dataset", dataset) == "published")

    assert town.ledger.evaluate("list", {"kind": "finding"}) == []
    assert town.money()["stakes"] == 0
