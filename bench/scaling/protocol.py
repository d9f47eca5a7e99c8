"""How many actions the protocol takes: of a dataset, a model owner, a training, and of what is collected afterwards.

Every count is by function, so that a test can hold it against what a market records. A dataset has m subsets of n
replicas, dealt into groups once; a round trains one group, so over whole cycles it trains m / groups subsets.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from freehold.protocol.limits import PAYOUTS_PER_COLLECT


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is trained on, and for how long."""

    subsets: int
    """m"""
    replicas: int
    """n"""
    rounds: int
    """Of one training, a multiple of the groups."""
    groups: int = 1
    datasets: int = 1
    """Of one training, all alike."""

    @property
    def jobs(self) -> int:
        """Of one training."""
        return self.datasets * self.replicas * self.ballots

    @property
    def ballots(self) -> int:
        """Of one training and one dataset."""
        if self.subsets % self.groups or self.rounds % self.groups:
            raise ValueError("counts are exact for groups of one size and whole cycles of them")
        return self.rounds * self.subsets // self.groups


def dataset(shape: Shape) -> Counter[str]:
    """From its owner's joining to its publication, every slot with a cloud owner who joins for it and stakes."""
    slots = shape.subsets * shape.replicas
    each_slot = dict.fromkeys(("CreateCO", "Deposit", "Collect", "CreateCI", "JoinCI", "VerifyCI"), slots)
    return Counter({"CreateDO": 1, "CreateDS": 1, "CreateDSS": shape.subsets, "PublishDS": 1} | each_slot)


def model_owner() -> Counter[str]:
    """Joins, and has money."""
    return Counter({"CreateMO": 1, "Deposit": 1, "Collect": 1})


def training(shape: Shape) -> Counter[str]:
    """From the model to the end: every worker commits, every ballot is closed."""
    return Counter(
        {
            "CreateMod": 1,
            "RequestTC": 1,
            "ApproveTC": shape.datasets,
            "StartRound": shape.rounds,
            "UpdateTJ": shape.jobs,
            "CloseRound": shape.datasets * shape.ballots,
            "EndTC": 1,
        }
    )


def collecting(shape: Shape, trainings: int = 1, *, left: int = 0) -> Counter[str]:
    """Everybody takes what so many trainings brought, each as rarely as it can.

    A cloud owner has a payout for each of its jobs and for nothing else, a data owner a fee for each round. In `left`
    of the trainings money was left for the model owner: rounds that were not used, jobs that were not paid.
    """
    slots = shape.datasets * shape.subsets * shape.replicas
    own_jobs = trainings * shape.rounds // shape.groups
    fees = trainings * shape.rounds
    return Counter({"Collect": slots * _calls(own_jobs) + shape.datasets * _calls(fees) + left})


def steady(shape: Shape) -> int:
    """Actions for each further training of an owner who is there already, on datasets that are; collected after it."""
    return (training(shape) + collecting(shape)).total()


def market(shape: Shape, trainings: int, *, left: int = 0) -> Counter[str]:
    """A whole market: datasets, so many trainings each with a model owner of its own, and everything collected."""
    found = collecting(shape, trainings, left=left)
    for _ in range(shape.datasets):
        found += dataset(shape)
    for _ in range(trainings):
        found += model_owner() + training(shape)
    return found


def _calls(payouts: int) -> int:
    return -(-payouts // PAYOUTS_PER_COLLECT)
