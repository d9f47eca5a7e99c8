"""What a cloud owner does next, from what it knows. Pure: same knowledge, same steps.

A cloud owner meets a dataset twice. First the offer: it fetches the sealed package, opens it, and joins if
everything that it was promised is inside; else it stays silent, which costs nobody anything but the answer
time. Then, round after round, the job:

    open        compute, then commit: at least `grace` before the deadline, so that no honest clock can make it late
    committed   close the ballot, if the ledger shows that it may be closed; the first of those who committed at once,
                each next one some time later; never on a guess, since even a refused call tells the digest
    accepted    deliver the result, and keep it until the training has ended
    rejected    nothing: it was out-voted, loses the pay of this job, and keeps what it computed for a referee

A replica whose owner wants out, whose dataset was withdrawn, or whose receipt nobody judges, is retired: the stake
returns, after the hold if it could have worked, and jobs that are open are still done and paid. A training may end
right after its last vote; who was accepted in it delivers all the same.

An owner that would not have its members told together by their acting in one row gives its rules a `spread`: then each
member takes its own time to join, to answer, to begin a job and to collect what it earned (see `discretion`).

Killed between any two of these it comes back and finds itself in the same place: the commitment is in the
journal before it is sent, so it is sent again and not made again; the result is kept before the commitment is
made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from freehold.agents.closing import earliest_closing, pause_before_closing
from freehold.agents.discretion import pause
from freehold.agents.ending import ending
from freehold.agents.loop import Step, Wait
from freehold.agents.reading import AccountSeen, ReplicaSeen, TrainingSeen, Work
from freehold.agents.settling import CollectPayouts, collecting
from freehold.protocol.assets import Terms
from freehold.protocol.identifiers import MemberId
from freehold.protocol.limits import PAYOUTS_PER_COLLECT

_LOOK_FOR_MONEY: Final = 1_000
_SHARE_OF_WINDOW: Final = 20
"""A job is put off by at most this part of the time that is left to commit: a round must not become much longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a cloud owner accepts without being asked; prices and stakes in micro-credits."""

    min_price_job: int = 0
    max_stake: int = 0
    max_rows: int = 300_000
    max_features: int = 1025
    spread: int = 0
    """Milliseconds over which its members strew what does not hurry; 0: all act at once."""

    def objection(self, terms: Terms) -> str:
        """Why these terms are not taken, or nothing."""
        if terms.price_job < self.min_price_job:
            return "the price of a job is below what this cloud owner asks"
        if terms.stake > self.max_stake:
            return "the stake is above what this cloud owner locks"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberKnown:
    """One of a cloud owner's many members, and where it stands."""

    member: MemberId
    joined: bool
    """Whether the ledger knows it."""
    account: AccountSeen
    replicas: tuple[ReplicaSeen, ...]
    joins_at: int = 0
    """When it joins (ms), if it has not."""
    pace: bytes = field(default=b"", repr=False)
    """What its own pauses follow from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything a cloud owner knows."""

    grace: int
    members: tuple[MemberKnown, ...]
    computed: frozenset[str]
    """Jobs whose commitment is in the journal."""
    delivered: frozenset[str]
    given_up: frozenset[str]
    """Jobs and offers that were looked at and left, with the reason in the journal."""
    opens: frozenset[str]
    """Ballots that this cloud owner's own digest would decide."""
    leaving: frozenset[str] = frozenset()
    """Replicas and offers that this cloud owner wants to be rid of."""
    undelivered: tuple[str, ...] = ()
    """Accepted jobs of trainings that ended before their results were uploaded."""
    to_end: tuple[TrainingSeen, ...] = ()
    """Overdue trainings that are to end."""
    complete_since: dict[str, int]
    """When this process first saw all of a ballot's jobs committed, by ballot."""
    open_since: dict[str, int] = field(default_factory=dict)
    """When this process first saw a job or an offer that is open, by its id."""
    joined_since: dict[str, int] = field(default_factory=dict)
    """When this process first saw that a receipt waits to be judged, by its replica."""
    spread: int = 0
    """Milliseconds over which members strew what does not hurry."""


@dataclass(frozen=True, slots=True)
class Join:
    """Become a member of the market."""

    member: MemberId

    def __str__(self) -> str:
        return f"member {self.member[:8]} joins the market"


@dataclass(frozen=True, slots=True)
class AnswerOffer:
    """Look into an offered package, and take it if it is what it should be."""

    member: MemberId
    instance: str

    def __str__(self) -> str:
        return f"answers the offer {self.instance[:8]}"


@dataclass(frozen=True, slots=True)
class Compute:
    """Work out the answer of one job, decide the commitment to it, and send that."""

    member: MemberId
    job: str

    def __str__(self) -> str:
        return f"computes job {self.job[:8]}"


@dataclass(frozen=True, slots=True)
class Commit:
    """Send the commitment that the journal holds, once more."""

    member: MemberId
    job: str

    def __str__(self) -> str:
        return f"commits to job {self.job[:8]}"


@dataclass(frozen=True, slots=True)
class Close:
    """Open a ballot with the digest of one's own result."""

    member: MemberId
    job: str
    ballot: str

    def __str__(self) -> str:
        return f"closes ballot {self.ballot[:8]}"


@dataclass(frozen=True, slots=True)
class Deliver:
    """Upload the result of an accepted job."""

    job: str

    def __str__(self) -> str:
        return f"delivers the result of job {self.job[:8]}"


@dataclass(frozen=True, slots=True)
class Retire:
    """Give a replica up, or an offer back."""

    member: MemberId
    instance: str

    def __str__(self) -> str:
        return f"retires replica {self.instance[:8]}"


@dataclass(frozen=True, slots=True)
class CollectFor:
    """Move what is due to a member's account."""

    member: MemberId
    collect: CollectPayouts

    def __str__(self) -> str:
        return f"member {self.member[:8]} {self.collect}"


def open_ids(members: Iterable[MemberKnown]) -> list[str]:
    """Offers and jobs that wait for somebody of these members."""
    replicas = [replica for member in members for replica in member.replicas]
    offers = [replica.instance.id for replica in replicas if replica.instance.record.state == "free"]
    return offers + [work.job.id for replica in replicas for work in replica.work if work.job.record.state == "open"]


def next_steps(known: Known, now: int) -> Iterator[Step]:
    """The next steps of all members of one cloud owner."""
    for member in known.members:
        if not member.joined:
            yield Join(member.member) if now >= member.joins_at else Wait(member.joins_at)
            continue
        for replica in member.replicas:
            if _is_to_retire(replica, known, now):
                yield Retire(member.member, replica.instance.id)
            elif replica.instance.record.state == "joined":
                yield Wait(_waits_until(replica, known, now))
            elif replica.instance.record.state == "free" and _is_new(member, replica, known):
                # Money for the stake may still be on its way; the offer waits as long as its owner lets it.
                has_stake = member.account.free >= replica.dataset.record.terms.stake
                answers = _answers(known, member, replica.instance.id, now)
                if has_stake and now >= answers:
                    yield AnswerOffer(member.member, replica.instance.id)
                else:
                    yield Wait(max(answers, now + 1) if has_stake else now + _LOOK_FOR_MONEY)
            for work in replica.work:
                yield from _job_steps(known, member, work, now)
        yield from _collecting(known, member, now)
    for job in known.undelivered:
        yield Deliver(job)
    for training in known.to_end:
        yield from ending(training, known.grace, now, party=False)


def _is_to_retire(replica: ReplicaSeen, known: Known, now: int) -> bool:
    """Whether to leave: the owner wants it, no round of a withdrawn dataset can start, or nobody judges the receipt."""
    state = replica.instance.record.state
    if replica.instance.id in known.leaving:
        return state in ("free", "joined", "verified")
    if state == "joined" and now >= _waits_until(replica, known, now):
        return True
    return replica.dataset.record.state == "withdrawn" and state in ("joined", "verified")


def _waits_until(replica: ReplicaSeen, known: Known, now: int) -> int:
    """How long a stake waits for the verification of its receipt (ms): as long as the terms let a buyer wait."""
    return known.joined_since.get(replica.instance.id, now) + replica.dataset.record.terms.answer_window + known.grace


def _is_new(member: MemberKnown, replica: ReplicaSeen, known: Known) -> bool:
    """Whether to look at an offer: once, and only as long as this member holds nothing else.

    A member that held two subsets could be linked between them; for the next one there is a fresh member.
    """
    holds = any(other.instance.record.state in ("joined", "verified") for other in member.replicas)
    goes_on = replica.dataset.record.state in ("draft", "published")
    return goes_on and not holds and replica.instance.id not in known.given_up


def _job_steps(known: Known, member: MemberKnown, work: Work, now: int) -> Iterator[Step]:
    job, ballot = work.job, work.vote.ballot
    if job.record.state == "open" and ballot.record.state == "open":
        begins = _begins(known, member, work, now)
        # Committing is possible until the deadline; an honest agent never relies on the last `grace` of it.
        if now + known.grace > ballot.record.commit_until or job.id in known.given_up:
            return
        if job.id in known.computed:
            yield Commit(member.member, job.id)
        else:
            yield Compute(member.member, job.id) if now >= begins else Wait(begins)
    elif job.record.state == "committed" and ballot.record.state == "open":
        yield _closing_step(known, member.member, work, now)
    elif job.record.state == "accepted" and job.id not in known.delivered:
        yield Deliver(job.id)


def _closing_step(known: Known, member: MemberId, work: Work, now: int) -> Step:
    """Closes the ballot when it is this job's turn; until then says when to look again."""
    ballot = work.vote.ballot
    between = pause_before_closing(ballot.record)
    place = [other.id for other in work.vote.jobs if other.record.state == "committed"].index(work.job.id)
    at = earliest_closing(work.vote, known.complete_since.get(ballot.id), known.grace) + place * between
    if at <= now and ballot.id in known.opens:
        return Close(member, work.job.id, ballot.id)
    # No event tells that the others have committed. The first in line looks often, the others at leisure.
    look = now + (max(1, between // 8) if place == 0 else between)
    return Wait(min(look, at) if at > now else look)


def _answers(known: Known, member: MemberKnown, instance: str, now: int) -> int:
    """When a member answers an offer (ms): within a grace, so that how fast the line is does not show."""
    return known.open_since.get(instance, now) + pause(member.pace, instance, min(known.spread, known.grace))


def _begins(known: Known, member: MemberKnown, work: Work, now: int) -> int:
    """When a member begins a job (ms): some time after it was seen, if its owner strews what its members do."""
    since = known.open_since.get(work.job.id, now)
    left = work.vote.ballot.record.commit_until - known.grace - since
    return since + pause(member.pace, work.job.id, min(known.spread, left // _SHARE_OF_WINDOW))


def _collecting(known: Known, member: MemberKnown, now: int) -> Iterator[Step]:
    at_work = any(work.couple.record.state != "ended" for replica in member.replicas for work in replica.work)
    for step in collecting(member.account, now, patient=at_work):
        begins = _collects(known, member, now)
        if isinstance(step, Wait):
            yield step
        else:
            yield CollectFor(member.member, step) if now >= begins else Wait(begins)


def _collects(known: Known, member: MemberKnown, now: int) -> int:
    """When a member collects (ms). One that holds nothing yet may need the money for its first stake: at once."""
    ready = sorted((due.record.since, due.id) for due in member.account.due if due.record.since <= now)
    if not ready or not member.replicas:
        return now
    # the first payouts that are worth an action decide, so that more of them do not put it off again
    last, _ = ready[: PAYOUTS_PER_COLLECT // 2][-1]
    return last + pause(member.pace, min(ready)[1], known.spread)
