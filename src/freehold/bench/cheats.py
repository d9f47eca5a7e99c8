"""Agents that cheat: each an honest one in everything but one thing, with its keys, its journal and its view.

What each attack is, and what shows it, stands in `attacks`; here is only how an agent of Freehold is made to do it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeVar

from freehold.agents.cloud_owner import CloudOwner
from freehold.agents.cloud_owner.agent import Computed
from freehold.agents.cloud_owner.plan import Commit, Compute, Deliver, Known
from freehold.agents.data_owner import DataOwner
from freehold.agents.data_owner.plan import Known as DataKnown
from freehold.agents.data_owner.plan import OfferSlot, Verify
from freehold.agents.data_owner.publishing import Publishing
from freehold.agents.loop import Step, Turn
from freehold.agents.model_owner import ModelOwner, Quote, Wish
from freehold.agents.model_owner.plan import OrderKnown
from freehold.agents.reading import Reader, ReplicaSeen, Work
from freehold.bench.facts import Detected, recorded, refused
from freehold.bench.market import Market
from freehold.bench.people import Agent, Person, cloud_owner, data_owner, model_owner
from freehold.demo.cheaters import Cheat, Cheater, work_of
from freehold.errors import Broken, Unavailable
from freehold.learning.card import LARGEST_CARD, Card
from freehold.learning.maps import map_description
from freehold.learning.rows import Rows
from freehold.objects.folder import FolderStore
from freehold.protocol import commitments
from freehold.protocol.actions import RetireCI, StartRound, VerifyCI
from freehold.protocol.digests import sha256
from freehold.protocol.identifiers import Digest, InstanceId, MemberId, Verdict
from freehold.protocol.limits import PACKAGE_LARGEST
from freehold.protocol.packages import pack, unpack
from freehold.protocol.sealing import OVERHEAD, open_package

H = TypeVar("H", "Unequal", "Rejecting", "Neglecting", "Favouring")
HUGE_MAP: Final = "rff-1000"
_LARGEST_RESULT: Final = 1 << 26


@dataclass(frozen=True, slots=True)
class Idle:
    """Somebody who does nothing of their own accord."""

    def step(self, now: int) -> Turn:
        """Nothing."""
        return Turn(acted=False, look_again=now + 60_000)


class Repeating:
    """Somebody without a member's keys, who sends what others sent as soon as it is recorded, changed or as it is."""

    def __init__(self, market: Market, changes: Callable[[bytes], bytes]) -> None:
        self._market = market
        self._changes = changes
        self._height = 0
        self._refused: list[Detected] = []

    def step(self, now: int) -> Turn:
        """Sends everything that was recorded since the last turn."""
        for action in recorded(self._market, after=self._height):
            self._refused.append(refused(self._market, partial(self._market.ledger.submit, self._changes(action))))
        self._height = self._market.ledger.info().height
        return Turn(acted=False, look_again=now + 60_000)

    def found(self) -> Detected:
        """When the first was refused, or None if any was taken."""
        return self._refused[0] if None not in self._refused else None


def outsider_sends(market: Market, changes: Callable[[bytes], bytes]) -> Repeating:
    """From now on an outsider sends what `changes` makes of every recorded action."""
    agent = Repeating(market, changes)
    market.comes("outsider", "outsider", None, lambda _: Idle()).becomes(agent)
    return agent


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


def receipt_is_right(person: Person) -> bool:
    """Whether the receipt on the ledger is the one that only a holder of the package can make."""
    instance = person.market.replica(person.name).instance
    nonce, receipt = instance.record.nonce, instance.record.receipt
    if nonce is None:
        return False
    return receipt == commitments.receipt(InstanceId(instance.id), person.member, nonce, package_of(person))


def flipped(rows: Rows) -> Rows:
    """The rows with the two classes exchanged: statistics that nobody can tell from honest ones."""
    return replace(rows, targets=1 - rows.targets)


class Unequal(DataOwner):
    """Seals another package than it published to the first cloud owner that it draws."""

    market: Market
    has_cheated = False

    def act(self, step: Step, known: DataKnown) -> None:
        """Honest steps, but for the first offer."""
        if isinstance(step, OfferSlot) and not self.has_cheated:
            honest, self._publishing = self._publishing, _OtherPackages(self._world, self._journal, self._signer)
            try:
                super().act(step, known)
            finally:
                self._publishing = honest
            self.has_cheated = True
            self.market.acts()
        else:
            super().act(step, known)


class _OtherPackages(Publishing):
    def package(self, digest: Digest) -> bytes:
        right = super().package(digest)
        return right[:-2] + bytes([right[-2] ^ 1]) + right[-1:]


class Rejecting(DataOwner):
    """Rejects the first cloud owner whose receipt is right."""

    market: Market
    rejected: InstanceId | None = None

    def act(self, step: Step, known: DataKnown) -> None:
        """Honest steps, but for the first receipt."""
        if isinstance(step, Verify) and self.rejected is None:
            self.rejected = step.instance
            self.market.acts()
            self._send(VerifyCI(instance=step.instance, verdict=Verdict("rejected")))
        else:
            super().act(step, known)


class Neglecting(DataOwner):
    """Never answers the first cloud owner that joins."""

    market: Market
    neglected: InstanceId | None = None

    def next_steps(self, known: DataKnown, now: int) -> Iterator[Step]:
        """Honest steps, but for that one receipt."""
        for step in super().next_steps(known, now):
            if isinstance(step, Verify) and self.neglected is None:
                self.neglected = step.instance
                self.market.acts()
            if not (isinstance(step, Verify) and step.instance == self.neglected):
                yield step


def hospital_runs(market: Market, kind: type[H]) -> H:
    """The hospital runs another program from now on."""
    person = market.people["hospital"]
    agent = data_owner(person, kind)
    agent.market = market
    person.becomes(agent)
    return agent


def buyer_runs(market: Market, kind: type[Malforming]) -> None:
    """The buyer runs another program from now on."""
    person = market.people["buyer"]
    agent = model_owner(person, kind)
    agent.market = market
    person.becomes(agent)


def hides_base(market: Market, victims: list[str]) -> None:
    """The buyer's store shows these people no base in round 1."""

    def shows(name: str, largest: int, data: bytes) -> bytes:
        if _is_first_base(market, name):
            market.acts()
            raise Unavailable(f"there is no object {name}")
        return data

    market.cheats("buyer")
    for victim in victims:
        market.people[victim].shelf.shows = shows


def swaps_base(market: Market, victim: str) -> None:
    """The buyer's store serves one person other bytes under the name of the base of round 1."""
    folder = market.folder / "other-objects"

    def shows(name: str, largest: int, data: bytes) -> bytes:
        if not _is_first_base(market, name):
            return data
        market.acts()
        other = FolderStore(folder)
        (folder / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        return other.get(name, largest=largest)

    market.cheats("buyer")
    market.people[victim].shelf.shows = shows


def _is_first_base(market: Market, name: str) -> bool:
    couple = market.training.couple.record
    return couple.round == 1 and couple.base == name


class Favouring(DataOwner):
    """Keeps the places of its dataset free for the first who joins, until `has_tried`."""

    market: Market
    friend: InstanceId | None = None
    has_tried = False

    def next_steps(self, known: DataKnown, now: int) -> Iterator[Step]:
        """Honest steps, but everybody else waits for their verification."""
        for step in super().next_steps(known, now):
            if isinstance(step, Verify) and self.friend is None:
                self.friend = step.instance
            if self.has_tried or not isinstance(step, Verify) or step.instance == self.friend:
                yield step


class Malforming(ModelOwner):
    """Starts its first round with a base whose numbers are no residues."""

    market: Market

    def _start(self, known: OrderKnown, round: int) -> None:
        if round > 1 or known.training is None:
            super()._start(known, round)
            return
        rounds = self._rounds_of(known.name, known.order, known.training)
        rounds.upload_public()
        self._journal.note("prepared", known.name, "")
        store = self._world.store(known.order.store)
        right = store.get(rounds.base(1, 0), largest=_LARGEST_RESULT)
        wrong = right[:-8] + b"\xff" * 8
        digest = Digest(sha256(wrong).hex())
        store.put(digest, wrong)
        self.market.acts()
        self._send(StartRound(couple=known.order.couple, round=1, base=digest, secret=known.order.secret))


class Exhausting(ModelOwner):
    """Asks for a training with a thousand random features, whatever its own tool says of that."""

    def quote(self, wish: Wish) -> Quote:
        """The price of a small training, and the map of a huge one."""
        (seen,) = (Reader(self._world.ledger).dataset(dataset) for dataset in wish.datasets)
        if seen is None:
            raise Broken("There is no dataset to ask for.")
        store = self._world.store(seen.dataset.record.terms.store)
        card = Card.parse(store.get(seen.dataset.record.card_digest, largest=LARGEST_CARD))
        return replace(super().quote(wish), map=map_description([card], HUGE_MAP))
