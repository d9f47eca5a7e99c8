"""A real state machine that is not a market: notes that are written once, and counters that everybody adds to.

Engines cannot tell it from the rules of the market, which is the point: what they promise is tested on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from freehold.errors import Invalid, Refused
from freehold.ports.machine import Executed
from freehold.ports.state_view import Read, StateView
from freehold.protocol import canonical
from freehold.protocol.events import Event
from freehold.protocol.identifiers import MemberId, Nonce, PublicKey, StoreName
from freehold.protocol.limits import ACTION_LARGEST
from freehold.protocol.network import NetworkRecord, network_id

NETWORK = NetworkRecord(
    grace=500,
    nonce=Nonce("01" * 32),
    referees=(),
    skew=250,
    stores=(StoreName("main"),),
    treasury=PublicKey("02" * 32),
)
ALICE, BOB = "a1" * 32, "b0" * 32


def note(name: str, text: str, to: str = ALICE) -> bytes:
    """An action: writes a note that nobody has written yet, and tells `to`."""
    return canonical.encode({"do": "note", "name": name, "text": text, "to": to})


def add(counter: str, amount: int, nonce: int, to: str = ALICE) -> bytes:
    """An action: adds to a counter; each nonce counts once."""
    return canonical.encode({"do": "add", "name": counter, "amount": amount, "nonce": nonce, "to": to})


def fault(name: str) -> bytes:
    """An action on which the rules themselves fail."""
    return canonical.encode({"do": "fault", "name": name})


class Notebook:
    """The rules; satisfies `ports.machine.Machine`."""

    def __init__(self, network: NetworkRecord = NETWORK) -> None:
        self.network = network

    def genesis(self) -> Mapping[str, bytes]:
        return {f"network/{network_id(self.network)}": self.network.encode()}

    def execute(self, read: Read, action: bytes, time: int) -> Executed:
        try:
            said = canonical.decode(action, largest=ACTION_LARGEST)
        except Invalid as error:
            raise Refused("malformed", error.what) from None
        match said:
            case {"do": "note", "name": str(name), "text": str(text), "to": str(to)}:
                return _note(read, name, text, MemberId(to), time)
            case {"do": "add", "name": str(name), "amount": int(amount), "nonce": int(nonce), "to": str(to)}:
                return _add(read, name, amount, nonce, MemberId(to))
            case {"do": "fault"}:
                raise ZeroDivisionError("a fault of the rules")
        raise Refused("malformed")

    def query(self, view: StateView, name: str, arguments: Mapping[str, object]) -> Any:
        if name == "notes":
            return [canonical.decode(value, largest=ACTION_LARGEST)["text"] for _, value in view.scan("note/")]
        if name == "counter":
            return _amount(view.read([f"counter/{arguments['name']}"])[0])
        if name == "state":
            return {key: value.hex() for key, value in view.scan("")}
        raise Invalid(f"there is no query {name}")


def _note(read: Read, name: str, text: str, to: MemberId, time: int) -> Executed:
    key = f"note/{name}"
    if read([key]) != [None]:
        raise Refused("exists")
    return Executed(
        writes={key: canonical.encode({"text": text, "time": time})},
        result=canonical.encode({"id": name}),
        events=(Event("note-written", name, to),),
    )


def _add(read: Read, name: str, amount: int, nonce: int, to: MemberId) -> Executed:
    counter, used = f"counter/{name}", f"nonce/{name}-{nonce}"
    before, seen = read([counter, used])
    if seen is not None:
        raise Refused("exists")
    return Executed(
        writes={counter: canonical.encode({"amount": _amount(before) + amount}), used: canonical.encode({})},
        result=canonical.encode({"id": name}),
        events=(Event("counter-grew", name, to), Event("counter-read", name, MemberId(BOB))),
    )


def _amount(record: bytes | None) -> int:
    return 0 if record is None else int(canonical.decode(record, largest=ACTION_LARGEST)["amount"])
