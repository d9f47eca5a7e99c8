"""From a block of Fabric the one block of `ledger.blocks` that every engine would make of the same actions.

An accepted action is a valid call of `execute`: its argument is the action, the response says result and events, the
read-write set says which records it wrote. Nothing is executed again; the peers that endorsed have done so, and a valid
transaction has read nothing that another one changed meanwhile, so the order in the block is an order in which they
could have run one after the other. What was refused never reaches a block, and what lost a conflict changed nothing.

The time of a block is what the ledger's clock said to each of its actions (`clock`). The transactions of a block of
Fabric are read in their order: a valid tick sets the clock, and the actions after it belong to the next block; so do
those for which a block has no more room. A block of Fabric in which nothing was accepted gives none.

What is believed, and what not: that a transaction is valid because the peer says so is not enough. Each that counts was
endorsed by more than half of the organisations (`endorsements`), and read the clock as the tick before it left it: so
what was endorsed before a tick cannot be passed off as valid after it. Believed is the peer for the rest: that the
orderers ordered it there, that it lost no conflict about other records, and that nothing is left out. Running the
blocks again (`replay`) shows whether the rules agree, and comparing them with another organisation's shows the rest.

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
from freehold.ledger.fabric import clock as clocks
from freehold.ledger.fabric.clock import STEP_LEAST, Clock, Version
from freehold.ledger.fabric.endorsements import Endorsers
from freehold.ledger.fabric.envelope import Place
from freehold.ledger.fabric.transactions import VALID, Call, FabricBlock, Written, read_call
from freehold.ledger.history import asset_id
from freehold.ports.machine import Executed
from freehold.protocol import canonical
from freehold.protocol.events import Event
from freehold.protocol.identifiers import MemberId
from freehold.protocol.limits import ACTION_LARGEST, RECORD_LARGEST, WRITES_PER_CALL

EXECUTE: Final = b"execute"
TICK: Final = clocks.TICK.encode()
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
    """At which it ran."""
    executed: Executed


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """What one block is to hold."""

    time: int
    contents: blocks.Contents


def derive(block: FabricBlock, place: Place, endorsers: Endorsers, clock: Clock) -> tuple[list[Derived], Clock]:
    """The contents of the blocks that a block of Fabric gives, and the clock after it; Broken if the namespace holds
    what only the rules may write, and they did not."""
    groups: list[list[Accepted]] = []
    for step in steps_in(block, place, endorsers, clock):
        if isinstance(step, Clock):
            clock = step
        elif groups and groups[-1][0].time == step.time and len(groups[-1]) < blocks.ACTIONS_LARGEST:
            groups[-1].append(step)
        else:
            groups.append([step])
    return [_derived(group) for group in groups], clock


def steps_in(block: FabricBlock, place: Place, endorsers: Endorsers, clock: Clock) -> Iterator[Accepted | Clock]:
    """The actions that a block accepted and the ticks between them, in their order."""
    for number, (envelope, code) in enumerate(zip(block.envelopes, block.codes, strict=True)):
        if code != VALID:
            continue
        try:
            call = read_call(envelope, place.channel, place.chaincode)
            step = None if call is None else _step(call, place.chaincode, endorsers, clock, (block.number, number))
        except FreeholdError as error:
            raise Broken(
                f"transaction {number} of Fabric's block {block.number} is no action of this ledger: {error.what}",
                why="something other than the rules was endorsed, or the peer hands over what was not committed",
                next="compare this peer's block with another organisation's before anything is trusted",
            ) from None
        if isinstance(step, Clock):
            clock = step
        if step is not None:
            yield step


def clock_read(envelope: bytes, place: Place) -> Version | None:
    """As which tick left it an endorsed call has read the clock; None if it has not."""
    call = read_call(envelope, place.channel, place.chaincode)
    own = [each for each in call.written if each.namespace == place.chaincode] if call is not None else []
    return next((version for each in own for key, version in each.reads if key == clocks.KEY), None)


def _derived(group: Sequence[Accepted]) -> Derived:
    contents = blocks.Contents.of([each.action for each in group], [each.executed for each in group])
    return Derived(time=group[0].time, contents=contents)


def _step(call: Call, chaincode: str, endorsers: Endorsers, clock: Clock, here: Version) -> Accepted | Clock | None:
    own = [each for each in call.written if each.namespace == chaincode]
    function = call.arguments[:1]
    if call.chaincode != chaincode or function not in ((EXECUTE,), (TICK,)):
        if any(each.public for each in own):
            raise Invalid("it writes records and is no action")
        return None
    try:
        endorsers.check(call.endorsed, call.endorsements)
    except Invalid:
        # Fabric lets an organisation write into a private collection of its own by its word alone, whatever the
        # chaincode's policy is. That lies beside the ledger, and must not stop it.
        if not any(each.public for each in own):
            return None
        raise
    if [version for each in own for key, version in each.reads if key == clocks.KEY] != [clock.version]:
        raise Invalid("it did not read the clock as the tick before it left it")
    if function == (TICK,):
        return _ticked(call, own, clock, here)
    if len(call.arguments) != 2 or len(call.arguments[1]) > ACTION_LARGEST or call.status != 200:
        raise Invalid("it is no call with one action that was answered well")
    if clock.version is None:
        raise Invalid("it ran before the ledger's clock was set")
    return Accepted(action=call.arguments[1], time=clock.time, executed=_executed(call.payload, own))


def _ticked(call: Call, own: Sequence[Written], before: Clock, version: Version) -> Clock:
    if len(call.arguments) != 1 or call.status != 200:
        raise Invalid("it is no tick that was answered well")
    written = [write for each in own for write in each.writes]
    if written != [(clocks.KEY, clocks.encode(call.time))] or any(each.others for each in own):
        raise Invalid("it sets the clock to something else than its time, or more than the clock")
    if before.version is not None and call.time < before.time + STEP_LEAST:
        raise Invalid("it sets the clock back, or on by less than a second")
    return Clock(call.time, version)


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
