"""From a block of Fabric the one block of `ledger.blocks` that every engine would make of the same actions.

An accepted action is a valid call of `execute`: its argument is the action, the response says result and events, the
read-write set says which records it wrote. Nothing is executed again; the peers that endorsed have done so, and a valid
transaction has read nothing that another one changed meanwhile, so the order in the block is an order in which they
could have run one after the other. What was refused never reaches a block, and what lost a conflict changed nothing.

The time of a block is the latest that its actions claim, or that of the block before it if this is later. A block of
Fabric in which nothing was accepted gives none; one with more actions than a block may hold gives several.

What was committed cannot be undone, so whatever does not fit what only the rules should have written is Broken: this
namespace was written by something else, and nobody may go on as if it had not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from freehold.errors import Broken, FreeholdError, Invalid
from freehold.ledger import blocks
from freehold.ledger.fabric.envelope import Place
from freehold.ledger.fabric.transactions import VALID, Call, FabricBlock, Written, read_call
from freehold.ledger.history import asset_id
from freehold.ports.machine import Executed
from freehold.protocol import canonical
from freehold.protocol.events import Event
from freehold.protocol.identifiers import MemberId
from freehold.protocol.limits import ACTION_LARGEST, RECORD_LARGEST, WRITES_PER_CALL

EXECUTE: Final = b"execute"
_PAYLOAD_LARGEST: Final = 2**20
_KEY: Final = re.compile(r"[a-z][a-z_-]*/[!-~]{1,512}")


class _SaidEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    subject: str
    to: str


class _Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The payload of an accepted action's response."""

    events: tuple[_SaidEvent, ...]
    result: dict[str, str]


_SAID: Final = msgspec.json.Decoder(_Said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One action that a block of Fabric accepted."""

    action: bytes
    time: int
    executed: Executed


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """What one block is to hold."""

    time: int
    contents: blocks.Contents


def derive(block: FabricBlock, place: Place, time: int) -> list[Derived]:
    """The contents of the blocks that follow one of the given time; Broken if the namespace holds what is no record."""
    accepted = list(accepted_in(block, place))
    derived: list[Derived] = []
    for at in range(0, len(accepted), blocks.ACTIONS_LARGEST):
        some = accepted[at : at + blocks.ACTIONS_LARGEST]
        time = max(time, *(each.time for each in some))
        contents = blocks.Contents.of([each.action for each in some], [each.executed for each in some])
        derived.append(Derived(time=time, contents=contents))
    return derived


def accepted_in(block: FabricBlock, place: Place) -> Iterator[Accepted]:
    """The actions that a block accepted, in their order."""
    for number, (envelope, code) in enumerate(zip(block.envelopes, block.codes, strict=True)):
        if code != VALID:
            continue
        try:
            call = read_call(envelope, place.channel)
            accepted = None if call is None else _accepted(call, place.chaincode)
        except FreeholdError as error:
            raise Broken(
                f"transaction {number} of Fabric's block {block.number} is no action of this ledger: {error.what}",
                why="something other than the rules was endorsed, or the peer hands over what was not committed",
                next="compare this peer's block with another organisation's before anything is trusted",
            ) from None
        if accepted is not None:
            yield accepted


def _accepted(call: Call, chaincode: str) -> Accepted | None:
    own = [each for each in call.written if each.namespace == chaincode]
    if call.chaincode != chaincode or call.arguments[:1] != (EXECUTE,):
        if any(each.writes or each.others for each in own):
            raise Invalid("it writes records and is no action")
        return None
    if len(call.arguments) != 2 or len(call.arguments[1]) > ACTION_LARGEST or call.status != 200:
        raise Invalid("it is no call with one action that was answered well")
    return Accepted(action=call.arguments[1], time=call.time, executed=_executed(call.payload, own))


def _executed(payload: bytes, own: Sequence[Written]) -> Executed:
    said: _Said = canonical.decode_record(payload, _SAID, largest=_PAYLOAD_LARGEST)
    result = canonical.encode(said.result)
    asset_id(result)
    if len(own) > 1 or any(each.others for each in own):
        raise Invalid("it changes what is no record")
    listed = own[0].writes if own else ()
    writes = dict(listed)
    if len(writes) != len(listed) or len(writes) > WRITES_PER_CALL:
        raise Invalid("it writes a record twice, or too many")
    for key, value in writes.items():
        _require_record(key, value)
    events = tuple(Event(each.name, each.subject, MemberId(each.to)) for each in said.events)
    return Executed(writes=writes, result=result, events=events)


def _require_record(key: str, value: bytes) -> None:
    if _KEY.fullmatch(key) is None:
        raise Invalid(f"it writes under {key[:80]!a}, which is no record's key")
    canonical.decode(value, largest=RECORD_LARGEST)
