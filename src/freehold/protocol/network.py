"""The network record: what every member of one market agrees on before the first action, and never again.

It names who is trusted for what (treasury, registrar, referees), which stores exist, and how far clocks may
differ. Its digest is the network id, which every action names: an action of one market means nothing in another.
Without a registrar the network is open: every key is its own handle. A network whose ledger is run by several
operators names those who found it: their validators sign its first blocks, and the network id stands for all of them.
Where they run Hyperledger Fabric it names the channel and the certificates under which organisations endorse and
orderers sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from freehold.errors import Invalid
from freehold.protocol import canonical, forms, limits
from freehold.protocol.digests import H, sha256
from freehold.protocol.identifiers import (
    AuthorityRole,
    ChaincodeName,
    ChannelName,
    Digest,
    MspName,
    NetworkId,
    NodeAddress,
    NodeName,
    Nonce,
    PublicKey,
    StoreName,
)
from freehold.protocol.records import Record


class Operator(Record, kw_only=True, order=True):
    """What is public about one of several operators of a ledger; they are in the order of their keys."""

    key: PublicKey
    """Ed25519: signs what the operator proposes and approves."""
    address: NodeAddress
    node: NodeName
    validator: PublicKey
    """Ed25519: signs blocks."""


class Authority(Record, kw_only=True, order=True):
    """A certificate that is believed about a channel of Fabric; they are in the order of their fields."""

    msp: MspName
    """Whose it is."""
    role: AuthorityRole
    """What it stands for: the organisation's peers, its orderers of which any signs a block, or one orderer of which
    a quorum does."""
    root: Digest
    """SHA-256 of the certificate's DER: of the authority that certifies the peers or orderers, or of a consenter's
    own."""


class Channel(Record, kw_only=True):
    """Where on Hyperledger Fabric the ledger is: whatever else the organisations endorse is not about it."""

    chaincode: ChaincodeName
    name: ChannelName


class NetworkRecord(Record, kw_only=True):
    """The genesis of a market (PROTOCOL-ANNEX, "Network record"). Times are milliseconds, keys Ed25519."""

    authorities: Annotated[tuple[Authority, ...], Meta(min_length=1, max_length=limits.AUTHORITIES)] | None = None
    """Whose endorsements and signatures count on the channel of Fabric that is the ledger; absent on other engines."""
    channel: Channel | None = None
    """Present exactly together with `authorities`."""
    grace: Annotated[int, Meta(ge=1, le=limits.GRACE_LARGEST)]
    """How long after a deadline an action that relies on its passing must wait: at least twice `skew`."""
    nonce: Nonce
    operators: Annotated[tuple[Operator, ...], Meta(min_length=1, max_length=limits.OPERATORS)] | None = None
    """Who founds the ledger together; absent if one operator signs its blocks, or the engine knows its own."""
    referees: Annotated[tuple[PublicKey, ...], Meta(max_length=limits.REFEREES)]
    registrar: PublicKey | None = None
    skew: Annotated[int, Meta(ge=1, le=limits.SKEW_LARGEST)]
    """How far an action's claimed time may lie from the ledger's own."""
    stores: Annotated[tuple[StoreName, ...], Meta(min_length=1, max_length=limits.STORES)]
    treasury: PublicKey

    @classmethod
    def parse(cls, data: bytes) -> NetworkRecord:
        """The record that `data` writes; Invalid if it is malformed, beyond a limit or not canonical."""
        record = forms.parse(cls, data, largest=limits.NETWORK_RECORD_LARGEST, name="the network record")
        if record.grace < 2 * record.skew:
            raise Invalid("the network record is not usable: grace must be at least twice skew")
        if (clash := clashing(record.operators or ())) is not None:
            raise Invalid(f"the network record is not usable: two operators have the same {clash}")
        _check_authorities(record, record.authorities or ())
        return record

    def encode(self) -> bytes:
        """The record's canonical JSON."""
        return canonical.encode(self)

    @property
    def is_sealed(self) -> bool:
        """Whether several operators seal the ledger, so that nobody's signature stands under each block."""
        return self.operators is not None or self.authorities is not None

    @property
    def is_open(self) -> bool:
        """Whether anybody may join without an admission."""
        return self.registrar is None


def clashing(operators: Sequence[Operator]) -> str | None:
    """What two of these operators have in common, though everybody must have its own; None if nothing."""
    for name in Operator.__struct_fields__:
        if len({getattr(each, name) for each in operators}) < len(operators):
            return name
    return None


def _check_authorities(record: NetworkRecord, authorities: Sequence[Authority]) -> None:
    """Invalid unless they say who endorses and who orders, and nobody counts twice."""
    if (record.channel is None) != (not authorities):
        raise Invalid("the network record is not usable: it names a channel of Fabric and its authorities, or neither")
    if not authorities:
        return
    roles = {each.role for each in authorities}
    if record.operators is not None:
        raise Invalid("the network record is not usable: it names operators and authorities of Fabric")
    if "peer" not in roles or len(roles) != 2:
        raise Invalid(
            "the network record is not usable: authorities are of peers, and either of orderers or consenters"
        )
    if len({(each.role, each.root) for each in authorities}) < len(authorities):
        raise Invalid("the network record is not usable: one certificate stands for two organisations")


def network_id(record: NetworkRecord) -> NetworkId:
    """The id of the market that `record` founds."""
    return NetworkId(H("network", sha256(record.encode())).hex())
