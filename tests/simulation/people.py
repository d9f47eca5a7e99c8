"""The members: each an honest agent on a machine of its own, or somebody who lies in one way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from freehold.agents.cloud_owner import CloudOwner, Rules
from freehold.agents.data_owner import DataOwner
from freehold.agents.keys import MemberKeys
from freehold.agents.loop import Told, Turn
from freehold.agents.model_owner import ModelOwner, Wish
from freehold.agents.reading import Reader
from freehold.agents.treasury import Treasury
from freehold.agents.world import Signer, World
from freehold.errors import FreeholdError
from freehold.protocol import signatures
from freehold.protocol.identifiers import CoupleId, DatasetId, MemberId
from freehold.protocol.network import network_id
from tests.simulation.ports import Diary, Home, Perils, Store, WayToLedger

if TYPE_CHECKING:
    from tests.simulation.town import Town

TRAINING = "model"


class Agent(Protocol):
    """Anybody who takes turns."""

    def step(self, now: int) -> Turn: ...


@dataclass(frozen=True, slots=True)
class Idle:
    """Somebody who does nothing any more."""

    def step(self, now: int) -> Turn:
        return Turn(acted=False, look_again=now + 60_000)


@cache
def keys_of(name: str) -> MemberKeys:
    """The keys of somebody: the same in every market, since no rule depends on which they are."""

    def derived(purpose: str) -> bytes:
        return hashlib.sha256(f"{name} {purpose}".encode()).digest()

    return MemberKeys(
        number=0,
        signing=derived("signing"),
        sealing=derived("sealing"),
        recovery=signatures.public_key(derived("recovery")),
    )


class Person:
    """Somebody's machine, and the agent that runs on it."""

    def __init__(self, town: Town, name: str, role: str, start: Callable[[Person], Agent], *, lie: str = "") -> None:
        chance, faults = town.chance, town.scenario.faults
        self.town = town
        self.name = name
        self.role = role
        self.lie = lie
        self.keys = keys_of(name)
        self.home = Home()
        self.is_slow = role == "co" and faults.slow > 0 and chance.randrange(1000) < faults.slow
        self.is_gone = False
        self.down_until = 0
        self.cut_off_until = 0
        self.deaths = 0
        self.hidden: set[str] = set()
        self.told: list[Told] = []
        skew = town.network.skew
        self._skewed = chance.randint(-skew // 2, skew // 2)
        is_apart = faults.apart > 0 and chance.randrange(1000) < faults.apart
        self._apart = chance.choice((-1, 1)) * chance.randint(skew, 20 * skew) if is_apart else self._skewed
        self._apart_from = town.now + chance.randrange(town.scenario.quiet_after)
        self._start = start
        identity = network_id(town.network)
        self.member = MemberId(self.keys.signing_key) if role == "treasury" else self.keys.id_in(role, identity)
        self.signer = Signer(network=identity, member=self.member, keys=self.keys)
        self._perils = Perils(town, self)
        self.journal = Diary(self.home, self._perils)
        self.world = World(
            ledger=WayToLedger(town, self, self._perils),
            stores={"main": Store(town, self._perils, at_home=False, person=self)},
            kept=Store(self.home, self._perils, at_home=True, person=self),
            clock=self.clock,
            random=town.chance.randbytes,
        )
        self.agent: Agent | None = None

    @property
    def is_honest(self) -> bool:
        """Whether this member does what an honest one does, however bad its luck."""
        return not self.lie

    def clock(self) -> int:
        """What this member's clock shows."""
        is_apart = self._apart_from <= self.town.now and not self.town.is_quiet
        return self.town.now + (self._apart if is_apart else self._skewed)

    def takes_a_turn(self) -> Turn:
        """One turn; a process that died before is started anew, from what its disk holds."""
        if self.agent is None:
            self.agent = self._start(self)
        if self._perils.strikes("partition"):
            self.cut_off_until = self.town.now + self.town.chance.randint(100, 8_000)
        shown = self.clock()
        turn = self.agent.step(shown)
        return Turn(acted=turn.acted, look_again=turn.look_again - shown + self.town.now)

    def dies(self) -> None:
        """The process is gone; it comes back after a while, or never."""
        self.agent = None
        self.deaths += 1
        self.is_gone = self._perils.strikes("never_back")
        self.down_until = self.town.now + self.town.chance.choice((0, 10, 500, 3_000, 15_000))

    def puts(self, objects: dict[str, bytes], name: str, data: bytes, at_home: bool) -> None:
        """Stores an object; some model owners do not let everybody read theirs."""
        if at_home or self.lie not in ("starving", "ghostly") or self.role != "mo":
            objects[name] = data
        elif data.startswith(b"plain base"):
            self.town.hides(self, name, data)
        else:
            objects[name] = data

    def may_read(self, name: str) -> bool:
        """Whether the store shows this object to this member."""
        return name not in self.hidden


def cloud_owner(person: Person) -> CloudOwner:
    """An honest cloud owner."""
    return CloudOwner(
        network=person.town.network,
        members=lambda: (person.keys,),
        rules=Rules(max_stake=10**9),
        world=person.world,
        journal=person.journal,
        tell=person.told.append,
    )


def treasury(person: Person) -> Treasury:
    """Who credits everybody what they need."""
    return Treasury(
        network=person.town.network,
        keys=person.keys,
        welcome={"co": person.town.scenario.stake, "mo": 1_000_000},
        world=person.world,
        journal=person.journal,
        tell=person.told.append,
    )


class Hospital:
    """A data owner's agent, and the person who publishes one table and says yes to every training of it."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.agent = DataOwner(
            network=person.town.network,
            keys=person.keys,
            world=person.world,
            journal=person.journal,
            tell=person.told.append,
            wait_for_answer=5_000,
        )
        self._reader = Reader(person.world.ledger)

    def step(self, now: int) -> Turn:
        """What the person wants, then one turn of the agent."""
        acted = False
        try:
            acted = self._wishes()
        except FreeholdError as trouble:
            self.person.told.append(Told(step="wish", trouble=trouble))
        turn = self.agent.step(now)
        return Turn(acted=acted or turn.acted, look_again=turn.look_again)

    def _wishes(self) -> bool:
        town, home = self.person.town, self.person.home
        if "Publication" not in home.decisions:
            self.agent.publish(town.table, town.terms())
            return True
        if not town.asked or self.person.lie == "stalling":
            return False
        waiting = self._reader.approvals(self.agent.member)
        for approval in waiting:
            self.agent.approve(CoupleId(approval.couple))
        return bool(waiting)


class Buyer:
    """A model owner's agent, and the person who orders as soon as every dataset is published."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.agent = ModelOwner(
            network=person.town.network,
            keys=person.keys,
            world=person.world,
            journal=person.journal,
            models=Path(person.name),
            tell=person.told.append,
        )

    def step(self, now: int) -> Turn:
        """The orders, then one turn of the agent."""
        try:
            self._orders()
        except FreeholdError as trouble:
            self.person.told.append(Told(step="order", trouble=trouble))
        return self.agent.step(now)

    def _orders(self) -> None:
        town = self.person.town
        ordered = len(self.person.home.decisions.get("Order", {}))
        published = [DatasetId(id) for id in town.published()]
        if ordered < town.scenario.trainings and len(published) == town.scenario.hospitals:
            wish = Wish(datasets=tuple(sorted(published)), rounds=town.scenario.rounds, map_name="identity")
            self.agent.train(f"{TRAINING} {ordered + 1}", wish, max_cost=10**6)
