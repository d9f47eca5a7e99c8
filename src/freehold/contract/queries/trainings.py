"""Trainings: whose they are, how they go, and what waits for whom."""

from collections.abc import Iterator, Mapping
from typing import Any

from freehold.contract import records
from freehold.contract.queries.shown import an_id, existing, shown, shown_jobs
from freehold.contract.view import View
from freehold.ports.state_view import StateView
from freehold.protocol.assets import (
    Ballot,
    CloudInstance,
    Dataset,
    DataSubset,
    Member,
    Model,
    Payout,
    TrainCouple,
    TrainJob,
)
from freehold.protocol.identifiers import BallotId, CoupleId, ballot_id, subset_id


def trainings(view: StateView, *, member: object) -> list[dict[str, Any]]:
    """The trainings of which a member is the model owner or owns the dataset of a part, in any state."""
    owner = an_id(member, "member")
    datasets = set(_datasets_of(view, owner))
    return [
        shown(id, couple)
        for id, couple in records.every(view, TrainCouple)
        if couple.mo == owner or any(part.dataset in datasets for part in couple.parts)
    ]


def training(view: StateView, *, couple: object) -> dict[str, Any]:
    """A training with the ballots of all its rounds and their jobs.

    Rounds ascend, within a round the parts and then the indexes of subsets; jobs come in slot order.
    """
    record = existing(view, TrainCouple, couple, "couple")
    ballots = _ballots_of(view, CoupleId(str(couple)), record)
    return {
        "couple": shown(str(couple), record),
        "ballots": [{"ballot": shown(id, ballot), "jobs": shown_jobs(view, ballot)} for id, ballot in ballots],
    }


def inbox(view: StateView, *, member: object) -> dict[str, list[dict[str, Any]]]:
    """What waits for this member: to approve, to join, to verify, to compute, to collect.

    An approval shows the model, who asks, and every earlier training that the same handle asked for on the dataset.
    """
    who = an_id(member, "member")
    datasets = _datasets_of(view, who)
    subsets = dict(records.every_where(view, DataSubset, "dataset", datasets)) if datasets else {}
    offered = records.every_where(view, CloudInstance, "co", {who})
    held = records.every_where(view, CloudInstance, "subset", subsets) if subsets else ()
    open_jobs = {id: job for id, job in records.every_where(view, TrainJob, "co", {who}) if job.state == "open"}
    ballots = View(view.read).every(Ballot, sorted({job.ballot for job in open_jobs.values()}))
    payouts = records.every_where(view, Payout, "payee", {who})
    return {
        "approvals": list(_approvals(view, datasets)),
        "offers": [shown(id, each) for id, each in offered if each.state == "free"],
        "to_verify": [shown(id, each) for id, each in held if each.state == "joined"],
        "jobs": [shown(id, job) for id, job in open_jobs.items() if ballots[job.ballot].state == "open"],
        "payouts": [shown(id, payout) for id, payout in payouts if payout.state == "due"],
    }


def _datasets_of(view: StateView, owner: str) -> dict[str, Dataset]:
    return dict(records.every_where(view, Dataset, "owner", {owner}))


def _ballots_of(view: StateView, id: CoupleId, couple: TrainCouple) -> Iterator[tuple[BallotId, Ballot]]:
    """Every ballot of a training: an id follows from round and subset, and it exists if the subset's turn came."""
    reading = View(view.read)
    datasets = reading.every(Dataset, [part.dataset for part in couple.parts])
    subsets = [subset_id(dataset, index) for dataset, record in datasets.items() for index in range(record.m)]
    for round in range(1, couple.round + 1):
        ids = [ballot_id(id, round, subset) for subset in subsets]
        for ballot, found in zip(ids, reading.find_all(Ballot, ids), strict=True):
            if found is not None:
                yield ballot, found


def _approvals(view: StateView, datasets: Mapping[str, Dataset]) -> Iterator[dict[str, Any]]:
    """Each part of a requested training that waits for the owner of these datasets."""
    couples = [
        (id, couple)
        for id, couple in records.every(view, TrainCouple)
        if any(part.dataset in datasets for part in couple.parts)
    ]
    members = View(view.read).every(Member, sorted({couple.mo for _, couple in couples}))
    for id, couple in couples:
        for part in couple.parts:
            if couple.state == "requested" and part.dataset in datasets and part.share is None:
                handle = members[couple.mo].handle
                earlier = [
                    shown(other, each)
                    for other, each in couples
                    if other != id
                    and members[each.mo].handle == handle
                    and any(theirs.dataset == part.dataset for theirs in each.parts)
                ]
                yield {
                    "couple": id,
                    "dataset": part.dataset,
                    "due": couple.due,
                    "rounds": couple.rounds,
                    "mo": couple.mo,
                    "handle": handle,
                    "model": _model(view, couple),
                    "earlier": earlier,
                }


def _model(view: StateView, couple: TrainCouple) -> dict[str, Any]:
    return shown(couple.model, View(view.read).get(Model, couple.model))
