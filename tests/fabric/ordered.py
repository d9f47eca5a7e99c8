"""A channel's blocks as orderers that lie in any way could have signed them: calls, configurations, signatures."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from freehold.ledger.fabric.clock import KEY, TICK, Version, encode
from freehold.ledger.fabric.envelope import Place, found, propose
from freehold.ledger.fabric.folding import Folding
from freehold.ledger.fabric.identity import Identity
from freehold.ledger.fabric.seal import Chain, Seal, Signature
from freehold.ledger.fabric.transactions import header_bytes
from freehold.ledger.protobuf import bytes_field, message_field, number_field, octets
from freehold.ports.machine import Executed
from freehold.protocol import canonical
from freehold.protocol.identifiers import AuthorityRole, ChaincodeName, ChannelName, Digest, MspName
from freehold.protocol.network import Authority, NetworkRecord
from freehold.protocol.network import Channel as ChannelOfRecord
from tests.engines.notebook import NETWORK as PLAIN
from tests.fabric.channel import PLACE, payload_of, read_write_set
from tests.fabric.organisations import Organisation, endorsement, endorsers, organisations

TIME: Final = 1_800_000_000_000
ORDERERS: Final = Organisation("OrdererMSP")
ORDERER: Final = ORDERERS.identity("orderer")
CLIENT: Final = organisations()[0].identity("client")
VALUE: Final = b"where the configuration stands"
RECORDS: Final = {"note/genesis": b"{}"}


def root(organisation: str, role: str, pem: bytes) -> Authority:
    """A certificate as a network record names it."""
    der = load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    digest = Digest(hashlib.sha256(der).hexdigest())
    return Authority(msp=MspName(organisation), role=AuthorityRole(role), root=digest)


def network(*authorities: Authority) -> NetworkRecord:
    """The record of a network that believes these, or both organisations and their orderers."""
    usual = [root(each.name, "peer", each.pem) for each in organisations()]
    usual.append(root(ORDERERS.name, "orderer", ORDERERS.pem))
    channel = ChannelOfRecord(name=ChannelName(PLACE.channel), chaincode=ChaincodeName(PLACE.chaincode))
    authorities = tuple(sorted(authorities or usual))
    return msgspec.structs.replace(PLAIN, authorities=authorities, channel=channel)


def certificate(identity: Identity) -> bytes:
    """Of an identity, in PEM."""
    return octets(found(identity.creator)[2])


@cache
def consenters() -> tuple[Identity, ...]:
    """Four orderers of whom one may lie."""
    return tuple(ORDERERS.identity("orderer") for _ in range(4))


def configuration(*more: bytes, channel: str = PLACE.channel) -> bytes:
    """The first block's envelope: nothing of it is read but the certificates."""
    header = number_field(1, 1) + bytes_field(4, channel.encode())
    pems = [*(each.pem for each in organisations()), ORDERERS.pem, *more]
    return bytes_field(1, message_field(1, bytes_field(1, header)) + bytes_field(2, b"".join(pems)))


def call(
    arguments: Sequence[bytes],
    results: bytes,
    payload: bytes,
    *,
    by: Sequence[Identity] | None = None,
    creator: Identity = CLIENT,
    channel: str = PLACE.channel,
    chaincode: str = PLACE.chaincode,
    version: str = "1",
    event: str = "",
    answered: bytes | None = None,
    transaction: str | None = None,
    signed: bytes | None = None,
    proposed: bytes | None = None,
    time: int = TIME,
) -> bytes:
    """An envelope of one call, endorsed by peers of both organisations, but for what is given."""
    proposal = propose(creator, Place(channel=channel, chaincode=chaincode), arguments, time)
    header_and_call = found(octets(found(proposal.signed)[1]))
    header, said = octets(header_and_call[1]), octets(header_and_call[2])
    parts = found(header)
    about = octets(parts[1])
    if transaction is not None:
        about = about.replace(proposal.transaction.encode(), transaction.encode())
        header = bytes_field(1, about) + bytes_field(2, octets(parts[2]))
    digest = hashlib.sha256(about + octets(parts[2]) + said).digest() if answered is None else answered
    name = bytes_field(2, chaincode.encode()) + bytes_field(3, version.encode())
    action = bytes_field(1, results) + bytes_field(2, bytes_field(1, event.encode()) if event else b"")
    action += message_field(3, number_field(1, 200) + bytes_field(3, payload)) + message_field(4, name)
    answer = bytes_field(1, digest) + bytes_field(2, action)
    endorsed = message_field(1, answer)
    endorsed += b"".join(message_field(2, endorsement(each, answer)) for each in (endorsers() if by is None else by))
    done = bytes_field(1, said if proposed is None else proposed) + message_field(2, endorsed)
    transactions = message_field(1, bytes_field(1, octets(parts[2])) + bytes_field(2, done))
    message = message_field(1, header) + bytes_field(2, transactions)
    return bytes_field(1, message) + bytes_field(2, creator.sign(message) if signed is None else signed)


def tick(time: int, read: Version | None, **changes: object) -> bytes:
    """An envelope that sets the clock."""
    results = read_write_set({KEY: encode(time)}, reads={KEY: read})
    return call([TICK.encode()], results, encode(time), time=time, **changes)  # type: ignore[arg-type]


def action(
    number: int, clock: Version | None, reads: Mapping[str, Version | None] | None = None, **changes: object
) -> bytes:
    """An envelope of an action that writes one note."""
    said = b"action %d" % number + b"." * 97
    key = f"note/{number}"
    writes = {key: canonical.encode({"text": str(number)})}
    executed = Executed(writes=writes, result=canonical.encode({"id": str(number)}), events=())
    results = read_write_set(writes, reads={KEY: clock, key: None} | dict(reads or {}))
    return call([b"execute", said], results, payload_of(executed), **changes)  # type: ignore[arg-type]


@dataclass
class Ordered:
    """A channel as its orderers made it."""

    rows: list[bytes] = field(default_factory=lambda: [configuration()])
    """Of each block its envelopes."""

    def block(self, *envelopes: bytes) -> None:
        """One block more."""
        self.rows.append(b"".join(envelopes))

    @property
    def header(self) -> bytes:
        """Of the last block."""
        header = b""
        for number, row in enumerate(self.rows):
            previous = hashlib.sha256(header).digest() if number else b""
            header = header_bytes(number, previous, hashlib.sha256(row).digest())
        return header

    def digest(self, record: NetworkRecord | None = None) -> str:
        """Of the newest block of `ledger.blocks` that follows, by the same code that checks."""
        chain = Chain(record or network(), RECORDS)
        for row in self.rows:
            chain.take(row)
        return chain.tip.digest

    def seal(self, *by: Identity, numbers: Mapping[int, Identity] | None = None) -> Seal:
        """The channel as it would be shown, signed by these under their certificates, and by those under numbers."""
        folding = Folding()
        folded = tuple(map(folding.fold, self.rows))
        signatures = []
        for each in by:
            header = bytes_field(1, each.creator) + bytes_field(2, b"nonce")
            signature = each.sign(VALUE + header + self.header).hex()
            signatures.append(Signature(header=folding.fold(header), signature=signature))
        for number, each in (numbers or {}).items():
            said = number_field(1, number) + bytes_field(2, b"nonce")
            signature = each.sign(VALUE + said + self.header).hex()
            signatures.append(Signature(identifier=base64.b64encode(said).decode(), signature=signature))
        return Seal(
            blocks=folded,
            certificates=folding.certificates,
            signatures=tuple(signatures),
            value=base64.b64encode(VALUE).decode(),
        )


def a_channel() -> Ordered:
    """A channel with a tick and two actions."""
    ordered = Ordered()
    ordered.block(tick(TIME, None))
    ordered.block(action(1, (1, 0)), action(2, (1, 0)))
    return ordered
