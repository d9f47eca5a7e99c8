"""Looking into an offer before joining: who joins says by its receipt that all of this holds.

Checked, in this order: the terms against the owner's rules; the locator (it opens for this instance, and names
the object and a store of the network); the card (under the ledger's digest, strict); the sealed package (under
the ledger's digest, no larger than the card allows); that it opens for this member and instance; that its
digest is the subset's and its secret gives the subset's mask key; that it names this network, dataset and
index; and that every row fits the card.

What an attacking data owner could do instead fails at one of these: other packages for other replicas at the
digest, other randomness too (the digest covers it), a mask key of somebody else's subset at the mask key, rows
outside the card at the card. Nothing is told about which check failed; an offer that is not taken is simply not
taken.
"""

from __future__ import annotations

from freehold.agents.agreements import Agreements
from freehold.agents.cloud_owner.plan import Rules
from freehold.agents.keys import MemberKeys, opened_by_any
from freehold.agents.packages_checked import require_package
from freehold.agents.reading import ReplicaSeen
from freehold.agents.world import World
from freehold.errors import Invalid
from freehold.learning.card import Card
from freehold.protocol.identifiers import InstanceId, NetworkId
from freehold.protocol.sealing import open_locator, open_package

_ENVELOPE = 4096
"""More than a package adds to its rows: header, seal."""


def examine(
    world: World,
    agreements: Agreements,
    network: NetworkId,
    keys: MemberKeys,
    offer: ReplicaSeen,
    rules: Rules,
) -> tuple[bytes, bytes]:
    """The sealed package and what it holds; Invalid with the reason if the offer is not to be taken."""
    dataset, instance = offer.dataset.record, offer.instance.record
    objection = rules.objection(dataset.terms)
    if objection:
        raise Invalid(objection)
    id = InstanceId(offer.instance.id)
    store, name = opened_by_any(keys, lambda key: open_locator(key, id, instance.locator))
    if name != instance.object or store not in world.stores:
        raise Invalid("the locator names another object, or a store that is not configured here")
    card = agreements.card(dataset)
    if card.rows > rules.max_rows or len(card.columns) > rules.max_features:
        raise Invalid("the table is larger than this cloud owner takes")
    sealed = world.store(store).get(name, largest=_largest_package(card))
    package = opened_by_any(keys, lambda key: open_package(key, id, sealed))
    check_package(package, network, offer, card)
    return sealed, package


def check_package(package: bytes, network: NetworkId, offer: ReplicaSeen, card: Card) -> None:
    """Checks that `package` is the subset's, byte for byte, and that its rows fit the card; Invalid otherwise."""
    require_package(package, network, offer.subset, card)


def _largest_package(card: Card) -> int:
    """Bytes of a package that held all rows of the card: four for each value and target, one for the held mark."""
    return _ENVELOPE + card.rows * (4 * len(card.columns) + 5)
