"""Questions 5 and 6: is a result what was reported, and is it its reporter's own?

A commitment hashes the result together with the job, the name of its cloud owner and a nonce, so it opens for that job
and that name alone; the same bytes under a second name are a copy, for certain. Not the later one is the copy but the
one that does not open: a copier may overtake the worker on the way to the ledger. All commitments of a ballot precede
its first opening, so none was made from an opened digest.
"""

from collections import defaultdict

from freehold.agents.auditor.history import Entry
from freehold.agents.auditor.questions import Answer, Remark, Verdict
from freehold.agents.auditor.training import Job, Training, Vote, proofs
from freehold.protocol import commitments
from freehold.protocol.actions import UpdateTJ
from freehold.protocol.assets import Finding
from freehold.protocol.identifiers import JobId, finding_id


def download_is_what_was_reported(training: Training) -> Answer:
    """Question 5: the digest of each ballot opens the commitments of those who were paid for it."""
    votes = [vote for round in training.rounds for vote in round.votes]
    decided = [vote for vote in votes if vote.record.state == "decided"]
    opened = [vote for vote in decided if all(_opens(vote, job) for job in vote.jobs if job.record.state == "accepted")]
    remarks = [
        Remark(
            member=job.record.co,
            statement=f"round {vote.record.round}, subset {vote.subset.index + 1}: the referee ruled that another"
            " result was right",
            proof=proofs([job.committed, vote.ruled]),
        )
        for vote in votes
        for job in vote.jobs
        if _found(training, job)
    ]
    verdict: Verdict = "cannot be shown" if not decided else "yes" if len(opened) == len(decided) else "no"
    void = sum(vote.record.state == "void" for vote in votes)
    statement = f"{len(decided)} of {len(votes)} ballots have a digest that opens every paid commitment"
    statement += f"; {void} had no majority, so there is nothing to download for them." if void else "."
    return Answer(
        number=5,
        asked_by="model owner",
        question="Is what the model owner downloads what the cloud owners reported?",
        verdict=verdict,
        statement=statement if votes else "No round was started.",
        condition="the download is right if its SHA-256 is the ballot's digest, which whoever has it can check; that"
        " the work itself was done is shown by doing it again",
        proof=proofs(vote.closed for vote in decided),
        remarks=tuple(remarks),
    )


def copied_results(training: Training) -> Answer:
    """Question 6: the same commitment under two names, and commitments after an opening."""
    names = _names_of_commitments(training)
    jobs = [(vote, job) for round in training.rounds for vote in round.votes for job in vote.jobs if job.committed]
    remarks: list[Remark] = []
    for vote, job in jobs:
        same = names[job.record.commitment or ""]
        if len(same) > 1 and not _opens(vote, job):
            said = (
                f"round {vote.record.round}, subset {vote.subset.index + 1}: its commitment stands under another name"
            )
            said += " too and does not open for its own; it was not paid"
            remarks.append(Remark(member=job.record.co, statement=said, proof=proofs([*same, vote.closed])))
    order = [entry for vote, job in jobs for entry in (job.committed, vote.closed)]
    if remarks:
        statement = (
            f"{len(remarks)} of {len(jobs)} commitments are copies: the same bytes under two names; none was paid."
        )
    else:
        statement = f"All {len(jobs)} commitments differ, and each was recorded before its ballot was opened."
    return Answer(
        number=6,
        asked_by="model owner",
        question="Did a cloud owner copy the result of another one?",
        verdict="yes" if remarks else "no" if jobs else "cannot be shown",
        statement=statement if jobs else "No result was committed to.",
        condition="a copied commitment is the same bytes or does not open, unless SHA-256 is broken; a result that a"
        " partner whispered before the vote leaves no trace: only doing the work again shows who did it",
        proof=tuple(proof for remark in remarks for proof in remark.proof) if remarks else proofs(order),
        remarks=tuple(remarks),
    )


def _opens(vote: Vote, job: Job) -> bool:
    record, digest = job.record, vote.record.digest
    if record.commitment is None or record.nonce is None or digest is None:
        return False
    return record.commitment == commitments.result(JobId(job.id), record.co, record.nonce, digest)


def _found(training: Training, job: Job) -> bool:
    return training.history.find(Finding, finding_id(JobId(job.id))) is not None


def _names_of_commitments(training: Training) -> defaultdict[str, list[Entry]]:
    """For each commitment on the ledger every action that recorded it."""
    names: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in training.history.entries:
        if isinstance(entry.action.arguments, UpdateTJ):
            names[entry.action.arguments.commitment].append(entry)
    return names
