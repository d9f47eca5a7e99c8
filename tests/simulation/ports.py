"""The world of one member: a way to the ledger, stores and a disk, each of which the one chance may let fail.

Everything durable lies in `Home`, so a process that dies loses nothing that had been written and everything else. An
action can be lost on its way there or back, arrive later behind others, or arrive once more; in each case its sender
is told the same: that the outcome is unknown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TypeVar

import msgspec

from freehold.agents.journal import D
from freehold.errors import Invalid, Unavailable
from freehold.ports.ledger import Accepted, EventPage

if TYPE_CHECKING:
    from tests.simulation.people import Person
    from tests.simulation.town import Town

T = TypeVar("T")


class Crash(BaseException):
    """The process dies here; no `except` of a program can catch it."""


class Ground(Protocol):
    """Where objects really lie."""

    objects: dict[str, bytes]


class Home:
    """What one member's machine still has after its process died."""

    def __init__(self) -> None:
        self.decisions: dict[str, dict[str, bytes]] = {}
        self.notes: dict[tuple[str, str], str] = {}
        self.objects: dict[str, bytes] = {}


class Perils:
    """Asks the one chance, for one member, whether something goes wrong."""

    def __init__(self, town: Town, person: Person) -> None:
        self._town = town
        self._person = person

    def strikes(self, kind: str) -> bool:
        """Whether a fault of this kind happens now; never once it is quiet."""
        rate: int = getattr(self._town.scenario.faults, kind)
        if not rate or self._town.is_quiet:
            return False
        struck = self._town.chance.randrange(1000) < rate
        if struck:
            self._town.log(self._person.name, f"meets {kind}")
        return struck

    def around(self, effect: str, do: Callable[[], T]) -> T:
        """Does it, unless the process dies before it; it may also die after it."""
        self.may_die(f"before {effect}")
        result = do()
        self.may_die(f"after {effect}")
        return result

    def may_die(self, where: str) -> None:
        """Kills the process, if chance wants it."""
        if self.strikes("crash"):
            raise Crash(where)

    def connected(self) -> None:
        """Raises Unavailable while this member is cut off."""
        if self._town.now < self._person.cut_off_until and not self._town.is_quiet:
            raise Unavailable("the network is down", now="nothing was sent")


class WayToLedger:
    """A member's connection to the one ledger."""

    def __init__(self, town: Town, person: Person, perils: Perils) -> None:
        self._town = town
        self._person = person
        self._perils = perils

    def submit(self, action: bytes) -> Accepted:
        """Sends an action; it arrives now, later, twice or never."""
        town, perils = self._town, self._perils
        perils.connected()
        town.witness.sent(self._person, action)
        if perils.strikes("lost_before"):
            raise Unavailable("no answer", now="the outcome is unknown")
        if perils.strikes("late"):
            town.delivers_later(self._person.name, action)
            raise Unavailable("no answer", now="the outcome is unknown")
        if perils.strikes("twice"):
            town.delivers_later(self._person.name, action)
        accepted = perils.around("submit", lambda: town.records(self._person.name, action))
        if perils.strikes("lost_after"):
            raise Unavailable("no answer", now="the outcome is unknown")
        return accepted

    def resolve(self, action: bytes) -> Accepted | None:
        self._perils.connected()
        return self._town.ledger.resolve(action)

    def evaluate(self, query: str, arguments: Mapping[str, object]) -> Any:
        self._perils.connected()
        if self._perils.strikes("unread"):
            raise Unavailable("no answer")
        return self._town.ledger.evaluate(query, arguments)

    def events(self, after: int, *, to: str | None = None, wait: float = 0.0) -> EventPage:
        self._perils.connected()
        return self._town.ledger.events(after, to=to, wait=wait)

    def export(self, after: int, limit: int) -> Any:
        return self._town.ledger.export(after, limit)

    def seal(self, height: int) -> Any:
        return self._town.ledger.seal(height)

    def info(self) -> Any:
        return self._town.ledger.info()


class Store:
    """The store of the market as one member meets it, or its own disk."""

    def __init__(self, ground: Ground, perils: Perils, *, at_home: bool, person: Person) -> None:
        self._ground = ground
        self._perils = perils
        self._at_home = at_home
        self._person = person

    def put(self, name: str, data: bytes | BinaryIO) -> None:
        data = data if isinstance(data, bytes) else data.read()
        self._reaches()
        if hashlib.sha256(data).hexdigest() != name.rsplit("/")[-1]:
            raise Invalid(f"the bytes do not hash to {name}")
        self._perils.around("put", lambda: self._person.puts(self._ground.objects, name, data, self._at_home))

    def get(self, name: str, *, largest: int) -> bytes:
        self._reaches()
        data = self._ground.objects.get(name)
        if data is None or (not self._at_home and not self._person.may_read(name)):
            raise Unavailable(f"there is no object {name}")
        if not self._at_home and self._perils.strikes("corrupted"):
            data = data[:-1] + bytes([data[-1] ^ 1])
        if len(data) > largest or hashlib.sha256(data).hexdigest() != name.rsplit("/")[-1]:
            raise Invalid(f"object {name} is not what its name says")
        return data

    def exists(self, name: str) -> bool:
        return name in self._ground.objects

    def _reaches(self) -> None:
        if self._at_home:
            return
        self._perils.connected()
        if self._perils.strikes("absent"):
            raise Unavailable("the store does not answer")


class Diary:
    """A journal with the promises of the real one: what was decided is durable, and decided once."""

    def __init__(self, home: Home, perils: Perils) -> None:
        self._home = home
        self._perils = perils

    def decide(self, kind: type[D], subject: str, make: Callable[[], D]) -> D:
        known = self.decided(kind, subject)
        if known is not None:
            return known
        made = msgspec.json.encode(make())
        self._write(lambda: self._home.decisions.setdefault(kind.__name__, {}).setdefault(subject, made))
        return msgspec.json.decode(self._home.decisions[kind.__name__][subject], type=kind)

    def decided(self, kind: type[D], subject: str) -> D | None:
        body = self._home.decisions.get(kind.__name__, {}).get(subject)
        return None if body is None else msgspec.json.decode(body, type=kind)

    def all_decided(self, kind: type[D]) -> dict[str, D]:
        of_kind = self._home.decisions.get(kind.__name__, {})
        return {subject: msgspec.json.decode(of_kind[subject], type=kind) for subject in sorted(of_kind)}

    def note(self, kind: str, subject: str, text: str) -> None:
        self._write(lambda: self._home.notes.__setitem__((kind, subject), text))

    def noted(self, kind: str, subject: str) -> str | None:
        return self._home.notes.get((kind, subject))

    def _write(self, do: Callable[[], object]) -> None:
        if self._perils.strikes("full"):
            raise Unavailable("the disk is full", now="nothing was sent")
        self._perils.around("write", do)
