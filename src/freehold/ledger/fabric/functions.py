"""What the chaincode does when it is called: the rules of one network, over the state of a peer.

    execute ACTION    runs the rules on a signed action; its writes and its event are endorsed if nothing kept it out
    read KEY…         what is recorded under each key, as frames; an empty one where nothing is

Both endorsers have to come to the same, byte by byte: the time of an action is what the client's proposal claims, and
nothing else than the action, that time and what was read counts. Only a refusal to endorse needs no agreement, so a
host refuses whatever claims a time that is far from its own clock.

The genesis is a constant of the program and is never written: where a peer holds nothing, the genesis's record counts.
A key that is absent is read nevertheless, and whoever writes it first is in conflict with all who saw it absent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from freehold.errors import Invalid, Refused
from freehold.ledger.cometbft.application import said
from freehold.ledger.embedded.execution import execute
from freehold.ledger.fabric.conversation import Answer
from freehold.ledger.fabric.messages import Call, ChaincodeEvent
from freehold.ledger.frames import frame
from freehold.ports.machine import Executed, Machine
from freehold.ports.state_view import Read
from freehold.protocol.limits import ACTION_LARGEST, READS_PER_CALL

EXECUTE: Final = "execute"
READ: Final = "read"
EVENT: Final = "action"
"""The name of every event; its payload is the payload of the answer too."""
SKEW: Final = 30_000
"""Milliseconds between a claimed time and the host's clock."""


class Functions:
    """The chaincode; satisfies `conversation.Chaincode`. Safe to use from many threads if the machine is."""

    def __init__(self, machine: Machine, clock: Callable[[], int]) -> None:
        self._machine = machine
        self._genesis = dict(machine.genesis())
        self._clock = clock

    def __call__(self, call: Call, read: Read) -> Answer:
        """The answer to a call; raises FreeholdError if it is not to be endorsed."""
        if call.function == EXECUTE and len(call.arguments) == 1:
            return self._execute(call.arguments[0], call.time, read)
        if call.function == READ:
            return self._read(call.arguments, read)
        raise Invalid("the chaincode has no such function", next="call `execute` with an action, or `read` with keys")

    def _execute(self, action: bytes, time: int, read: Read) -> Answer:
        if len(action) > ACTION_LARGEST:
            raise Refused("malformed", f"an action has at most {ACTION_LARGEST} bytes, this one {len(action)}")
        if abs(time - self._clock()) > SKEW:
            raise Refused(
                "clock",
                f"the proposal's time is more than {SKEW // 1_000} s from this operator's clock",
                next="set the clock of the machine that sends",
            )
        outcome = execute(self._machine, self._over_genesis(read), action, time)
        if not isinstance(outcome, Executed):
            raise outcome
        payload = said(outcome)
        return Answer(payload=payload, writes=outcome.writes, event=ChaincodeEvent(name=EVENT, payload=payload))

    def _read(self, keys: Sequence[bytes], read: Read) -> Answer:
        if not 0 < len(keys) <= READS_PER_CALL or not all(key and key.isascii() for key in keys):
            raise Invalid(f"`read` takes 1 to {READS_PER_CALL} keys of ASCII")
        values = self._over_genesis(read)([key.decode() for key in keys])
        return Answer(payload=frame(value or b"" for value in values))

    def _over_genesis(self, read: Read) -> Read:
        def overlaid(keys: Sequence[str]) -> list[bytes | None]:
            values = read(keys)
            return [self._genesis.get(key) if value is None else value for key, value in zip(keys, values, strict=True)]

        return overlaid
