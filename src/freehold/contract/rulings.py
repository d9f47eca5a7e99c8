"""What a referee's word does: findings, and burned stakes.

Votes cannot tell a liar from a replica that two liars out-voted, so they take no stake. A referee, named in the terms
that every cloud owner accepted on joining, may re-execute a disputed job and rule, once per ballot, which result was
right. Who committed to another one gets a finding and loses its stake and its slot, even if a majority had carried it.
The stake is burned and goes to nobody, so that framing pays nobody. Who kept silent is found guilty of nothing.
"""

from freehold.contract.ballots import opens_to
from freehold.contract.call import Call
from freehold.contract.effects import Effects, Put, Step, require
from freehold.contract.replicas import vacate
from freehold.contract.view import View
from freehold.errors import Broken
from freehold.protocol import actions, events
from freehold.protocol.assets import Ballot, CloudInstance, Dataset, DataSubset, Finding, Payout, TrainJob, with_changes
from freehold.protocol.events import Event
from freehold.protocol.identifiers import InstanceId, JobId, finding_id, payout_id


def report_fraud(call: Call[actions.ReportFraud], view: View) -> Effects:
    """Rules which result a ballot should have had; every other commitment becomes a finding and costs its stake.

    Refuses: unknown, not-yours, exists, state, too-late. Writes at most 2 + 3n records.
    """
    asked = call.arguments
    ballot = view.get(Ballot, asked.ballot)
    subset = view.get(DataSubset, ballot.subset)
    dataset = view.get(Dataset, subset.dataset)
    jobs = view.every(TrainJob, ballot.jobs)
    require(dataset.terms.referee == call.key, "not-yours")
    require(ballot.ruling is None, "exists")
    require(ballot.state != "open" or call.after(ballot.close_until), "state")
    require(call.before(ballot.close_until + dataset.terms.hold), "too-late")
    wrong = {
        job: record
        for job, record in jobs.items()
        if record.commitment is not None and not opens_to(job, record, asked.ruling)
    }

    return Effects(
        asked.ballot,
        Put(asked.ballot, with_changes(ballot, ruling=asked.ruling)),
        *vacate(ballot.subset, subset, {record.instance for record in wrong.values()}),
        *(step for job, record in wrong.items() for step in _find(view, job, record, call)),
    )


def _find(view: View, id: JobId, job: TrainJob, call: Call[actions.ReportFraud]) -> list[Step]:
    """The finding about one job, and what it does to the replica behind it."""
    if job.commitment is None or job.nonce is None:
        raise Broken(f"a finding about job {id}, which committed to nothing")
    finding = Finding(job=id, co=job.co, ruling=call.arguments.ruling, commitment=job.commitment, nonce=job.nonce)
    return [
        *_burn(view, job.instance, since=call.time),
        Put(finding_id(id), finding),
        Event(events.FINDING, finding_id(id), job.co),
    ]


def _burn(view: View, id: InstanceId, *, since: int) -> list[Step]:
    """Takes the stake of a replica wherever it still is: in the instance, or in a payout that was not collected yet."""
    instance = view.get(CloudInstance, id)
    payout = payout_id(id, instance.co)
    if instance.state == "retired":
        returned = view.find(Payout, payout)
        if returned is None or returned.state != "due":
            return []
        return [Put(payout, with_changes(returned, state="burned"))]
    retired = Put(id, with_changes(instance, state="retired", stake=0))
    if instance.stake == 0:
        return [retired]
    burned = Payout(payee=instance.co, amount=instance.stake, cause=id, since=since, state="burned")
    return [retired, Put(payout, burned)]
