"""Members that lie: those of the demo, and others whom a demo would not show.

    fleeing     a cloud owner that commits to noise and retires at once
    hasty       a cloud owner that calls for the close of a ballot before its time, and so tells its digest
    stalling    a data owner that never says yes (see `people`)
    withdrawing a data owner that withdraws its dataset at some moment
    biased      a data owner that rejects some who hold the right package
    two-faced   a data owner that seals other packages than it published to some
    starving    a model owner that hides each base from some of those who should evaluate it (see `people`)
    ghostly     a model owner that never uploads a base (see `people`)
    vanishing   a model owner that is never heard of again at some moment
    impatient   a model owner that ends its trainings, or tries to, whenever it likes
    repeating   a model owner that starts rounds out of turn, with bases of its own

And the outsider, who sends what others signed once more, or with one bit turned.
"""

from __future__ import annotations

from freehold.agents.cloud_owner.plan import Commit, Compute
from freehold.agents.data_owner.plan import OfferSlot, Verify
from freehold.agents.loop import Turn
from freehold.agents.reading import Reader
from freehold.demo.cheaters import Cheat, Cheater
from freehold.errors import FreeholdError, Refused
from freehold.protocol.actions import Arguments, CloseRound, EndTC, RetireCI, StartRound, VerifyCI, WithdrawDS
from freehold.protocol.identifiers import BallotId, CoupleId, DatasetId, Digest, InstanceId, Verdict
from tests.simulation.people import Agent, Buyer, Hospital, Idle, Person, cloud_owner


def lying_cloud_owner(person: Person) -> Agent:
    """A cloud owner that lies in the way of `person.lie`."""
    if person.lie == "hasty":
        return Hasty(person)
    if person.lie == "fleeing":
        return Fleeing(person)
    return Cheater(person.lie, cloud_owner(person), person.world)


class Fleeing(Cheater):
    """Commits to noise, and retires before anybody can look."""

    def __init__(self, person: Person) -> None:
        super().__init__("noisy", cloud_owner(person), person.world)
        self._person = person

    def act(self, step, known) -> None:  # type: ignore[no-untyped-def]
        """As a noisy one, then away."""
        super().act(step, known)
        if isinstance(step, Cheat):
            held = [replica for member in known.members for replica in member.replicas if replica.work]
            for replica in held:
                _tries(self._person, RetireCI(instance=InstanceId(replica.instance.id)))


class Hasty:
    """Calls for the close of every ballot as soon as it has its own result."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._agent = cloud_owner(person)

    def step(self, now: int) -> Turn:
        """An honest turn, and the calls."""
        turn = self._agent.step(now)
        try:
            works = [
                work
                for replica in Reader(self._person.world.ledger).replicas(self._person.member)
                for work in replica.work
            ]
        except FreeholdError:
            return turn
        from freehold.agents.cloud_owner.agent import Computed

        for work in works:
            made = self._person.journal.decided(Computed, work.job.id)
            if made is not None and work.vote.ballot.record.state == "open" and turn.acted:
                _tries(self._person, CloseRound(ballot=BallotId(work.vote.ballot.id), digest=made.result))
        return turn


class LyingHospital(Hospital):
    """A data owner that lies in the way of `person.lie`."""

    def __init__(self, person: Person) -> None:
        super().__init__(person)
        honest = self.agent.act
        chance = person.town.chance

        def act(step, known) -> None:  # type: ignore[no-untyped-def]
            if person.lie == "biased" and isinstance(step, Verify) and chance.random() < 0.3:
                _tries(person, VerifyCI(instance=step.instance, verdict=Verdict("rejected")))
            elif person.lie == "two-faced" and isinstance(step, OfferSlot) and chance.random() < 0.3:
                self._offers_another(step, known)
            else:
                honest(step, known)

        self.agent.act = act  # type: ignore[method-assign]

    def step(self, now: int) -> Turn:
        """A turn, and perhaps the end of the dataset."""
        turn = super().step(now)
        person = self.person
        if person.lie == "withdrawing" and person.town.published() and person.town.chance.random() < 0.03:
            for id in person.town.published():
                _tries(person, WithdrawDS(dataset=DatasetId(id)))
        return turn

    def _offers_another(self, step, known) -> None:  # type: ignore[no-untyped-def]
        """An offer of a package with a byte turned, under the digest that it sealed."""
        publishing = self.agent._publishing
        honest = publishing.package
        publishing.package = lambda digest: honest(digest)[:-1] + b"\x07"  # type: ignore[method-assign]
        try:
            decided = next(each.decided for each in known.publications if each.decided.dataset == step.dataset)
            publishing.offer(decided, step.index, known.candidates)
        finally:
            publishing.package = honest  # type: ignore[method-assign]


class LyingBuyer(Buyer):
    """A model owner that lies in the way of `person.lie`."""

    def step(self, now: int) -> Turn:
        """A turn, and perhaps something else."""
        turn = super().step(now)
        person, chance = self.person, self.person.town.chance
        couples = [order.couple for order in self.agent.orders().values()]
        if person.lie == "vanishing" and couples and chance.random() < 0.05:
            person.agent = Idle()
            person.is_gone = True
        if person.lie == "impatient" and couples and chance.random() < 0.08:
            _tries(person, EndTC(couple=chance.choice(couples)))
        if person.lie == "repeating" and couples and chance.random() < 0.2:
            couple = chance.choice(couples)
            seen = Reader(person.town.ledger).couple(couple)
            if seen is not None and seen.record.round > 0:
                round = max(1, seen.record.round + chance.randint(-1, 1))
                base = Digest(chance.randbytes(32).hex())
                _tries(person, StartRound(couple=CoupleId(couple), round=round, base=base))
        return turn


class Outsider:
    """Sends what others signed, once more or altered; nothing of it must ever count."""

    def __init__(self, person: Person) -> None:
        self._person = person

    def step(self, now: int) -> Turn:
        """One attempt."""
        town = self._person.town
        if town.recorded:
            action = bytearray(town.chance.choice(town.recorded))
            if town.chance.random() < 0.5:
                action[town.chance.randrange(len(action))] ^= 1 << town.chance.randrange(8)
            try:
                town.records(self._person.name, bytes(action))
            except Refused:
                pass
            else:
                town.witness.accuse("S-3", "an outsider's copy or forgery was accepted")
        return Turn(acted=False, look_again=now + town.chance.randint(200, 5_000))


def _tries(person: Person, arguments: Arguments) -> None:
    try:
        person.signer.send(person.world, arguments)
    except FreeholdError as trouble:
        person.town.log(person.name, f"tries {type(arguments).__name__}: {trouble.code or trouble.what}")


__all__ = ["Commit", "Compute", "LyingBuyer", "LyingHospital", "Outsider", "lying_cloud_owner"]
