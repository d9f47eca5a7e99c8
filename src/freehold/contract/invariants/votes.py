"""Verdicts follow from commitments, findings from rulings."""

from collections.abc import Iterator

from freehold.contract.ballots import opens_to
from freehold.contract.invariants.whole import Whole
from freehold.protocol.assets import Ballot, TrainJob
from freehold.protocol.identifiers import JobId, finding_id


def decided_by_a_majority(whole: Whole) -> Iterator[str]:
    """S-10, S-11: accepted is who committed to the digest that more than half of all slots found, and nobody else."""
    for id, ballot in whole.ballots.items():
        jobs = whole.jobs_of(ballot)
        if ballot.state == "decided":
            accepted = [job for job in jobs.values() if job.state == "accepted"]
            if ballot.digest is None or 2 * len(accepted) <= ballot.n:
                yield f"ballot {id} is decided without a majority"
            for job, record in jobs.items():
                if record.state != verdict(job, record, ballot):
                    yield f"job {job} reads {record.state}, its commitment says {verdict(job, record, ballot)}"
        elif ballot.digest is not None or any(job.state not in ("open", "committed") for job in jobs.values()):
            yield f"ballot {id} is {ballot.state}, yet it judges"


def verdict(id: JobId, job: TrainJob, ballot: Ballot) -> str:
    """What a decided ballot says of a job."""
    if job.commitment is None:
        return "missing"
    return "accepted" if ballot.digest is not None and opens_to(id, job, ballot.digest) else "rejected"


def findings_are_derived(whole: Whole) -> Iterator[str]:
    """S-12, S-13: a finding stands exactly for each commitment that does not open to its ballot's ruling."""
    expected = {
        finding_id(job): job
        for ballot in whole.ballots.values()
        if ballot.ruling is not None
        for job in ballot.jobs
        if whole.jobs[job].commitment is not None and not opens_to(job, whole.jobs[job], ballot.ruling)
    }
    for id in sorted(expected.keys() ^ whole.findings.keys()):
        yield f"finding {id} does not follow from a ruling, or is missing"
    for id in sorted(expected.keys() & whole.findings.keys()):
        finding, job = whole.findings[id], whole.jobs[expected[id]]
        told = (finding.job, finding.co, finding.commitment, finding.nonce, finding.ruling)
        if told != (expected[id], job.co, job.commitment, job.nonce, whole.ballots[job.ballot].ruling):
            yield f"finding {id} tells something else than its job"
