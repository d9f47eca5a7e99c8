"""A whole market in one process and one thread: real agents, rules, keys, packages and arithmetic; simulated time.

    town = Town(tmp_path)
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    town.trains("heart", dataset, rounds=3)

Everybody takes a turn; when nobody had anything to do, the clock jumps to the next time that somebody waits for. Ports
can be wrapped per person (`Person.through`), which is how other tests make the world fail.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from freehold.agents.cloud_owner import CloudOwner, Rules
from freehold.agents.data_owner import DataOwner
from freehold.agents.journal import Journal, JournalFile
from freehold.agents.keys import KeyRing, new_ring, new_words, with_fresh_member
from freehold.agents.loop import Told, Turn
from freehold.agents.model_owner import ModelOwner, Progress, Wish
from freehold.agents.reading import DatasetSeen, Reader, TrainingSeen
from freehold.agents.treasury import Treasury
from freehold.agents.world import World
from freehold.contract.host import Contract
from freehold.errors import Invalid, Unavailable
from freehold.learning.prepared import Prepared
from freehold.ledger.memory import MemoryLedger
from freehold.ports.ledger import Ledger
from freehold.ports.object_store import ObjectStore
from freehold.protocol.assets import Terms, TrainCouple
from freehold.protocol.identifiers import CoupleId, DatasetId, Method, Nonce, PublicKey, StoreName
from freehold.protocol.network import NetworkRecord

T = TypeVar("T")

SKEW, GRACE, WINDOW = 250, 500, 2_000
START = 1_000_000
BUSIEST = 1_000
"""Turns of everybody without a moment's rest: a market that needs more has somebody who repeats a step for ever."""
PRICE_JOB, PRICE_ROUND = 100, 400
WELCOME = 1_000_000


class Crash(BaseException):
    """The process dies here; no `except` of a program can catch it."""


class Agent(Protocol):
    """Anybody who takes turns."""

    def step(self, now: int) -> Turn: ...


class MemoryStore:
    """Objects in memory, with the checks that every store makes."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put(self, name: str, data: bytes | BinaryIO) -> None:
        data = data if isinstance(data, bytes) else data.read()
        if hashlib.sha256(data).hexdigest() != name.rsplit("/")[-1]:
            raise Invalid(f"the bytes do not hash to {name}")
        self.objects[name] = data

    def get(self, name: str, *, largest: int) -> bytes:
        if name not in self.objects:
            raise Unavailable(f"there is no object {name}")
        data = self.objects[name]
        if len(data) > largest or hashlib.sha256(data).hexdigest() != name.rsplit("/")[-1]:
            raise Invalid(f"object {name} is not what its name says")
        return data

    def exists(self, name: str) -> bool:
        return name in self.objects


class Chance:
    """Random bytes that a test can repeat: no two calls alike, and no two people."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0

    def __call__(self, size: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(f"{self._name}/{self._count}".encode()).digest(size)


class Person:
    """Somebody's machine: what survives a crash, and how their agent is started on it."""

    def __init__(self, town: Town, name: str, ring: KeyRing, start: Callable[[Person], Agent]) -> None:
        self.town = town
        self.name = name
        self.ring = ring
        self.chance = Chance(name)
        self.kept = MemoryStore()
        self.folder = town.folder / name
        self.folder.mkdir(mode=0o700)
        self._start = start
        self._file = JournalFile(self.folder / "journal.sqlite")
        self.through: Callable[[World, Journal], tuple[World, Journal]] = lambda world, journal: (world, journal)
        self.told: list[Told] = []
        self.world, self.journal = self._ports()
        self.agent: Agent = start(self)

    def restarts(self) -> None:
        """Kills the agent's process and starts it again: nothing remains but the journal and what was kept."""
        self._file.close()
        self._file = JournalFile(self.folder / "journal.sqlite")
        self.world, self.journal = self._ports()
        self.agent = self._start(self)

    def wears(self, through: Callable[[World, Journal], tuple[World, Journal]]) -> None:
        """From now on this person reaches the world through `through`."""
        self.through = through
        self.restarts()

    def survives(self, wish: Callable[[], T]) -> T:
        """What a person gets who types the same command again after every crash and every lost answer."""
        while True:
            try:
                return wish()
            except Crash:
                self.restarts()
            except Unavailable:
                self.town.now += 1

    def takes_a_turn(self, now: int) -> Turn:
        """One turn of the agent; if its process dies in it, it is started again."""
        try:
            return self.agent.step(now)
        except Crash:
            self.restarts()
            return Turn(acted=True, look_again=now)

    def closes(self) -> None:
        self._file.close()

    def _ports(self) -> tuple[World, Journal]:
        town = self.town
        world = World(
            ledger=town.ledger, stores={"main": town.store}, kept=self.kept, clock=town.clock, random=self.chance
        )
        return self.through(world, self._file)


class Town:
    """A market and everybody in it."""

    def __init__(self, folder: Path, *, referees: tuple[PublicKey, ...] = ()) -> None:
        self.folder = folder
        self.now = START
        self.chance = Chance("town")
        self._treasury_ring = new_ring("treasury", "", self.chance)
        self.network = NetworkRecord(
            grace=GRACE,
            nonce=Nonce("01" * 32),
            referees=referees,
            skew=SKEW,
            stores=(StoreName("main"),),
            treasury=self._treasury_ring.members[0].signing_key,
        )
        self.ledger: Ledger = MemoryLedger(Contract(self.network), self.clock)
        self.store: ObjectStore = MemoryStore()
        self.people: dict[str, Person] = {}
        self.words: dict[str, str] = {}
        """Everybody's sheet of paper, by name."""
        self.reader = Reader(self.ledger)
        self._busy = 0

    def clock(self) -> int:
        """The time of everybody: ledger and members."""
        return self.now

    def settles(
        self,
        *,
        cloud_owners: int,
        data_owners: int = 1,
        welcome: int = WELCOME,
        cloud_welcome: int = 0,
        rules: Rules | None = None,
    ) -> None:
        """Everybody comes to town."""
        self._arrives("treasury", self._treasury_ring, lambda person: self._treasury(person, welcome, cloud_welcome))
        for number in range(1, data_owners + 1):
            self._arrives(f"hospital {number}", self._ring("do", f"hospital {number}"), _data_owner)
        for number in range(1, cloud_owners + 1):
            self.adds_cloud_owner(f"cloud {number:02}", rules)
        self._arrives("buyer", self._ring("mo", "buyer"), _model_owner)

    def adds_model_owner(self, name: str) -> Person:
        """One more buyer."""
        return self._arrives(name, self._ring("mo", name), _model_owner)

    def also_buys(self, name: str) -> Person:
        """Somebody who is in town already buys trainings too, with the same keys in another role."""
        return self._arrives(f"{name} as a buyer", self.people[name].ring, _model_owner)

    def adds_cloud_owner(self, name: str, rules: Rules | None = None) -> Person:
        """One more cloud owner with one slot."""
        ring = with_fresh_member(self._ring("co", name), self.chance)
        return self._arrives(name, ring, lambda person: _cloud_owner(person, rules or Rules()))

    def leaves(self, name: str) -> None:
        """Somebody is never heard of again."""
        self.people.pop(name).closes()

    def data_owner(self, number: int = 1) -> DataOwner:
        agent = self.people[f"hospital {number}"].agent
        assert isinstance(agent, DataOwner)
        return agent

    def buyer(self, name: str = "buyer") -> ModelOwner:
        agent = self.people[name].agent
        assert isinstance(agent, ModelOwner)
        return agent

    def terms(self, prepared: Prepared, **changes: object) -> Terms:
        values: dict[str, object] = {
            "answer_window": 20_000,
            "close_window": WINDOW,
            "commit_window": WINDOW,
            "group_min": prepared.plan.group_min,
            "hold": 4 * WINDOW,
            "idle_window": 60_000,
            "methods": (Method("linear-1"), Method("statistics-1")),
            "price_job": PRICE_JOB,
            "price_round": PRICE_ROUND,
            "rounds_per_training": 40,
            "rounds_total": 100,
            "stake": 0,
            "store": StoreName("main"),
        }
        return Terms(**(values | changes))  # type: ignore[arg-type]

    def publishes(self, prepared: Prepared, *, number: int = 1, **terms: object) -> DatasetId:
        """A hospital publishes a table, and everybody does their part until it is published."""
        wanted = self.terms(prepared, **terms)
        hospital = self.people[f"hospital {number}"]
        dataset = hospital.survives(lambda: self.data_owner(number).publish(prepared, wanted))
        self.lives(lambda: self.state("dataset", dataset) == "published")
        return dataset

    def requests(self, name: str, *datasets: DatasetId, rounds: int, buyer: str = "buyer", **wish: object) -> CoupleId:
        """The buyer asks for a training, and has locked its price."""
        made = Wish(datasets=tuple(sorted(datasets)), rounds=rounds, **wish)  # type: ignore[arg-type]
        person = self.people[buyer]
        couple = person.survives(lambda: self.buyer(buyer).train(name, made, max_cost=WELCOME)).couple
        self.lives(lambda: self.state("couple", couple) == "requested")
        return couple

    def trains(self, name: str, *datasets: DatasetId, rounds: int, **wish: object) -> Progress:
        """The buyer asks, every hospital approves, and everybody does their part until the model is there."""
        couple = self.requests(name, *datasets, rounds=rounds, **wish)  # type: ignore[arg-type]
        self.approves(couple)
        self.lives(lambda: self.buyer().progress(name).phase in ("finished", "failed"))
        self.rests()
        return self.buyer().progress(name)

    def approves(self, couple: CoupleId) -> None:
        """Every hospital that is asked says yes."""
        for person in self.people.values():
            person.survives(partial(self._approves, person, couple))

    def couple(self, id: str) -> TrainCouple:
        """A training as it stands on the ledger."""
        seen = self.reader.couple(id)
        assert seen is not None
        return seen.record

    def training(self, id: str) -> TrainingSeen:
        """A training with all its ballots and jobs."""
        seen = self.reader.training(id)
        assert seen is not None
        return seen

    def dataset(self, id: str) -> DatasetSeen:
        """A dataset with its subsets and replicas."""
        seen = self.reader.dataset(id)
        assert seen is not None
        return seen

    def cloud_owner(self, name: str) -> CloudOwner:
        agent = self.people[name].agent
        assert isinstance(agent, CloudOwner)
        return agent

    def state(self, kind: str, id: str) -> str | None:
        """The state of one record, None if it is not there."""
        record = self.ledger.evaluate("get", {"kind": kind, "id": id})
        return None if record is None else str(record["state"])

    def lives(self, until: Callable[[], bool], *, longest: int = 3_600_000) -> None:
        """Everybody takes turns until `until()`; fails if nothing leads there within `longest` milliseconds."""
        end = self.now + longest
        while not until():
            assert self.now <= end, f"not reached: {self._troubles()}"
            self._turn_of_all()

    def rests(self, milliseconds: int = 30_000) -> None:
        """Some time goes by, and everybody does what is left to do."""
        end = self.now + milliseconds
        while self.now < end:
            self._turn_of_all()

    def money(self) -> dict[str, int]:
        """Where all the money is."""
        totals: dict[str, int] = self.ledger.evaluate("totals", {})
        assert totals["conserved"]
        return totals

    def account(self, member: str) -> int:
        """A member's free micro-credits."""
        return self.reader.account(member).free

    def closes(self) -> None:
        """Everybody goes home."""
        for person in self.people.values():
            person.closes()

    def _approves(self, person: Person, couple: CoupleId) -> None:
        agent = person.agent
        if isinstance(agent, DataOwner):
            waiting = self.reader.approvals(agent.member)
            if any(approval.couple == couple for approval in waiting):
                agent.approve(couple)

    def _turn_of_all(self) -> None:
        turns = [person.takes_a_turn(self.now) for person in list(self.people.values())]
        if any(turn.acted for turn in turns):
            self._busy += 1
            assert self._busy < BUSIEST, f"somebody repeats a step without end: {self._last_words()}"
        else:
            self._busy = 0
            self.now = max(self.now + 1, min(turn.look_again for turn in turns))

    def _last_words(self) -> list[str]:
        return [f"{name}: {person.told[-1].step}" for name, person in self.people.items() if person.told]

    def _troubles(self) -> list[str]:
        told = [(person.name, told) for person in self.people.values() for told in person.told[-50:]]
        return [f"{name}: {each.step}: {each.trouble}" for name, each in told if each.trouble is not None][-20:]

    def arrives(self, name: str, ring: KeyRing, start: Callable[[Person], Agent]) -> Person:
        """Somebody of another trade comes to town."""
        return self._arrives(name, ring, start)

    def _arrives(self, name: str, ring: KeyRing, start: Callable[[Person], Agent]) -> Person:
        self.people[name] = person = Person(self, name, ring, start)
        return person

    def _ring(self, role: str, name: str) -> KeyRing:
        self.words[name] = new_words(self.chance)
        return new_ring(role, self.words[name], self.chance)  # type: ignore[arg-type]

    def _treasury(self, person: Person, welcome: int, cloud_welcome: int) -> Treasury:
        return Treasury(
            network=self.network,
            keys=person.ring.members[0],
            welcome={"mo": welcome, "co": cloud_welcome},
            world=person.world,
            journal=person.journal,
            tell=person.told.append,
        )


def _data_owner(person: Person) -> DataOwner:
    return DataOwner(
        network=person.town.network,
        keys=person.ring.members[0],
        world=person.world,
        journal=person.journal,
        tell=person.told.append,
        wait_for_answer=5_000,
    )


def _cloud_owner(person: Person, rules: Rules) -> CloudOwner:
    return CloudOwner(
        network=person.town.network,
        members=lambda: person.ring.members,
        rules=rules,
        world=person.world,
        journal=person.journal,
        tell=person.told.append,
    )


def _model_owner(person: Person) -> ModelOwner:
    return ModelOwner(
        network=person.town.network,
        keys=person.ring.members[0],
        world=person.world,
        journal=person.journal,
        models=person.folder / "models",
        tell=person.told.append,
    )


def troubles(people: Iterable[Person]) -> list[Told]:
    """Everything that went wrong for anybody."""
    return [told for person in people for told in person.told if told.trouble is not None]
