"""A whole state in memory, and the little that every invariant wants to know of it."""

from collections.abc import Callable
from typing import TypeVar

from freehold.contract import records
from freehold.ports.state_view import StateView
from freehold.protocol.assets import (
    Ballot,
    Budget,
    CloudInstance,
    Dataset,
    DataSubset,
    Finding,
    Payout,
    TrainCouple,
    TrainJob,
)
from freehold.protocol.identifiers import (
    BallotId,
    CoupleId,
    DatasetId,
    FindingId,
    InstanceId,
    JobId,
    PayoutId,
    SubsetId,
    ballot_id,
    subset_id,
)
from freehold.protocol.records import Record

R = TypeVar("R", bound=Record)
Id = TypeVar("Id", bound=str)


class Whole:
    """All records of a state by kind and id."""

    def __init__(self, view: StateView) -> None:
        self.view = view
        self.datasets = _all(view, Dataset, DatasetId)
        self.budgets = _all(view, Budget, DatasetId)
        self.subsets = _all(view, DataSubset, SubsetId)
        self.instances = _all(view, CloudInstance, InstanceId)
        self.couples = _all(view, TrainCouple, CoupleId)
        self.ballots = _all(view, Ballot, BallotId)
        self.jobs = _all(view, TrainJob, JobId)
        self.payouts = _all(view, Payout, PayoutId)
        self.findings = _all(view, Finding, FindingId)

    def datasets_of(self, couple: TrainCouple) -> dict[DatasetId, Dataset]:
        """The datasets of a training, in the order of its parts."""
        return {part.dataset: self.datasets[part.dataset] for part in couple.parts}

    def ballots_of_round(self, id: CoupleId, couple: TrainCouple, round: int) -> dict[BallotId, Ballot]:
        """The ballots that exist for a round, by part and index of the subset."""
        found: dict[BallotId, Ballot] = {}
        for dataset, record in self.datasets_of(couple).items():
            for index in range(record.m):
                ballot = ballot_id(id, round, subset_id(dataset, index))
                if ballot in self.ballots:
                    found[ballot] = self.ballots[ballot]
        return found

    def jobs_of(self, ballot: Ballot) -> dict[JobId, TrainJob]:
        """The jobs of a ballot, in slot order."""
        return {job: self.jobs[job] for job in ballot.jobs}


def _all(view: StateView, kind: type[R], id_kind: Callable[[str], Id]) -> dict[Id, R]:
    return {id_kind(id): record for id, record in records.every(view, kind)}
