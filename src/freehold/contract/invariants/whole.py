"""A whole state in memory, and the little that every invariant wants to know of it."""

from collections.abc import Mapping
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
from freehold.protocol.identifiers import CoupleId, ballot_id, subset_id
from freehold.protocol.records import Record

R = TypeVar("R", bound=Record)


class Whole:
    """All records of a state by kind and id."""

    def __init__(self, view: StateView) -> None:
        self.view = view
        self.datasets = _all(view, Dataset)
        self.budgets = _all(view, Budget)
        self.subsets = _all(view, DataSubset)
        self.instances = _all(view, CloudInstance)
        self.couples = _all(view, TrainCouple)
        self.ballots = _all(view, Ballot)
        self.jobs = _all(view, TrainJob)
        self.payouts = _all(view, Payout)
        self.findings = _all(view, Finding)

    def datasets_of(self, couple: TrainCouple) -> Mapping[str, Dataset]:
        """The datasets of a training, in the order of its parts."""
        return {part.dataset: self.datasets[part.dataset] for part in couple.parts}

    def ballots_of_round(self, id: str, couple: TrainCouple, round: int) -> dict[str, Ballot]:
        """The ballots that exist for a round, by part and index of the subset."""
        found: dict[str, Ballot] = {}
        for dataset, record in self.datasets_of(couple).items():
            for index in range(record.m):
                ballot = ballot_id(CoupleId(id), round, subset_id(dataset, index))
                if ballot in self.ballots:
                    found[ballot] = self.ballots[ballot]
        return found

    def jobs_of(self, ballot: Ballot) -> dict[str, TrainJob]:
        """The jobs of a ballot, in slot order."""
        return {job: self.jobs[job] for job in ballot.jobs}


def _all(view: StateView, kind: type[R]) -> dict[str, R]:
    return dict(records.every(view, kind))
