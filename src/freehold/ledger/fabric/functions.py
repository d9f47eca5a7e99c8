"""What the chaincode does when it is called: the rules of one network, over the state of a peer.

    execute ACTION    runs the rules on a signed action; its writes and its event are endorsed if nothing kept it out
    tick              sets the ledger's clock to the time that the proposal claims (`clock`)
    read KEY…         what is recorded under each key, as frames; an empty one where nothing is

Both endorsers have to come to the same, byte by byte: an action runs at the ledger's clock, and nothing else than the
action, that time and what was read counts. Only a refusal to endorse needs no agreement, so a host compares with its
own clock and refuses a tick that is far from it, and any action while the ledger's clock is old.

The genesis is a constant of the program and is never written: where a peer holds nothing, the genesis's record counts.
A key that is absent is read nevertheless, and whoever writes it first is in conflict with all who saw it absent.

A chaincode may be called by another one, in whose name the client's proposal was made. What the proposal says is what
stands in the block for everybody, so only a call that the proposal itself makes is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from freehold.errors import FreeholdError, Invalid, Refused, Unavailable
from freehold.ledger.embedded.execution import execute
from freehold.ledger.fabric import clock as clocks
from freehold.ledger.fabric.clock import AGE_LARGEST, AWAY_LARGEST, STEP_LEAST, TICK, TICK_FIRST
from freehold.ledger.fabric.conversation import Answer
from freehold.ledger.fabric.messages import Call, ChaincodeEvent
from freehold.ledger.frames import frame
from freehold.ledger.outcomes import said
from freehold.ports.machine import Executed, Machine
from freehold.ports.state_view import Read
from freehold.protocol.limits import ACTION_LARGEST, READS_PER_CALL

EXECUTE: Final = "execute"
READ: Final = "read"
EVENT: Final = "action"
"""The name of every event; its payload is the payload of the answer too."""


class Functions:
    """The chaincode; satisfies `conversation.Chaincode`. Safe to use from many threads if the machine is."""

    def __init__(self, machine: Machine, clock: Callable[[], int], chaincode: str = "") -> None:
        """`chaincode` is the name under which it is called; empty if any is welcome, and then another chaincode that
        passes on what it was called with is not noticed."""
        self._machine = machine
        self._genesis = dict(machine.genesis())
        self._clock = clock
        self._chaincode = chaincode
        self._assumed = 0

    def __call__(self, call: Call, read: Read) -> Answer:
        """The answer to a call; raises FreeholdError if it is not to be endorsed."""
        self._require_own(call)
        if call.function == EXECUTE and len(call.arguments) == 1:
            return self._execute(call.arguments[0], read)
        if call.function == TICK and not call.arguments:
            return self._tick(call.proposed.time, read)
        if call.function == READ:
            return self._read(call.arguments, read)
        raise Invalid(
            "the chaincode has no such function", next="call `execute` with an action, `tick`, or `read` with keys"
        )

    def _require_own(self, call: Call) -> None:
        proposed = call.proposed
        if (
            proposed.channel != call.channel
            or proposed.chaincode != (self._chaincode or proposed.chaincode)
            or proposed.arguments != (call.function.encode(), *call.arguments)
        ):
            raise Invalid(
                "the call is not the one that the signed proposal makes",
                why="another chaincode passes it on, in whose name it would be recorded",
                next="call this chaincode by a proposal of your own",
            )

    def _execute(self, action: bytes, read: Read) -> Answer:
        if len(action) > ACTION_LARGEST:
            raise Refused("malformed", f"an action has at most {ACTION_LARGEST} bytes, this one {len(action)}")
        timed = _Timed(self._over_genesis(read), self._assumed)
        outcome = execute(self._machine, timed, action, timed.assumed)
        time = timed.time()
        if time is None or time < self._clock() - AGE_LARGEST:
            raise Unavailable(
                f"the ledger's clock is more than {AGE_LARGEST // 1_000} s old",
                code=TICK_FIRST,
                next="call `tick` first",
                now="nothing was endorsed",
            )
        if time != timed.assumed:
            self._assumed = timed.assumed = time
            outcome = execute(self._machine, timed, action, time)
        if not isinstance(outcome, Executed):
            raise outcome
        payload = said(outcome)
        return Answer(payload=payload, writes=outcome.writes, event=ChaincodeEvent(name=EVENT, payload=payload))

    def _tick(self, time: int, read: Read) -> Answer:
        (value,) = read([clocks.KEY])
        if value is not None and time < clocks.decode(value) + STEP_LEAST:
            raise Refused("clock", f"the ledger's clock moves by {STEP_LEAST // 1_000} s at least", next="wait")
        if time < 1 or abs(time - self._clock()) > AWAY_LARGEST:
            raise Refused(
                "clock",
                f"the proposal's time is more than {AWAY_LARGEST // 1_000} s from this operator's clock",
                next="set the clock of the machine that sends",
            )
        ticked = clocks.encode(time)
        return Answer(payload=ticked, writes={clocks.KEY: ticked})

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


class _Timed:
    """The reads of one execution at an assumed time; the clock is read with the first of them, and nothing twice.

    It was the same a moment ago, almost always. If it was not, the execution ends at its first read, and the next one,
    at the right time, finds here what was read already. After a peer that does not answer nothing more is asked.
    """

    def __init__(self, read: Read, assumed: int) -> None:
        self.assumed = assumed
        self._below = read
        self._values: dict[str, bytes | None] = {}
        self._trouble: FreeholdError | None = None

    def __call__(self, keys: Sequence[str]) -> list[bytes | None]:
        self._fetch([*keys, clocks.KEY])
        if self.time() != self.assumed:
            raise Unavailable("the ledger's clock says another time")
        return [self._values[key] for key in keys]

    def time(self) -> int | None:
        """What the clock says; None if it was never set."""
        self._fetch([clocks.KEY])
        value = self._values[clocks.KEY]
        return None if value is None else clocks.decode(value)

    def _fetch(self, keys: Sequence[str]) -> None:
        if self._trouble is not None:
            raise self._trouble
        missing = [key for key in dict.fromkeys(keys) if key not in self._values]
        try:
            values = self._below(missing) if missing else []
        except FreeholdError as trouble:
            self._trouble = trouble
            raise
        self._values.update(zip(missing, values, strict=True))
