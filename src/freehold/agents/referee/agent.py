"""The referee's agent: takes cases, re-executes, rules; see `plan` for when, `case` for what it is handed."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.agents.agreements import Agreements
from freehold.agents.journal import Decision, Journal
from freehold.agents.keys import MemberKeys
from freehold.agents.loop import Pace, Step, Tell, Turn, tell_nobody, turn
from freehold.agents.packages_checked import require_package
from freehold.agents.reading import Reader, Seen, SubsetSeen, TrainingSeen
from freehold.agents.referee.case import open_case
from freehold.agents.referee.plan import CaseKnown, Drop, Execute, Known, Rule, next_steps
from freehold.agents.workbench import Workbench
from freehold.agents.world import Signer, World
from freehold.errors import Broken, Invalid, Refused
from freehold.learning.training import STATISTICS
from freehold.protocol.actions import ReportFraud
from freehold.protocol.assets import Ballot, Dataset, DataSubset, TrainCouple, with_changes
from freehold.protocol.digests import sha256
from freehold.protocol.identifiers import BallotId, CoupleId, Digest, MemberId
from freehold.protocol.limits import PACKAGE_LARGEST
from freehold.protocol.network import NetworkRecord, network_id


class Case(Decision, frozen=True, kw_only=True):
    """A case that this referee has taken; the ballot is its subject, the package is kept under its digest."""

    couple: CoupleId
    package: Digest


class Ruling(Decision, frozen=True, kw_only=True):
    """What the result of a ballot should have been."""

    result: Digest


class Referee:
    """Re-executes disputed jobs of datasets whose terms name it."""

    def __init__(
        self, *, network: NetworkRecord, keys: MemberKeys, world: World, journal: Journal, tell: Tell = tell_nobody
    ) -> None:
        """`keys` are those of a referee of the network record; Invalid if it lists no such key."""
        if keys.signing_key not in network.referees:
            raise Invalid(
                f"The network lists no referee with the key {keys.signing_key[:8]}.",
                why="referees are part of the network record, which never changes",
                next="found a network with it: freehold network create DIR --referee KEY",
            )
        self._network = network
        # A referee is a key of the network record and no member: it signs as its own key.
        self._signer = Signer(network=network_id(network), member=MemberId(keys.signing_key), keys=keys)
        self._world = world
        self._journal = journal
        self._tell = tell
        self._reader = Reader(world.ledger)
        self._agreements = Agreements(world, self._reader)
        self._pace = Pace()

    @property
    def member(self) -> str:
        """This referee's key, which is its name on the ledger."""
        return self._signer.member

    def step(self, now: int) -> Turn:
        """One turn: look, plan, act."""
        return turn(self, self._pace, now, self._tell)

    def hears(self, case: bytes) -> BallotId:
        """Takes a case; the turns that follow carry it out. The same case again goes on where it was.

        Invalid if it is not for this referee, if its package is not the one that every replica holds, or if nothing
        can be ruled any more; Refused `not-yours` if the dataset's terms name another referee, or none.
        """
        ballot, package = open_case(self._signer.keys.sealing, case)
        training, vote, dataset, subset = self._disputed(ballot)
        if dataset.record.terms.referee != self.member:
            raise Refused("not-yours", "The terms of this dataset do not name you as referee.", now="nothing was ruled")
        if vote.record.ruling is not None and self._journal.decided(Ruling, ballot) is None:
            raise Refused("exists", f"Ballot {ballot[:8]} was ruled on before.", now="nothing was ruled")
        require_package(package, self._signer.network, subset, self._agreements.card(dataset.record))
        digest = Digest(sha256(package).hex())
        self._world.kept.put(digest, package)
        couple = CoupleId(training.couple.id)
        self._journal.decide(Case, ballot, lambda: Case(couple=couple, package=digest))
        return ballot

    def ruling(self, ballot: BallotId) -> Digest | None:
        """What was ruled, once the ledger shows it."""
        seen = self._reader.ballot(ballot)
        return None if seen is None else seen.record.ruling

    def silence(self, ballot: BallotId) -> str | None:
        """Why nothing is ruled on a case that was taken, if so."""
        return self._journal.noted("no-ruling", ballot)

    def look(self) -> Known:
        """What ledger and journal say now."""
        return Known(cases=tuple(self._look_at(BallotId(ballot)) for ballot in self._journal.all_decided(Case)))

    def next_steps(self, known: Known, now: int) -> Iterator[Step]:
        """The plan."""
        return next_steps(known, now)

    def act(self, step: Step, known: Known) -> None:
        """Performs one step."""
        match step:
            case Execute(ballot):
                self._execute(ballot)
            case Rule(ballot):
                ruling = self._journal.decided(Ruling, ballot)
                if ruling is None:
                    raise Broken(f"The journal holds no ruling on ballot {ballot[:8]}.")
                self._signer.send(self._world, ReportFraud(ballot=ballot, ruling=ruling.result))
            case Drop(ballot):
                self._journal.note("no-ruling", ballot, "the time in which the ledger hears a ruling is over")
            case _:
                raise Broken(f"A referee knows no step {step}.")

    def _look_at(self, ballot: BallotId) -> CaseKnown:
        _, vote, dataset, _ = self._disputed(ballot)
        record = vote.record
        return CaseKnown(
            ballot=ballot,
            ruled=record.ruling is not None,
            executed=self._journal.decided(Ruling, ballot) is not None,
            dropped=self._journal.noted("no-ruling", ballot) is not None,
            open_until=record.close_until + self._network.grace + 1 if record.state == "open" else None,
            until=record.close_until + dataset.record.terms.hold,
        )

    def _execute(self, ballot: BallotId) -> None:
        """Decides what the right result is, or notes why that cannot be known; then nobody is accused."""
        case = self._journal.decided(Case, ballot)
        if case is None:
            raise Broken(f"The journal holds no case about ballot {ballot[:8]}.")
        training, vote, _, subset = self._disputed(ballot)
        method = self._agreements.model(training.couple.record.model).method
        if method == STATISTICS and self._agreements.owner(training.couple.record.mo).version:
            # Such answers are masked to the model owner's sealing key, and which one a replica saw cannot be known.
            self._journal.note("no-ruling", ballot, "the model owner's keys were rotated")
            return
        package = self._world.kept.get(case.package, largest=PACKAGE_LARGEST)
        try:
            couple = Seen(training.couple.id, couple_in_round(training, vote.record))
            # A bench of its own: what it remembers of a training must be of this round.
            bench = Workbench(self._world, self._agreements)
            result = bench.answer(couple, vote, subset, lambda: package)
        except Invalid as reason:
            self._journal.note("no-ruling", ballot, reason.what)
            return
        digest = Digest(sha256(result).hex())
        self._journal.decide(Ruling, ballot, lambda: Ruling(result=digest))

    def _disputed(self, ballot: BallotId) -> tuple[TrainingSeen, Seen[Ballot], Seen[Dataset], Seen[DataSubset]]:
        vote = self._reader.ballot(ballot)
        training = None if vote is None else self._reader.training(vote.record.couple)
        if vote is None or training is None:
            raise Refused("unknown", f"The ledger shows no ballot {ballot[:8]}.", now="nothing was ruled")
        for part in training.couple.record.parts:
            dataset = self._reader.dataset(part.dataset)
            subsets: tuple[SubsetSeen, ...] = () if dataset is None else dataset.subsets
            for seen in subsets:
                if dataset is not None and seen.subset.id == vote.record.subset:
                    return training, vote, dataset.dataset, seen.subset
        raise Invalid(f"Ballot {ballot[:8]} is about no subset of its training.")


def couple_in_round(training: TrainingSeen, ballot: Ballot) -> TrainCouple:
    """The training as it was while the round of `ballot` ran: its turn is the number of complete rounds before it."""
    couple, turn = training.couple.record, 0
    for round in range(1, ballot.round):
        votes = training.of_round(round)
        turn += bool(votes) and all(vote.ballot.record.state == "decided" for vote in votes)
    return with_changes(couple, round=ballot.round, base=ballot.base, turn=turn)
