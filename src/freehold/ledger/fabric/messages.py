"""The messages that pass between a Fabric peer and its chaincode, as far as this chaincode uses them.

Field numbers are those of Fabric 2.5 and 3.1 (`chaincode_shim.proto`, `proposal.proto`, `common.proto`). Fields that
nobody here reads are skipped. What a stranger wrote travels in the call and in the proposal, so both are measured
before they are read. Messages can be read and written in both directions: tests play the peer's part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from freehold.errors import Invalid
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

ARGUMENTS_LARGEST: Final = 256
"""Arguments of one call that are read."""
CALL_LARGEST: Final = 65_536
"""Bytes of one call that are read; an action has twelve thousand."""
PROPOSAL_LARGEST: Final = 2**20
"""Bytes of one proposal that are read: the call again, and whatever else its client put in."""
NAME_LARGEST: Final = 256
"""Bytes of a channel's or a transaction's name."""

OK, REFUSED = 200, 500
"""Statuses of a response: a peer endorses the first and tells its client the second."""


class Kind(IntEnum):
    """What a message is about."""

    REGISTER = 1
    REGISTERED = 2
    INIT = 3
    READY = 4
    TRANSACTION = 5
    COMPLETED = 6
    ERROR = 7
    GET_STATE = 8
    PUT_STATE = 9
    RESPONSE = 13
    KEEPALIVE = 18
    WRITE_BATCH_STATE = 24
    GET_STATE_MULTIPLE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaincodeEvent:
    """What everybody who follows the channel is told when the transaction is valid."""

    name: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaincodeMessage:
    """One message of the stream; what is absent is empty."""

    kind: int
    payload: bytes = b""
    transaction: str = ""
    proposal: bytes = b""
    """The signed proposal, when a transaction begins."""
    event: ChaincodeEvent | None = None
    """When a transaction is completed."""
    channel: str = ""

    def encode(self) -> bytes:
        """The message as it travels."""
        event = b""
        if self.event is not None:
            said = bytes_field(3, self.event.name.encode()) + bytes_field(4, self.event.payload)
            event = message_field(6, said)
        return (
            number_field(1, self.kind)
            + bytes_field(3, self.payload)
            + bytes_field(4, self.transaction.encode())
            + bytes_field(5, self.proposal)
            + event
            + bytes_field(7, self.channel.encode())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Skills:
    """What a peer says of itself when it is ready: how many keys it takes at once, 1 if it does not say."""

    reads: int = 1
    writes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What a client's signed proposal says, the same for every endorser."""

    time: int = 0
    """Claimed, in milliseconds."""
    channel: str = ""
    chaincode: str = ""
    arguments: tuple[bytes, ...] = field(default=())
    """The name of the function first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of the chaincode, and the proposal from which it comes, perhaps by way of another chaincode."""

    function: str
    arguments: tuple[bytes, ...] = field(default=())
    channel: str = ""
    proposed: Proposed = field(default_factory=Proposed)


def read_message(data: bytes) -> ChaincodeMessage:
    """The message that travelled; Invalid if it is none."""
    found = _found(data)
    event = None
    if said := octets(found.get(6, b"")):
        parts = _found(said)
        event = ChaincodeEvent(name=_name(parts.get(3, b"")), payload=octets(parts.get(4, b"")))
    return ChaincodeMessage(
        kind=integer(found.get(1, 0)),
        payload=octets(found.get(3, b"")),
        transaction=_name(found.get(4, b"")),
        proposal=octets(found.get(5, b"")),
        event=event,
        channel=_name(found.get(7, b"")),
    )


def registration(package: str) -> bytes:
    """The payload of REGISTER: which installed package this process runs."""
    return bytes_field(2, package.encode())


def read_registration(payload: bytes) -> str:
    """The package that a REGISTER names."""
    return _name(_found(payload).get(2, b""))


def skills(announced: Skills) -> bytes:
    """The payload of READY, from a peer that knows of batches."""
    writes = number_field(1, 1) + number_field(2, announced.writes)
    reads = number_field(3, 1) + number_field(4, announced.reads)
    return writes + reads


def read_skills(payload: bytes) -> Skills:
    """What a READY announces; a peer of 2.5 announces nothing."""
    found = _found(payload)
    return Skills(reads=_batch(found, 3, 4), writes=_batch(found, 1, 2))


def call(function: str, arguments: Sequence[bytes]) -> bytes:
    """The payload of TRANSACTION."""
    return b"".join(message_field(1, each) for each in (function.encode(), *arguments))


def proposal(time: int, channel: str, chaincode: str, arguments: Sequence[bytes]) -> bytes:
    """A signed proposal without creator and signature; the function's name is the first of the arguments."""
    moment = number_field(1, time // 1_000) + number_field(2, time % 1_000 * 1_000_000)
    name = bytes_field(2, chaincode.encode())
    header = message_field(3, moment) + bytes_field(4, channel.encode()) + message_field(7, message_field(2, name))
    input = b"".join(message_field(1, each) for each in arguments)
    specification = message_field(2, name) + message_field(3, input)
    payload = message_field(1, message_field(1, specification))
    return bytes_field(1, bytes_field(1, bytes_field(1, header)) + bytes_field(2, payload))


def read_call(message: ChaincodeMessage) -> Call:
    """The call that a transaction makes; Invalid if it is too large or none."""
    if len(message.payload) > CALL_LARGEST or len(message.proposal) > PROPOSAL_LARGEST:
        raise Invalid(f"a call of {len(message.payload)} bytes: at most {CALL_LARGEST} are read")
    arguments = _repeated(message.payload, 1, ARGUMENTS_LARGEST + 1)
    if not arguments:
        raise Invalid("a call without a function")
    return Call(
        function=text(arguments[0]),
        arguments=tuple(arguments[1:]),
        channel=message.channel,
        proposed=read_proposal(message.proposal),
    )


def read_proposal(signed: bytes) -> Proposed:
    """SignedProposal → Proposal → Header → ChannelHeader, and → ChaincodeProposalPayload → … → ChaincodeSpec.

    Both name a chaincode. The peer calls the one in the header, whatever the other says.
    """
    proposal = _found(_inner(signed, 1))
    header = _found(_inner(octets(proposal.get(1, b"")), 1))
    moment = _found(octets(header.get(3, b"")))
    specification = _found(_inner(octets(proposal.get(2, b"")), 1, 1))
    return Proposed(
        time=integer(moment.get(1, 0)) * 1_000 + integer(moment.get(2, 0)) // 1_000_000,
        channel=_name(header.get(4, b"")),
        chaincode=_name(_found(_inner(octets(header.get(7, b"")), 2)).get(2, b"")),
        arguments=tuple(_repeated(octets(specification.get(3, b"")), 1, ARGUMENTS_LARGEST + 1)),
    )


def get_state(key: str) -> bytes:
    """The payload of GET_STATE; the answer is the value, empty if there is none."""
    return bytes_field(1, key.encode())


def read_get_state(payload: bytes) -> str:
    """The key that a GET_STATE asks for."""
    return text(_found(payload).get(1, b""))


def get_states(keys: Sequence[str]) -> bytes:
    """The payload of GET_STATE_MULTIPLE."""
    return b"".join(message_field(1, key.encode()) for key in keys)


def read_get_states(payload: bytes, most: int) -> list[str]:
    """The keys that a GET_STATE_MULTIPLE asks for."""
    return [text(each) for each in _repeated(payload, 1, most)]


def states(values: Sequence[bytes]) -> bytes:
    """The answer to GET_STATE_MULTIPLE."""
    return b"".join(message_field(1, each) for each in values)


def read_states(payload: bytes, count: int) -> list[bytes]:
    """The values in the order of the keys, empty where there is none; Invalid if they are not as many."""
    values = _repeated(payload, 1, count)
    if len(values) != count:
        raise Invalid(f"the peer answered {len(values)} values to {count} keys")
    return values


def put_state(key: str, value: bytes) -> bytes:
    """The payload of PUT_STATE."""
    return bytes_field(1, key.encode()) + bytes_field(2, value)


def read_put_state(payload: bytes) -> tuple[str, bytes]:
    """Key and value of a PUT_STATE."""
    found = _found(payload)
    return text(found.get(1, b"")), octets(found.get(2, b""))


def put_states(writes: Mapping[str, bytes]) -> bytes:
    """The payload of WRITE_BATCH_STATE."""
    kind = number_field(5, Kind.PUT_STATE)
    return b"".join(message_field(1, put_state(key, value) + kind) for key, value in writes.items())


def read_put_states(payload: bytes, most: int) -> dict[str, bytes]:
    """What a WRITE_BATCH_STATE writes."""
    return dict(read_put_state(each) for each in _repeated(payload, 1, most))


def response(status: int, *, message: str = "", payload: bytes = b"") -> bytes:
    """The payload of COMPLETED."""
    return number_field(1, status) + bytes_field(2, message.encode()) + bytes_field(3, payload)


def read_response(payload: bytes) -> tuple[int, str, bytes]:
    """Status, message and payload of a COMPLETED."""
    found = _found(payload)
    return integer(found.get(1, 0)), text(found.get(2, b"")), octets(found.get(3, b""))


def _found(data: bytes) -> dict[int, Value]:
    """The fields of a message without repeated ones: of several the last counts, as protobuf has it."""
    return dict(fields(data))


def _repeated(data: bytes, number: int, most: int) -> list[bytes]:
    found: list[bytes] = []
    for each, value in fields(data):
        if each == number:
            if len(found) == most:
                raise Invalid(f"a message with more than {most} elements")
            found.append(octets(value))
    return found


def _name(value: Value) -> str:
    if len(octets(value)) > NAME_LARGEST:
        raise Invalid(f"a name of {len(octets(value))} bytes")
    return text(value)


def _batch(found: Mapping[int, Value], used: int, size: int) -> int:
    return max(1, integer(found.get(size, 0))) if integer(found.get(used, 0)) else 1


def _inner(message: bytes, *path: int) -> bytes:
    for number in path:
        message = octets(_found(message).get(number, b""))
    return message
