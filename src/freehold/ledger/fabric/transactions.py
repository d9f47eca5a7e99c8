"""What a peer hands over: blocks of Fabric, and the transactions in them.

A block holds envelopes as anybody sent them, and beside them, in its metadata, one code for each that says whether the
peer found it valid. Of those that it did not not even the form is known. What a valid one says is compared here with
what its endorsers signed: their answer names the proposal, and so the arguments, by its digest.

    Envelope → Payload → Header → ChannelHeader                      type, channel, id, claimed time
                       → Transaction → TransactionAction             exactly one
                         → ChaincodeActionPayload
                           → ChaincodeProposalPayload                the arguments
                           → ProposalResponsePayload → ChaincodeAction   what was endorsed: response, reads and writes
                           → Endorsement                     by whom: an identity, and its signature
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from freehold.errors import Invalid
from freehold.ledger.fabric import lenient
from freehold.ledger.fabric.clock import Version
from freehold.ledger.fabric.envelope import ENDORSER_TRANSACTION, NANOSECONDS, found
from freehold.ledger.protobuf import fields, integer, octets, text

VALID, DUPLICATE, READ_CONFLICT, PHANTOM_CONFLICT = 0, 9, 11, 12
"""Codes of validation that are told apart; every other means that the transaction could never be valid."""

BLOCK_LARGEST: Final = 64 * 2**20
TRANSACTIONS_LARGEST: Final = 2**16
_ARGUMENTS_LARGEST: Final = 256
_NAMESPACES_LARGEST: Final = 64
_READS_LARGEST: Final = 4_096
_WRITES_LARGEST: Final = 4_096
_FILTER: Final = 2
"""The place of the codes in a block's metadata."""
_DIGEST: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class FabricBlock:
    """A block whose envelopes are those that its header names."""

    number: int
    previous: bytes
    """The digest of the block before it."""
    digest: bytes
    envelopes: tuple[bytes, ...]
    codes: bytes
    """One for each envelope, as the peer found."""
    signatures: bytes = b""
    """Metadata in which the orderers sign, not read here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a transaction changed in one namespace, and on what it relied there."""

    namespace: str
    writes: tuple[tuple[str, bytes], ...]
    others: bool
    """Whether it also deleted something, or touched what is no record: metadata or private collections."""
    public: bool = True
    """Whether it touched anything but private collections, of which an organisation alone may write its own."""
    reads: tuple[tuple[str, Version | None], ...] = ()
    """Each key that was read, at which version; None where there was nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endorsement:
    """What an endorser put beside its answer."""

    endorser: bytes
    """Its SerializedIdentity."""
    signature: bytes
    """Over the answer and the identity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of a chaincode that was endorsed."""

    transaction: str
    time: int
    """Claimed, in milliseconds."""
    chaincode: str
    arguments: tuple[bytes, ...]
    status: int
    payload: bytes
    written: tuple[Written, ...]
    endorsed: bytes
    """The answer that was signed, as it was signed."""
    endorsements: tuple[Endorsement, ...]
    """Not verified."""


def read_block(data: bytes) -> FabricBlock:
    """The block that the bytes say; Invalid if they are none, or its header does not name its envelopes."""
    if len(data) > BLOCK_LARGEST:
        raise Invalid(f"a block of {len(data)} bytes: at most {BLOCK_LARGEST} are read")
    parts = found(data)
    header, metadata = found(octets(parts.get(1, b""))), octets(parts.get(3, b""))
    envelopes = _repeated(octets(parts.get(2, b"")), 1, TRANSACTIONS_LARGEST)
    listed = _repeated(metadata, 1, 64)
    codes = listed[_FILTER] if len(listed) > _FILTER else b""
    number, previous, data_hash = integer(header.get(1, 0)), octets(header.get(2, b"")), octets(header.get(3, b""))
    if number < 0 or len(previous) not in (0, _DIGEST):
        raise Invalid("a block with a number or a predecessor that no block has")
    if data_hash != hashlib.sha256(b"".join(envelopes)).digest():
        raise Invalid(f"block {number} holds other envelopes than its header names")
    if len(codes) != len(envelopes):
        raise Invalid(f"block {number} holds {len(envelopes)} envelopes, and {len(codes)} codes of validation")
    digest = hashlib.sha256(header_bytes(number, previous, data_hash)).digest()
    return FabricBlock(
        number=number,
        previous=previous,
        digest=digest,
        envelopes=tuple(envelopes),
        codes=codes,
        signatures=listed[0] if listed else b"",
    )


def read_number(data: bytes) -> int:
    """The number of a block, of an orderer's too, which says nothing about validity; Invalid if the bytes are none."""
    return integer(found(octets(found(data).get(1, b""))).get(1, 0))


def header_bytes(number: int, previous: bytes, data: bytes) -> bytes:
    """The ASN.1 sequence that orderers sign and the next block names: a block's number and both digests, in DER."""
    size = number.bit_length() // 8 + 1
    content = bytes([0x02, size]) + number.to_bytes(size, "big")
    content += b"".join(bytes([0x04, len(each)]) + each for each in (previous, data))
    return bytes([0x30, len(content)]) + content


def transaction_id(envelope: bytes) -> str:
    """The id that an envelope claims, valid or not; empty if it claims none that can be read."""
    try:
        return text(lenient.last(_headers(lenient.last(envelope, 1))[0], 5))
    except Invalid:
        return ""


def read_call(envelope: bytes, channel: str, chaincode: str | None = None) -> Call | None:
    """The call in a valid envelope, None if it is something else; Invalid if it is no valid envelope of the channel.

    With the name of a chaincode, a call of another one is None too unless it touches this one's namespace. Whatever
    others put into theirs is nobody's trouble here.
    """
    payload = lenient.last(envelope, 1)
    channel_header, _ = _headers(payload)
    if lenient.last(channel_header, 4) != channel.encode():
        raise Invalid("an envelope of another channel")
    if lenient.whole(channel_header, 1) != ENDORSER_TRANSACTION:
        return None
    action = _only_action(lenient.last(payload, 2))
    inner = lenient.last(action, 2)
    proposed, done = lenient.last(inner, 1), lenient.merged(inner, 2)
    endorsed = lenient.last(done, 1)
    answer = found(endorsed)
    proposal = channel_header + lenient.last(action, 1) + proposed
    if octets(answer.get(1, b"")) != hashlib.sha256(proposal).digest():
        raise Invalid("its endorsers answered another proposal")
    result = found(octets(answer.get(2, b"")))
    name = text(found(octets(result.get(4, b""))).get(2, b""))
    changed = octets(result.get(1, b""))
    if chaincode is not None and name != chaincode and chaincode not in _namespaces(changed):
        return None
    header, response = found(channel_header), found(octets(result.get(3, b"")))
    specification = found(octets(found(octets(found(proposed).get(1, b""))).get(1, b"")))
    return Call(
        transaction=text(header.get(5, b"")),
        time=_time(octets(header.get(3, b""))),
        chaincode=name,
        arguments=tuple(_repeated(octets(specification.get(3, b"")), 1, _ARGUMENTS_LARGEST)),
        status=integer(response.get(1, 0)),
        payload=octets(response.get(3, b"")),
        written=tuple(_written(changed)),
        endorsed=endorsed,
        endorsements=tuple(map(_endorsement, lenient.repeated(done, 2))),
    )


def _headers(payload: bytes) -> tuple[bytes, bytes]:
    """The channel header and the signature header of a payload."""
    header = lenient.merged(payload, 1)
    return lenient.last(header, 1), lenient.last(header, 2)


def _namespaces(results: bytes) -> set[str]:
    return {text(found(octets(value)).get(1, b"")) for number, value in fields(results) if number == 2}


def _only_action(transaction: bytes) -> bytes:
    actions = lenient.repeated(transaction, 1)
    if len(actions) != 1:
        raise Invalid("a transaction with more than one action, or without an action")
    return actions[0]


def _endorsement(data: bytes) -> Endorsement:
    return Endorsement(endorser=lenient.last(data, 1), signature=lenient.last(data, 2))


def _time(moment: bytes) -> int:
    parts = found(moment)
    return integer(parts.get(1, 0)) * 1_000 + integer(parts.get(2, 0)) // NANOSECONDS


def _written(results: bytes) -> Iterator[Written]:
    """TxReadWriteSet → NsReadWriteSet → KVRWSet → KVRead, KVWrite."""
    for each in _repeated(results, 2, _NAMESPACES_LARGEST):
        parts = found(each)
        public = octets(parts.get(2, b""))
        writes = [found(write) for write in _repeated(public, 3, _WRITES_LARGEST)]
        metadata = any(number == 4 for number, _ in fields(public))
        yield Written(
            namespace=text(parts.get(1, b"")),
            writes=tuple((text(write.get(1, b"")), octets(write.get(3, b""))) for write in writes),
            others=3 in parts or metadata or any(2 in write for write in writes),
            public=bool(writes) or metadata,
            reads=tuple(map(_read, _repeated(public, 1, _READS_LARGEST))),
        )


def _read(data: bytes) -> tuple[str, Version | None]:
    parts = found(data)
    if 2 not in parts:
        return text(parts.get(1, b"")), None
    version = found(octets(parts[2]))
    return text(parts.get(1, b"")), (integer(version.get(1, 0)), integer(version.get(2, 0)))


def _repeated(data: bytes, number: int, most: int) -> list[bytes]:
    listed: list[bytes] = []
    for each, value in fields(data):
        if each == number:
            if len(listed) == most:
                raise Invalid(f"a message with more than {most} elements")
            listed.append(octets(value))
    return listed
