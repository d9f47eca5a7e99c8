"""Who holds which subset of what, and the work that follows from it."""

from collections.abc import Iterator
from typing import Any

from freehold.contract import records
from freehold.contract.queries.shown import an_id, existing, shown, shown_job, shown_jobs
from freehold.contract.view import View
from freehold.ports.state_view import StateView
from freehold.protocol.assets import Ballot, Budget, CloudInstance, Dataset, DataSubset, Member, TrainCouple, TrainJob
from freehold.protocol.identifiers import CoupleId, DatasetId, InstanceId, ballot_id, job_id, subset_id


def dataset(view: StateView, *, dataset: object) -> dict[str, Any]:
    """A dataset with the rounds granted of it, and its subsets by index with all their instances."""
    record = existing(view, Dataset, dataset, "dataset")
    id = DatasetId(str(dataset))
    reading = View(view.read)
    ids = [subset_id(id, index) for index in range(record.m)]
    subsets = {each: found for each, found in zip(ids, reading.find_all(DataSubset, ids), strict=True) if found}
    instances = list(records.every_where(view, CloudInstance, "subset", subsets))
    return {
        "dataset": shown(id, record),
        "granted": reading.get(Budget, id).granted,
        "subsets": [
            {
                "subset": shown(each, subset),
                "instances": [shown(instance, held) for instance, held in instances if held.subset == each],
            }
            for each, subset in subsets.items()
        ],
    }


def replica_work(view: StateView, *, co: object) -> list[dict[str, Any]]:
    """What a cloud owner holds, and for each replica its jobs in trainings that have not ended, rounds ascending."""
    reading = View(view.read)
    couples = [(CoupleId(id), couple) for id, couple in records.every(view, TrainCouple) if couple.state == "training"]
    held = []
    for id, instance in records.every_where(view, CloudInstance, "co", {an_id(co, "co")}):
        subset = reading.get(DataSubset, instance.subset)
        of_it = [(couple, record) for couple, record in couples if _includes(record, subset.dataset)]
        held.append(
            {
                "instance": shown(id, instance),
                "subset": shown(instance.subset, subset),
                "dataset": shown(subset.dataset, reading.get(Dataset, subset.dataset)),
                "work": [work for each in of_it for work in _work(view, InstanceId(id), instance, *each)],
            }
        )
    return held


def candidates(view: StateView) -> list[dict[str, Any]]:
    """Cloud owners that never took an offer, with what a further one needs.

    An offer alone takes nobody off this list. It costs nothing and asks nobody, so whoever made one to each cloud owner
    but its accomplices would leave other data owners the accomplices to draw from.
    """
    taken = {instance.co for _, instance in records.every(view, CloudInstance) if instance.receipt is not None}
    return [
        {"id": id, "handle": member.handle, "sealing_key": member.sealing_key, "until": member.until}
        for id, member in records.every_where(view, Member, "role", {"co"})
        if id not in taken
    ]


def _includes(couple: TrainCouple, dataset: str) -> bool:
    return any(part.dataset == dataset for part in couple.parts)


def _work(
    view: StateView, id: InstanceId, instance: CloudInstance, couple_id: CoupleId, couple: TrainCouple
) -> Iterator[dict[str, Any]]:
    """The jobs of one replica in one training: its ballots follow from the rounds, its job from the ballot."""
    reading = View(view.read)
    ids = [ballot_id(couple_id, round, instance.subset) for round in range(1, couple.round + 1)]
    for ballot, record in zip(ids, reading.find_all(Ballot, ids), strict=True):
        job = job_id(ballot, id)
        if record is not None and job in record.jobs:
            yield {
                "job": shown_job(job, reading.get(TrainJob, job), record),
                "ballot": shown(ballot, record),
                "jobs": shown_jobs(view, record),
                "couple": shown(couple_id, couple),
            }
