"""What travels between a node and `RemoteLedger`: JSON, read strictly by both sides.

    GET  /                          Info
    POST /actions                   frames of signed actions → frames of Answer, in the same order
    GET  /actions/<sha256>          Answer, `accepted` left out if the action is not recorded
    POST /evaluate                  Question → Reply
    GET  /events?after=&to=&wait=   Page; waits up to WAIT_LARGEST seconds for the first event
    GET  /blocks?after=&limit=      frames, four for each block: header, signature, framed actions, framed results
    GET  /seal?height=              what several operators signed about a block, canonical JSON; empty if one signs
    GET  /checkpoint                the signed note as text
    GET  /checkpoint/witnessed      the newest one that a quorum of witnesses has cosigned
    GET  /proofs/actions/<sha256>   ActionProof: the action is in the log of the checkpoint beside it
    GET  /proofs/growth?old=&new=   GrowthProof: the log of `new` actions begins with that of `old`
    GET  /proofs/records/<kind>/<id>  RecordProof: what the record holds, or that there is none

A request that fails as a whole is answered with the JSON of `transport.trouble`.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from freehold.errors import FreeholdError
from freehold.ledger.frames import LENGTH
from freehold.ports.ledger import Accepted, ActionProof, EventPage, LedgerInfo, RecordedEvent, RecordProof
from freehold.protocol.events import Event
from freehold.protocol.identifiers import MemberId
from freehold.protocol.limits import ACTION_LARGEST, RECORD_LARGEST
from freehold.transport.trouble import Trouble, trouble_of

ACTIONS_LARGEST = 256
"""Actions of one request."""
ACTIONS_BODY_LARGEST = ACTIONS_LARGEST * (ACTION_LARGEST + LENGTH)
ANSWER_LARGEST = 2**17
"""Bytes of the answer to one action: an action has at most a few hundred events."""
QUESTION_LARGEST = 2**16
REPLY_LARGEST = 2**26
PAGE_LARGEST = 2**20
INFO_LARGEST = 2**15
PROOF_LARGEST = 2**21
"""A bucket of 4,096 entries in hex takes half a megabyte."""
SEAL_LARGEST = 2**28
"""A seal of Fabric holds the channel, six kilobytes an action; one of CometBFT takes sixteen megabytes at most."""
WAIT_LARGEST = 25.0
BLOCKS_LARGEST = 100
"""Blocks of one answer."""
BLOCKS_BODY_GOAL = 2**22
"""An answer of several blocks ends with the one that exceeds these bytes."""
BLOCK_LARGEST = 2**24

_Count = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
_Text = Annotated[str, msgspec.Meta(max_length=128)]


class AcceptedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A `ports.ledger.Accepted`; events as [name, subject, to]."""

    position: _Count
    height: _Count
    time: _Count
    id: _Text
    events: tuple[tuple[_Text, _Text, _Text], ...]


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one action: accepted, an error, or neither if it is not recorded."""

    accepted: AcceptedMessage | None = None
    error: Trouble | None = None


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A query."""

    query: _Text
    arguments: dict[str, Any]


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a query."""

    answer: Any


class PageMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A `ports.ledger.EventPage`; events as [position, height, time, name, subject, to]."""

    events: tuple[tuple[_Count, _Count, _Count, _Text, _Text, _Text], ...]
    cursor: _Count


_Hex = Annotated[str, msgspec.Meta(pattern="^(?:[0-9a-f]{2})*$")]


class ActionProofMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A `ports.ledger.ActionProof`; digests in hex."""

    accepted: AcceptedMessage
    size: _Count
    path: Annotated[tuple[_Hex, ...], msgspec.Meta(max_length=64)]
    checkpoint: Annotated[str, msgspec.Meta(max_length=4_096)]


class GrowthProofMessage(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 6962's consistency proof, in hex."""

    path: Annotated[tuple[_Hex, ...], msgspec.Meta(max_length=128)]


class RecordProofMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A `ports.ledger.RecordProof`; the record and the header as the canonical JSON that they are, the rest in hex."""

    value: Annotated[str, msgspec.Meta(max_length=RECORD_LARGEST)] | None = None
    bucket: _Hex
    siblings: Annotated[tuple[_Hex, ...], msgspec.Meta(max_length=8)]
    header: Annotated[str, msgspec.Meta(max_length=2_048)]
    signature: _Hex


class Info(msgspec.Struct, frozen=True, kw_only=True):
    """A `ports.ledger.LedgerInfo`; the network record stands in it as the canonical JSON that it is."""

    network: msgspec.Raw
    operator: _Text
    height: _Count
    size: _Count
    time: _Count
    checkpoint: Annotated[str, msgspec.Meta(max_length=4_096)]


def answer_of(outcome: Accepted | FreeholdError | None) -> Answer:
    """The message for what became of one action."""
    if outcome is None:
        return Answer()
    if isinstance(outcome, FreeholdError):
        return Answer(error=trouble_of(outcome))
    return Answer(accepted=accepted_message(outcome))


def accepted_message(accepted: Accepted) -> AcceptedMessage:
    """The message for an action that is recorded."""
    return AcceptedMessage(
        position=accepted.position,
        height=accepted.height,
        time=accepted.time,
        id=accepted.id,
        events=tuple((event.name, event.subject, event.to) for event in accepted.events),
    )


def accepted_of(message: AcceptedMessage) -> Accepted:
    """The record that the message says."""
    events = tuple(Event(name, subject, MemberId(to)) for name, subject, to in message.events)
    return Accepted(position=message.position, height=message.height, time=message.time, id=message.id, events=events)


def page_message(page: EventPage) -> PageMessage:
    """The message for a page of events."""
    events = tuple((e.position, e.height, e.time, e.name, e.subject, e.to) for e in page.events)
    return PageMessage(events=events, cursor=page.cursor)


def page_of(message: PageMessage) -> EventPage:
    """The page that the message says."""
    events = tuple(
        RecordedEvent(position=position, height=height, time=time, name=name, subject=subject, to=to)
        for position, height, time, name, subject, to in message.events
    )
    return EventPage(events=events, cursor=message.cursor)


def action_proof_message(proof: ActionProof) -> ActionProofMessage:
    """The message for a proof that an action is recorded."""
    accepted, path = accepted_message(proof.accepted), tuple(digest.hex() for digest in proof.path)
    return ActionProofMessage(accepted=accepted, size=proof.size, path=path, checkpoint=proof.checkpoint)


def action_proof_of(message: ActionProofMessage) -> ActionProof:
    """The proof that the message says."""
    path = tuple(bytes.fromhex(digest) for digest in message.path)
    accepted = accepted_of(message.accepted)
    return ActionProof(accepted=accepted, size=message.size, path=path, checkpoint=message.checkpoint)


def record_proof_message(proof: RecordProof) -> RecordProofMessage:
    """The message for a proof of what a record holds."""
    return RecordProofMessage(
        value=None if proof.value is None else proof.value.decode("ascii"),
        bucket=proof.bucket.hex(),
        siblings=tuple(each.hex() for each in proof.siblings),
        header=proof.header.decode("ascii"),
        signature=proof.signature.hex(),
    )


def record_proof_of(message: RecordProofMessage) -> RecordProof:
    """The proof that the message says."""
    return RecordProof(
        value=None if message.value is None else message.value.encode("utf-8"),
        bucket=bytes.fromhex(message.bucket),
        siblings=tuple(bytes.fromhex(each) for each in message.siblings),
        header=message.header.encode("utf-8"),
        signature=bytes.fromhex(message.signature),
    )


def info_message(info: LedgerInfo) -> Info:
    """The message for what a ledger is."""
    return Info(
        network=msgspec.Raw(info.network),
        operator=info.operator,
        height=info.height,
        size=info.size,
        time=info.time,
        checkpoint=info.checkpoint,
    )


def info_of(message: Info) -> LedgerInfo:
    """What the message says."""
    return LedgerInfo(
        network=bytes(message.network),
        operator=message.operator,
        height=message.height,
        size=message.size,
        time=message.time,
        checkpoint=message.checkpoint,
    )
