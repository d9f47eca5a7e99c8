"""A cloud owner that never fetched the package, and joins with a receipt that a neighbour made."""

from __future__ import annotations

import hashlib

import pytest

from freehold.learning.prepared import Prepared
from freehold.protocol import commitments
from freehold.protocol.digests import T, raw
from freehold.protocol.identifiers import Digest, InstanceId, MemberId, Nonce
from tests.adversaries.attack import Attack
from tests.adversaries.cloud_owner.programs import CopiesReceipt, runs
from tests.agents.test_trouble import slots_of
from tests.agents.town import Town

COPIES_RECEIPT = Attack(
    by="cloud owner",
    does="copies a neighbour's receipt and nonce instead of fetching the package",
    stopped_by="S-5: a receipt hashes its instance and its owner, and the data owner makes it again before it verifies",
)


def anonymous(instance: InstanceId, co: MemberId, nonce: Nonce, package: bytes | memoryview) -> Digest:
    """A receipt that forgets whose it is and what for."""
    return Digest(hashlib.sha256(T("receipt") + raw(nonce) + package).hexdigest())


def with_a_copier(town: Town, prepared: Prepared) -> str:
    """A dataset is published while one of the first cloud owners copies its receipt: its state as a replica."""
    town.settles(cloud_owners=12)
    town.lives(lambda: len(town.reader.candidates()) == 12)
    member = next(iter(town.cloud_owner("cloud 07").signers()))
    runs(town, "cloud 07", CopiesReceipt)
    town.adds_cloud_owner("spare")
    town.publishes(prepared)
    [replica] = town.reader.replicas(member)
    return replica.instance.record.state


@COPIES_RECEIPT.without
def test_where_a_receipt_does_not_name_its_owner_a_copy_gets_a_slot_without_any_data(
    town: Town, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commitments, "receipt", anonymous)

    assert with_a_copier(town, prepared) == "verified"

    assert town.people["cloud 07"].kept.objects == {}


@COPIES_RECEIPT.against
def test_a_copied_receipt_is_rejected_and_gets_no_slot(town: Town, prepared: Prepared) -> None:
    assert with_a_copier(town, prepared) == "rejected"


@COPIES_RECEIPT.unharmed
def test_whose_receipt_was_copied_keeps_its_slot_and_the_dataset_is_published(town: Town, prepared: Prepared) -> None:
    with_a_copier(town, prepared)

    [dataset] = town.data_owner().publications()
    holders = [name for names in slots_of(town, dataset) for name in names]
    others = {f"cloud {number:02}" for number in range(1, 13)} - {"cloud 07"}
    assert sorted(holders) == sorted(others | {"spare"})
    states = {each.record.state for subset in town.dataset(dataset).subsets for each in subset.instances}
    assert states == {"verified", "rejected"}
    town.money()
