"""One training as its history shows it: who held what, and round by round who said what, and when."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from freehold.agents.auditor.history import Entry, History
from freehold.errors import Invalid
from freehold.protocol.actions import CreateCI, JoinCI, StartRound, VerifyCI
from freehold.protocol.assets import (
    Ballot,
    CloudInstance,
    Dataset,
    DataSubset,
    Member,
    Model,
    TrainCouple,
    TrainJob,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One recorded action that shows something."""

    position: int
    """Its leaf in the log, from 0."""
    action: str
    """SHA-256 of the action."""
    function: str
    member: str


def proofs(entries: Iterable[Entry | None]) -> tuple[Proof, ...]:
    """These entries as proofs, in the order of the log, each once."""
    found = {entry.position: entry for entry in entries if entry is not None}
    return tuple(
        Proof(position=place, action=entry.digest, function=entry.action.function, member=entry.action.member)
        for place, entry in sorted(found.items())
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """One cloud owner's copy of one subset, and the actions that tell how it got there."""

    id: str
    record: CloudInstance
    subset: DataSubset
    offered: Entry
    joined: Entry | None
    judged: Entry | None
    """The data owner's word about the receipt."""

    @property
    def verified(self) -> bool:
        """Whether the data owner signed that the receipt is right."""
        return (
            self.judged is not None
            and isinstance(self.judged.action.arguments, VerifyCI)
            and self.judged.action.arguments.verdict == "verified"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One replica's vote in one round."""

    id: str
    record: TrainJob
    committed: Entry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One subset's ballot in one round: its jobs in the order of the slots, and how it was closed."""

    id: str
    record: Ballot
    subset: DataSubset
    jobs: tuple[Job, ...]
    closed: Entry | None
    ruled: Entry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round, by part and subset."""

    number: int
    started: Entry
    votes: tuple[Vote, ...]

    @property
    def complete(self) -> bool:
        """Whether every subset was decided; a round that is still open is not, yet."""
        return all(vote.record.state == "decided" for vote in self.votes)


class Training:
    """Everything that a history says about one training; Invalid if it knows none of that id."""

    def __init__(self, history: History, couple: str) -> None:
        record = history.find(TrainCouple, couple)
        if record is None:
            raise Invalid(
                f"This history has no training {couple}.",
                code="evidence:training",
                next="name a training of this ledger, or get the file of the right ledger",
            )
        self.history = history
        self.id = couple
        self.record = record
        self.model = history.get(Model, record.model)
        self.owner = history.get(Member, record.mo)
        self.datasets = {part.dataset: history.get(Dataset, part.dataset) for part in record.parts}

    @cached_property
    def requested(self) -> Entry:
        """The model owner's request."""
        return self.history.creator(TrainCouple, self.id)

    @cached_property
    def approvals(self) -> tuple[Entry, ...]:
        """The data owners' approvals, in order."""
        written = self.history.writers(TrainCouple, self.id)
        return tuple(entry for entry in written if entry.action.function == "ApproveTC")

    @cached_property
    def ended(self) -> Entry | None:
        """The action that ended it, if it has ended."""
        return self.history.wrote(TrainCouple, self.id, "EndTC")

    @cached_property
    def rounds(self) -> tuple[Round, ...]:
        """All rounds that were started, in order."""
        written = self.history.writers(TrainCouple, self.id)
        return tuple(self._round(entry) for entry in written if isinstance(entry.action.arguments, StartRound))

    @cached_property
    def jobs(self) -> tuple[Job, ...]:
        """Every job of every round, in order."""
        return tuple(job for round in self.rounds for vote in round.votes for job in vote.jobs)

    @cached_property
    def replicas(self) -> tuple[Replica, ...]:
        """The replicas that had a job in this training, or hold a slot if no round was started."""
        instances = dict.fromkeys(job.record.instance for job in self.jobs)
        if not instances:
            subsets = self.subsets.values()
            instances = dict.fromkeys(slot.instance for subset in subsets for slot in subset.slots)
        return tuple(replica for replica in self.offers if replica.id in instances)

    @cached_property
    def subsets(self) -> dict[str, DataSubset]:
        """The subsets of all its datasets by id."""
        return {id: record for id, record in self.history.every(DataSubset) if record.dataset in self.datasets}

    @cached_property
    def offers(self) -> tuple[Replica, ...]:
        """Every offer of a subset of its datasets, in the order in which they were made, taken or not."""
        return tuple(self._offers())

    def _offers(self) -> Iterator[Replica]:
        for entry in self.history.entries:
            arguments = entry.action.arguments
            if isinstance(arguments, CreateCI) and arguments.subset in self.subsets:
                yield Replica(
                    id=entry.id,
                    record=self.history.get(CloudInstance, entry.id),
                    subset=self.subsets[arguments.subset],
                    offered=entry,
                    joined=self.history.wrote(CloudInstance, entry.id, JoinCI.__name__),
                    judged=self.history.wrote(CloudInstance, entry.id, VerifyCI.__name__),
                )

    def _round(self, started: Entry) -> Round:
        number = started.action.arguments.round  # type: ignore[attr-defined]
        keys = [key for key in started.writes if key.startswith("ballot/")]
        ids = [key.removeprefix("ballot/") for key in keys]
        ballots = {id: self.history.get(Ballot, id) for id in ids}
        votes = [self._vote(id, ballot) for id, ballot in ballots.items() if ballot.round == number]
        votes.sort(key=lambda vote: (vote.subset.dataset, vote.subset.index))
        return Round(number=number, started=started, votes=tuple(votes))

    def _vote(self, id: str, ballot: Ballot) -> Vote:
        history = self.history
        return Vote(
            id=id,
            record=ballot,
            subset=self.subsets[ballot.subset],
            jobs=tuple(
                Job(id=job, record=history.get(TrainJob, job), committed=history.wrote(TrainJob, job, "UpdateTJ"))
                for job in ballot.jobs
            ),
            closed=history.wrote(Ballot, id, "CloseRound"),
            ruled=history.wrote(Ballot, id, "ReportFraud"),
        )
