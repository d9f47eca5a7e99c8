"""Ports that fail: a process that dies, or an answer that is lost, before and after everything that can be noticed.

Each effect (an action submitted, an object stored, a decision or a note written) is reached three times: the first time
the trouble comes before it, the second time after it, the third time it goes through. So one life of a market passes
through every point at which an agent can die.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, BinaryIO, TypeVar

from freehold.agents.journal import D, Journal
from freehold.agents.world import World
from freehold.errors import Unavailable
from freehold.ports.ledger import Accepted, EventPage, Ledger
from freehold.ports.object_store import ObjectStore
from freehold.protocol.envelope import open_action
from tests.agents.town import Crash

T = TypeVar("T")
_MOST_PER_EFFECT = 30


def dies(effect: str, when: str) -> BaseException:
    """The process is killed."""
    return Crash(f"{when} {effect}")


def loses_the_answer(effect: str, when: str) -> BaseException:
    """The network fails; nobody can tell on which way."""
    return Unavailable(f"no answer, {when} {effect}", now="the outcome is unknown")


class Perils:
    """Trouble before and after every effect of one person; outlives each of its processes."""

    def __init__(self, trouble: Callable[[str, str], BaseException], *, at_home_too: bool = True) -> None:
        self._trouble = trouble
        self._at_home_too = at_home_too
        self._passed: Counter[str] = Counter()
        self._met: set[tuple[str, int, str]] = set()

    @property
    def met(self) -> int:
        """How often trouble came."""
        return len(self._met)

    @property
    def effects(self) -> set[str]:
        """What was interrupted, by name."""
        return {effect for effect, _, _ in self._met}

    def __call__(self, world: World, journal: Journal) -> tuple[World, Journal]:
        """The same ports with this trouble in front of them."""
        perilous = replace(
            world,
            ledger=PerilousLedger(world.ledger, self),
            stores={alias: PerilousStore(store, self, "store") for alias, store in world.stores.items()},
        )
        if not self._at_home_too:
            return perilous, journal
        return replace(perilous, kept=PerilousStore(world.kept, self, "keep")), PerilousJournal(journal, self)

    def around(self, effect: str, do: Callable[[], T]) -> T:
        """Does it, unless its trouble is still to come."""
        self._meet(effect, "before")
        result = do()
        self._meet(effect, "after")
        self._passed[effect] += 1
        return result

    def _meet(self, effect: str, when: str) -> None:
        peril = (effect, self._passed[effect], when)
        # Packing a table keeps several packages before the first decision; it must get through one day.
        worn_out = sum(name == effect for name, _, _ in self._met) >= _MOST_PER_EFFECT
        if peril not in self._met and not worn_out:
            self._met.add(peril)
            raise self._trouble(effect, when)


class PerilousLedger:
    """A ledger whose submissions meet trouble."""

    def __init__(self, ledger: Ledger, perils: Perils) -> None:
        self._ledger = ledger
        self._perils = perils

    def submit(self, action: bytes) -> Accepted:
        return self._perils.around(open_action(action).function, lambda: self._ledger.submit(action))

    def resolve(self, action: bytes) -> Accepted | None:
        return self._ledger.resolve(action)

    def evaluate(self, query: str, arguments: Mapping[str, object]) -> Any:
        return self._ledger.evaluate(query, arguments)

    def events(self, after: int, *, to: str | None = None, wait: float = 0.0) -> EventPage:
        return self._ledger.events(after, to=to, wait=wait)

    def export(self, after: int, limit: int) -> Any:
        return self._ledger.export(after, limit)

    def seal(self, height: int) -> Any:
        return self._ledger.seal(height)

    def info(self) -> Any:
        return self._ledger.info()


class PerilousStore:
    """A store whose uploads meet trouble."""

    def __init__(self, store: ObjectStore, perils: Perils, name: str) -> None:
        self._store = store
        self._perils = perils
        self._name = name

    def put(self, name: str, data: bytes | BinaryIO) -> None:
        self._perils.around(self._name, lambda: self._store.put(name, data))

    def get(self, name: str, *, largest: int) -> bytes:
        return self._store.get(name, largest=largest)

    def exists(self, name: str) -> bool:
        return self._store.exists(name)


class PerilousJournal:
    """A journal whose writing meets trouble."""

    def __init__(self, journal: Journal, perils: Perils) -> None:
        self._journal = journal
        self._perils = perils

    def decide(self, kind: type[D], subject: str, make: Callable[[], D]) -> D:
        if self._journal.decided(kind, subject) is not None:
            return self._journal.decide(kind, subject, make)
        return self._perils.around(f"decide {kind.__name__}", lambda: self._journal.decide(kind, subject, make))

    def decided(self, kind: type[D], subject: str) -> D | None:
        return self._journal.decided(kind, subject)

    def all_decided(self, kind: type[D]) -> dict[str, D]:
        return self._journal.all_decided(kind)

    def note(self, kind: str, subject: str, text: str) -> None:
        self._perils.around(f"note {kind}", lambda: self._journal.note(kind, subject, text))

    def noted(self, kind: str, subject: str) -> str | None:
        return self._journal.noted(kind, subject)
