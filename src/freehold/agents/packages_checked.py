"""Whether bytes are the package of a subset: asked by a cloud owner before it joins, by a referee before it rules."""

from __future__ import annotations

from freehold.agents.reading import Seen
from freehold.errors import Invalid
from freehold.learning.card import Card
from freehold.learning.rows import Rows
from freehold.protocol.assets import DataSubset
from freehold.protocol.digests import sha256
from freehold.protocol.identifiers import NetworkId
from freehold.protocol.packages import mask_public, unpack


def require_package(package: bytes, network: NetworkId, seen: Seen[DataSubset], card: Card) -> None:
    """Checks that `package` is the subset's, byte for byte, and that its rows fit the card; Invalid otherwise."""
    subset = seen.record
    if sha256(package).hex() != subset.digest:
        raise Invalid("the package is not the one whose digest is public")
    held = unpack(package)
    if (held.network, held.dataset, held.index) != (network, subset.dataset, subset.index):
        raise Invalid("the package is another network's, dataset's or subset's")
    if mask_public(held.secret, subset.dataset, subset.index).hex() != subset.mask_key:
        raise Invalid("the package's secret does not give the public mask key")
    card.check_rows(Rows.parse(bytes(held.rows)))
