"""How a round's results are judged: committed blind, opened together, decided by a majority.

Each replica of a subset commits to the digest of its result, bound to its own job and name, so that a copied commitment
opens for nobody. When all have committed, or time is up, anyone names the digest: it opens the commitments of those who
found it, and more than half of all slots decide. A digest that is not the majority's opens too little and is refused,
so the caller cannot lie. Only then are results uploaded: nothing that could be copied exists earlier.

Votes decide pay and nothing else. Who is out-voted loses the price of one job; no stake moves here.
"""

from collections.abc import Iterator

from freehold.contract.call import Call
from freehold.contract.effects import Effects, Put, Step, require
from freehold.contract.money import pay
from freehold.contract.view import View
from freehold.protocol import actions, commitments, events
from freehold.protocol.assets import Ballot, TrainCouple, TrainJob, with_changes
from freehold.protocol.events import Event
from freehold.protocol.identifiers import Digest, JobId


def update_job(call: Call[actions.UpdateTJ], view: View) -> Effects:
    """Commits to a result without showing it. Writes the job and nothing else, so replicas never wait for each other.

    Refuses: unknown, not-yours, state, closed, too-late.
    """
    asked = call.arguments
    job = view.get(TrainJob, asked.job)
    ballot = view.get(Ballot, job.ballot)
    require(job.co == call.member, "not-yours")
    require(job.state == "open", "state")
    require(ballot.state == "open", "closed")
    require(call.before(ballot.commit_until), "too-late")

    committed = with_changes(
        job, state="committed", commitment=asked.commitment, nonce=asked.nonce, locator=asked.locator
    )
    return Effects(asked.job, Put(asked.job, committed))


def close_round(call: Call[actions.CloseRound], view: View) -> Effects:
    """Opens every commitment of one ballot with one digest; a strict majority of all slots decides and is paid.

    Refuses: unknown, state, too-early, no-majority. Writes at most 1 + 2n records.
    """
    asked = call.arguments
    ballot = view.get(Ballot, asked.ballot)
    couple = view.get(TrainCouple, ballot.couple)
    jobs = view.every(TrainJob, ballot.jobs)
    require(ballot.state == "open", "state")
    complete = all(job.state == "committed" for job in jobs.values())
    require(complete or call.after(ballot.commit_until), "too-early")
    opened = {job: opens_to(job, record, asked.digest) for job, record in jobs.items()}
    accepted = sum(opened.values())
    require(2 * accepted > ballot.n, "no-majority")

    decided = with_changes(ballot, state="decided", digest=asked.digest, left=ballot.left - ballot.price * accepted)
    return Effects(
        asked.ballot,
        Put(asked.ballot, decided),
        Event(events.BALLOT_DECIDED, asked.ballot, couple.mo),
        *(step for job, record in jobs.items() for step in _judge(call, job, record, opened[job], ballot.price)),
    )


def opens_to(id: JobId, job: TrainJob, result: Digest) -> bool:
    """Whether this worker committed to `result` for this very job: a copied commitment never does."""
    if job.commitment is None or job.nonce is None:
        return False
    return job.commitment == commitments.result(id, job.co, job.nonce, result)


def _judge(call: Call[actions.CloseRound], id: JobId, job: TrainJob, opened: bool, price: int) -> Iterator[Step]:
    """The verdict about one job of a decided ballot, and its pay."""
    if opened:
        yield Put(id, with_changes(job, state="accepted"))
        yield from pay(job.co, price, id, since=call.time)
        yield Event(events.JOB_ACCEPTED, id, job.co)
    elif job.commitment is not None:
        yield Put(id, with_changes(job, state="rejected"))
        yield Event(events.JOB_REJECTED, id, job.co)
    else:
        yield Put(id, with_changes(job, state="missing"))
        yield Event(events.JOB_MISSING, id, job.co)
