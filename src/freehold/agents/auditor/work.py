"""Questions 5 and 6: is a result what was reported, and is it its reporter's own?

A commitment hashes the result together with the job, the name of its cloud owner and a nonce, so it opens for that job
and that name alone; the same bytes under a second name are a copy, for certain. Not the later one is the copy but the
one that does not open: a copier may overtake the worker on the way to the ledger. Where none opened (the ballot is
void, or others won it) nobody can tell the maker from the copier, and nobody is called one. All commitments of a ballot
precede its first opening, so none was made from an opened digest.
"""

from collections import defaultdict
from dataclasses import dataclass

from freehold.agents.auditor.history import Entry
from freehold.agents.auditor.questions import Answer, Remark, Verdict
from freehold.agents.auditor.training import Job, Training, Vote, proofs
from freehold.protocol import commitments
from freehold.protocol.actions import UpdateTJ
from freehold.protocol.assets import Ballot, Finding, TrainJob
from freehold.protocol.identifiers import JobId, finding_id


def download_is_what_was_reported(training: Training) -> Answer:
    """Question 5: the digest of each ballot opens the commitments of those who were paid for it."""
    votes = [vote for round in training.rounds for vote in round.votes]
    decided = [vote for vote in votes if vote.record.state == "decided"]
    false = [vote for vote in decided if not _paid_opened(vote)]
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
    verdict: Verdict = "cannot be shown" if not decided else "no" if false else "yes"
    void = sum(vote.record.state == "void" for vote in votes)
    statement = f"{len(decided) - len(false)} of {len(votes)} ballots have a digest that opens every paid commitment"
    statement += f"; {void} had no majority, so there is nothing to download for them." if void else "."
    return Answer(
        number=5,
        asked_by="model owner",
        question="Is what the model owner downloads what the cloud owners reported?",
        verdict=verdict,
        statement=statement if votes else "No round was started.",
        condition="the download is right if its SHA-256 is the ballot's digest, which whoever has it can check; that"
        " the work itself was done is shown by doing it again",
        proof=proofs(vote.closed for vote in false or decided),
        remarks=tuple(remarks),
    )


def _paid_opened(vote: Vote) -> bool:
    accepted = [job for job in vote.jobs if job.record.state == "accepted"]
    return all(_opens(vote.record, job.id, job.record) for job in accepted)


def copied_results(training: Training) -> Answer:
    """Question 6: the same commitment under two names, and commitments after an opening."""
    recorded = _recorded(training)
    jobs = [(vote, job) for round in training.rounds for vote in round.votes for job in vote.jobs if job.committed]
    copies: list[Remark] = []
    unclear: list[Remark] = []
    again: list[Remark] = []
    for vote, job in jobs:
        same = recorded[job.record.commitment or ""]
        # whoever's own it is has it opened; it cannot help that others wrote down the same bytes
        if len(same.entries) == 1 or _opens(vote.record, job.id, job.record):
            continue
        place = f"round {vote.record.round}, subset {vote.subset.index + 1}: its commitment"
        if same.is_own_of(job.record.co):
            again.append(_remark(vote, job, same, f"{place} is one that it made for another job; it was not paid"))
        elif same.opened is not None:
            said = f"{place} stands under another name too and does not open for its own; it was not paid"
            copies.append(_remark(vote, job, same, said))
        else:
            said = f"{place} stands under another name too; none of them opened, so whose it is cannot be shown"
            unclear.append(_remark(vote, job, same, said))
    named, total = [*copies, *unclear], f"of {len(jobs)} commitments"
    statement = f"None {total} stands under two names, and each was recorded before its ballot was opened."
    if named:
        certain = f"{len(copies)} {total} are copies: the same bytes under two names; none was paid."
        open = (
            f"{len(unclear)} {total} stand under two names and did not open, so which are the copies cannot be shown."
        )
        statement = " ".join(part for part, found in ((certain, copies), (open, unclear)) if found)
    order = [entry for vote, job in jobs for entry in (job.committed, vote.closed)]
    return Answer(
        number=6,
        asked_by="model owner",
        question="Did a cloud owner copy the result of another one?",
        verdict="yes" if named else "no" if jobs else "cannot be shown",
        statement=statement if jobs else "No result was committed to.",
        condition="a copied commitment is the same bytes or does not open, unless SHA-256 is broken; a result that a"
        " partner whispered before the vote leaves no trace: only doing the work again shows who did it",
        proof=tuple(proof for remark in named for proof in remark.proof) if named else proofs(order),
        remarks=(*named, *again),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recorded:
    """One commitment, and every action of the ledger that recorded it."""

    entries: list[Entry]
    members: set[str]
    opened: Entry | None
    """The one that is its maker's: the digest of its ballot opens it."""

    def is_own_of(self, member: str) -> bool:
        """Whether nobody else can have made it."""
        return self.members == {member} or (self.opened is not None and self.opened.action.member == member)


def _remark(vote: Vote, job: Job, same: _Recorded, statement: str) -> Remark:
    # one other name is enough to show it: many copies of one commitment would show each other without end
    strangers = [entry for entry in same.entries if entry.action.member != job.record.co]
    others = strangers or [entry for entry in same.entries if entry is not job.committed]
    other = same.opened or others[0]
    return Remark(member=job.record.co, statement=statement, proof=proofs([other, job.committed, vote.closed]))


def _opens(ballot: Ballot, id: str, job: TrainJob) -> bool:
    if job.commitment is None or job.nonce is None or ballot.digest is None:
        return False
    return job.commitment == commitments.result(JobId(id), job.co, job.nonce, ballot.digest)


def _found(training: Training, job: Job) -> bool:
    return training.history.find(Finding, finding_id(JobId(job.id))) is not None


def _recorded(training: Training) -> dict[str, _Recorded]:
    """Every commitment on the ledger, in whichever training."""
    entries: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in training.history.entries:
        if isinstance(entry.action.arguments, UpdateTJ):
            entries[entry.action.arguments.commitment].append(entry)
    return {
        commitment: _Recorded(
            entries=same,
            members={entry.action.member for entry in same},
            opened=next((entry for entry in same if _opened(training, entry)), None) if len(same) > 1 else None,
        )
        for commitment, same in entries.items()
    }


def _opened(training: Training, entry: Entry) -> bool:
    job = training.history.get(TrainJob, entry.id)
    return _opens(training.history.get(Ballot, job.ballot), entry.id, job)
