"""What is said to a peer: proposals, the envelopes that are made of them, and the requests that carry both.

    propose   a proposal names the channel, the chaincode, its arguments and the claimed time; its id is
              SHA-256(nonce ‖ creator), so nobody else can take it
    endorse   the peer has it executed by as many organisations as the policy demands, and hands back an envelope
    submit    the same envelope, signed, goes to the orderers; sent twice, the second is a duplicate of the first

Field numbers are those of Fabric 2.5 and 3.1 (`proposal.proto`, `common.proto`, `gateway.proto`, `ab.proto`).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from freehold.errors import Invalid
from freehold.ledger.fabric.identity import Identity
from freehold.ledger.protobuf import (
    Value,
    bytes_field,
    fields,
    integer,
    message_field,
    number_field,
    octets,
    text,
)

ENDORSER_TRANSACTION, SEEK = 3, 5
"""Types of a channel header."""
NANOSECONDS: Final = 1_000_000
_NONCE: Final = 24
_FOR_EVER: Final = 2**64 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a call goes."""

    channel: str
    chaincode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A signed proposal, with the id that it has for ever."""

    transaction: str
    time: int
    """Claimed, in milliseconds: the engine's time of this execution."""
    signed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Endorsed:
    """An envelope that is signed and may be sent to the orderers, any number of times."""

    transaction: str
    envelope: bytes


def propose(identity: Identity, place: Place, arguments: Sequence[bytes], time: int) -> Proposal:
    """A proposal of one call, the name of its function first among the arguments."""
    nonce = secrets.token_bytes(_NONCE)
    transaction = hashlib.sha256(nonce + identity.creator).hexdigest()
    chaincode = bytes_field(2, place.chaincode.encode())
    channel_header = _channel_header(
        ENDORSER_TRANSACTION, time, place.channel, transaction, extension=message_field(2, chaincode)
    )
    input = b"".join(message_field(1, each) for each in arguments)
    specification = number_field(1, 2) + message_field(2, chaincode) + message_field(3, input)
    payload = bytes_field(1, message_field(1, specification))
    header = bytes_field(1, channel_header) + bytes_field(2, _signature_header(identity, nonce))
    proposal = bytes_field(1, header) + bytes_field(2, payload)
    return Proposal(transaction=transaction, time=time, signed=_signed(identity, proposal))


def endorse_request(place: Place, proposal: Proposal) -> bytes:
    """What Endorse and Evaluate take."""
    return (
        bytes_field(1, proposal.transaction.encode())
        + bytes_field(2, place.channel.encode())
        + message_field(3, proposal.signed)
    )


def read_endorsed(identity: Identity, proposal: Proposal, answer: bytes) -> Endorsed:
    """Signs the envelope that the peer has prepared; Invalid if it is about anything but this proposal."""
    payload = octets(found(octets(found(answer).get(1, b""))).get(1, b""))
    header = found(octets(found(payload).get(1, b"")))
    if text(found(octets(header.get(1, b""))).get(5, b"")) != proposal.transaction:
        raise Invalid("the peer prepared another transaction than the one that was proposed")
    return Endorsed(transaction=proposal.transaction, envelope=_signed(identity, payload))


def submit_request(place: Place, endorsed: Endorsed) -> bytes:
    """What Submit takes."""
    return (
        bytes_field(1, endorsed.transaction.encode())
        + bytes_field(2, place.channel.encode())
        + message_field(3, endorsed.envelope)
    )


def status_request(identity: Identity, place: Place, transaction: str) -> bytes:
    """What CommitStatus takes."""
    request = (
        bytes_field(1, transaction.encode()) + bytes_field(2, place.channel.encode()) + bytes_field(3, identity.creator)
    )
    return _signed(identity, request)


def read_status(answer: bytes) -> int:
    """The validation code in the answer of CommitStatus."""
    return integer(found(answer).get(1, 0))


def read_evaluated(answer: bytes) -> bytes:
    """The payload in the answer of Evaluate."""
    return octets(found(octets(found(answer).get(1, b""))).get(3, b""))


def seek(identity: Identity, channel: str, start: int | None, time: int) -> bytes:
    """The signed envelope that asks a peer for every block from the number `start` on, those to come included; for
    the newest alone if there is no start."""
    if start is None:
        first = last = message_field(1, b"")
    else:
        first, last = (message_field(3, number_field(1, number)) for number in (start, _FOR_EVER))
    wanted = message_field(1, first) + message_field(2, last)
    signature_header = _signature_header(identity, secrets.token_bytes(_NONCE))
    header = bytes_field(1, _channel_header(SEEK, time, channel, "")) + bytes_field(2, signature_header)
    return _signed(identity, message_field(1, header) + bytes_field(2, wanted))


def found(message: bytes) -> dict[int, Value]:
    """The fields of a message without repeated ones: of several the last counts, as protobuf has it."""
    return dict(fields(message))


def _channel_header(type: int, time: int, channel: str, transaction: str, *, extension: bytes = b"") -> bytes:
    moment = number_field(1, time // 1_000) + number_field(2, time % 1_000 * NANOSECONDS)
    return (
        number_field(1, type)
        + message_field(3, moment)
        + bytes_field(4, channel.encode())
        + bytes_field(5, transaction.encode())
        + bytes_field(7, extension)
    )


def _signature_header(identity: Identity, nonce: bytes) -> bytes:
    return bytes_field(1, identity.creator) + bytes_field(2, nonce)


def _signed(identity: Identity, content: bytes) -> bytes:
    """Envelope, SignedProposal and SignedRequest alike: the content and the signature over it."""
    return bytes_field(1, content) + bytes_field(2, identity.sign(content))
