"""Cloud owners that cheat: each does everything like an honest one but for one thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from freehold.agents.cloud_owner import CloudOwner
from freehold.agents.cloud_owner.agent import Computed
from freehold.agents.cloud_owner.plan import Commit, Compute, Deliver, Known
from freehold.agents.loop import Step
from freehold.agents.reading import ReplicaSeen, Work
from freehold.bench.market import Market
from freehold.bench.people import Agent, Person, cloud_owner
from freehold.demo.cheaters import Cheat, Cheater, work_of
from freehold.learning.rows import Rows
from freehold.protocol.actions import RetireCI
from freehold.protocol.identifiers import Digest, InstanceId, MemberId
from freehold.protocol.limits import PACKAGE_LARGEST
from freehold.protocol.packages import pack, unpack
from freehold.protocol.sealing import OVERHEAD, open_package

_LARGEST_RESULT: Final = 1 << 26


def one_holder_cheats(market: Market, makes: Callable[[Person], Agent], *, first: bool = False) -> str:
    """One holder, whom chance draws, runs another program from now on; with `first` it is one of a first slot."""
    holders = market.holders(market.chance.below(len(market.dataset.subsets)))
    name = holders[0 if first else market.chance.below(len(holders))]
    market.people[name].becomes(makes(market.people[name]))
    return name


class Liar(Cheater):
    """A cheater of the demo, whose first dishonest act is noted: when it does not do what an honest one does."""

    def __init__(self, kind: str, person: Person) -> None:
        super().__init__(kind, cloud_owner(person), person.world)
        self.person = person

    def next_steps(self, known: Known, now: int) -> Iterator[Step]:
        """As a cheater; whatever an honest one would do and this one does not is the cheating act."""
        own = list(super().next_steps(known, now))
        honest = [step for step in self._honest.next_steps(known, now) if isinstance(step, Compute | Commit | Deliver)]
        if any(step not in own for step in honest):
            self.person.market.acts()
        return iter(own)


class Stale(Liar):
    """Works honestly in the first round, and commits to that result in all others."""

    def __init__(self, person: Person) -> None:
        super().__init__("stale", person)

    def _instead(self, step: Compute | Commit, known: Known, now: int) -> Iterator[Step]:
        first = work_of(known, step.job)[1].vote.ballot.record.round == 1
        return iter([step]) if first else super()._instead(step, known, now)

    def _claimed(self, member: MemberId, replica: ReplicaSeen, work: Work) -> Digest:
        return next(iter(self.person.journal.all_decided(Computed).values())).result


class OtherRows(CloudOwner):
    """Computes, commits, closes and delivers as it should, from other rows than those of its package."""

    person: Person
    changes: Callable[[Rows], Rows]

    def _package(self, member: MemberId, replica: ReplicaSeen) -> bytes:
        held = unpack(super()._package(member, replica))
        rows = self.changes(Rows.parse(bytes(held.rows)))
        self.person.market.acts()
        return pack(held.network, held.dataset, held.index, held.secret, rows.encode())


def other_rows(person: Person, changes: Callable[[Rows], Rows]) -> OtherRows:
    """A cloud owner that works on what `changes` makes of its rows."""
    agent = cloud_owner(person, OtherRows)
    agent.person, agent.changes = person, changes
    return agent


class Fleeing(Liar):
    """Commits to a wrong result, and retires at once, to have its stake before anybody looks."""

    def __init__(self, person: Person) -> None:
        super().__init__("noisy", person)

    def act(self, step: Step, known: Known) -> None:
        """As a noisy one, then away."""
        super().act(step, known)
        if isinstance(step, Cheat):
            replica, _ = work_of(known, step.job)
            self.person.sends(RetireCI(instance=InstanceId(replica.instance.id)))


class Spoiling(CloudOwner):
    """Computes and commits honestly, and then puts other bytes under the name of its result."""

    person: Person
    spoils: Callable[[str, bytes], bytes]

    def _deliver(self, job: str) -> None:
        digest = self._decided(job).result
        right = self.person.world.kept.get(digest, largest=_LARGEST_RESULT)
        place = self.person.market.folder / "objects" / "results" / job / digest
        place.parent.mkdir(parents=True, exist_ok=True)
        # straight into the folder: a store that checks names would not take it
        place.write_bytes(self.spoils(job, right))
        self.person.market.acts()
        self.person.journal.note("delivered", job, digest)


def spoiling(person: Person, spoils: Callable[[str, bytes], bytes]) -> Spoiling:
    """A cloud owner that delivers what `spoils` makes of job and result."""
    agent = cloud_owner(person, Spoiling)
    agent.person, agent.spoils = person, spoils
    return agent


def majority(market: Market) -> tuple[str, str, str]:
    """Two holders of one subset exchange the classes of their rows from now on; the third is honest."""
    first, second, third = market.holders(market.chance.below(len(market.dataset.subsets)))
    for name in (first, second):
        market.people[name].becomes(other_rows(market.people[name], flipped))
    return first, second, third


def package_of(person: Person) -> bytes:
    """The package that a cloud owner holds."""
    replica = person.market.replica(person.name)
    sealed = person.world.kept.get(replica.instance.record.object, largest=PACKAGE_LARGEST + OVERHEAD)
    return open_package(person.keys.sealing, InstanceId(replica.instance.id), sealed)


def rows_of(person: Person) -> Rows:
    """The rows that a cloud owner holds."""
    return Rows.parse(bytes(unpack(package_of(person)).rows))


def flipped(rows: Rows) -> Rows:
    """The rows with the two classes exchanged: statistics that nobody can tell from honest ones."""
    return replace(rows, targets=1 - rows.targets)
