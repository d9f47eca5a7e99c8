"""The cloud owner's agent: its knowledge from ledger and journal, and one act for each step of its plan."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import Final

from freehold.agents.agreements import Agreements
from freehold.agents.closing import all_committed, earliest_closing, require_over, would_decide
from freehold.agents.cloud_owner.offers import examine
from freehold.agents.cloud_owner.plan import (
    AnswerOffer,
    Close,
    CollectFor,
    Commit,
    Compute,
    Deliver,
    Join,
    Known,
    MemberKnown,
    Retire,
    Rules,
    next_steps,
    open_ids,
)
from freehold.agents.discretion import claimed_time, pace_of
from freehold.agents.ending import EndedTraining, EndTraining, overdue_from, settled_from
from freehold.agents.journal import Decision, Journal
from freehold.agents.keys import MemberKeys, opened_by_any
from freehold.agents.loop import Pace, Step, Tell, Turn, tell_nobody, turn
from freehold.agents.reading import NO_ACCOUNT, Reader, ReplicaSeen, TrainingSeen, Work
from freehold.agents.referee.case import case_for
from freehold.agents.workbench import Workbench
from freehold.agents.world import Signer, World
from freehold.errors import Broken, Invalid
from freehold.protocol import commitments
from freehold.protocol.actions import Arguments, CloseRound, Collect, CreateCO, EndTC, JoinCI, RetireCI, UpdateTJ
from freehold.protocol.digests import sha256
from freehold.protocol.identifiers import (
    BallotId,
    CoupleId,
    Digest,
    InstanceId,
    JobId,
    Locator,
    MemberId,
    NetworkId,
    Nonce,
    PublicKey,
)
from freehold.protocol.limits import PACKAGE_LARGEST
from freehold.protocol.network import NetworkRecord, network_id
from freehold.protocol.sealing import OVERHEAD, open_package, seal_locator

_NONCE_BYTES: Final = 32
_LARGEST_RESULT: Final = 1 << 26


class Joined(Decision, frozen=True, kw_only=True):
    """An offer that is taken, and the receipt for its package."""

    nonce: Nonce
    receipt: Digest


class BaseOfRound(Decision, frozen=True, kw_only=True):
    """The one base that this agent ever evaluates in a round."""

    base: Digest


class Computed(Decision, frozen=True, kw_only=True):
    """What one job's commitment is, and what opens it."""

    result: Digest
    nonce: Nonce
    commitment: Digest
    locator: Locator


class Joining(Decision, frozen=True, kw_only=True):
    """When a fresh member joins (ms), if its owner strews what its members do."""

    at: int


class Leaving(Decision, frozen=True, kw_only=True):
    """That a replica is given up, or an offer declined; which one is the subject."""


class CloudOwner:
    """Holds subsets and trains on them, with as many members as its owner has made."""

    def __init__(
        self,
        *,
        network: NetworkRecord,
        members: Callable[[], tuple[MemberKeys, ...]],
        rules: Rules,
        world: World,
        journal: Journal,
        tell: Tell = tell_nobody,
    ) -> None:
        """`members` gives the keys of all members as they are now: `cloud open` may add one while the agent runs."""
        self._network = network
        self._id: NetworkId = network_id(network)
        self._members = members
        self._rules = rules
        self._world = world
        self._journal = journal
        self._tell = tell
        self._reader = Reader(world.ledger)
        self._agreements = Agreements(world, self._reader)
        self._workbench = Workbench(world, self._agreements, most_features=rules.max_features)
        self._pace = Pace()
        self._on_ledger: set[MemberId] = set()
        self._complete_since: dict[str, int] = {}
        self._open_since: dict[str, int] = {}
        self._joined_since: dict[str, int] = {}
        self._over: set[str] = set()

    def step(self, now: int) -> Turn:
        """One turn: look, plan, act."""
        return turn(self, self._pace, now, self._tell)

    def signers(self) -> dict[MemberId, Signer]:
        """This cloud owner's members by their id."""
        made = (Signer(network=self._id, member=keys.id_in("co", self._id), keys=keys) for keys in self._members())
        return {signer.member: signer for signer in made}

    def retire(self, instance: InstanceId) -> None:
        """Decides to give a replica up, or an offer back; the turns that follow carry it out. Cannot be taken back.

        Invalid if no member of this cloud owner holds or was offered it.
        """
        members = [member for member in self.signers() if self._reader.member(member) is not None]
        if not any(replica.instance.id == instance for each in members for replica in self._reader.replicas(each)):
            raise Invalid(f"You hold no replica {instance[:8]}.", next="freehold status", now="nothing was sent")
        self._journal.decide(Leaving, instance, Leaving)

    def case(self, ballot: BallotId, referee: PublicKey) -> bytes:
        """What the referee with this sealing key needs to rule on a ballot about a subset that a member holds.

        It shows that referee the rows of the subset, and nobody else. Invalid if no member joined a replica of it.
        """
        seen = self._reader.ballot(ballot)
        if seen is not None:
            for member in (each for each in self.signers() if self._reader.member(each) is not None):
                for replica in self._reader.replicas(member):
                    if replica.subset.id == seen.record.subset and replica.instance.record.receipt is not None:
                        return case_for(referee, ballot, self._package(member, replica))
        raise Invalid(f"Ballot {ballot[:8]} is about no subset that you hold.", now="nothing was written")

    def end(self, couple: CoupleId) -> None:
        """Decides that a training ends as soon as it is overdue; the turns that follow carry it out."""
        self._journal.decide(EndedTraining, couple, EndedTraining)

    def look(self) -> Known:
        """What ledger and journal say now."""
        now = self._world.clock()
        members = tuple(self._look_at(signer) for signer in self.signers().values())
        works = [work for member in members for replica in member.replicas for work in replica.work]
        computed = {work.job.id: self._journal.decided(Computed, work.job.id) for work in works}
        complete = {work.vote.ballot.id for work in works if all_committed(work.vote)}
        self._complete_since = {ballot: self._complete_since.get(ballot, now) for ballot in complete}
        self._open_since = {each: self._open_since.get(each, now) for each in open_ids(members)}
        replicas = [replica for member in members for replica in member.replicas]
        instances = [replica.instance.id for replica in replicas]
        joined = [replica.instance.id for replica in replicas if replica.instance.record.state == "joined"]
        self._joined_since = {each: self._joined_since.get(each, now) for each in joined}
        return Known(
            grace=self._network.grace,
            members=members,
            computed=frozenset(job for job, made in computed.items() if made is not None),
            delivered=frozenset(work.job.id for work in works if self._journal.noted("delivered", work.job.id)),
            given_up=frozenset(
                subject for subject in (*instances, *computed) if self._journal.noted("given-up", subject) is not None
            ),
            opens=frozenset(
                work.vote.ballot.id
                for work in works
                if (made := computed[work.job.id]) is not None and would_decide(work.vote, made.result)
            ),
            leaving=frozenset(self._journal.all_decided(Leaving)),
            undelivered=tuple(self._undelivered(computed)),
            to_end=tuple(self._to_end()) if members else (),
            complete_since=dict(self._complete_since),
            open_since=dict(self._open_since),
            joined_since=dict(self._joined_since),
            spread=self._rules.spread,
        )

    def next_steps(self, known: Known, now: int) -> Iterator[Step]:
        """The plan."""
        return next_steps(known, now)

    def act(self, step: Step, known: Known) -> None:
        """Performs one step."""
        match step:
            case Join(member):
                self._join(member)
            case AnswerOffer(member, instance):
                self._answer_offer(member, _replica(known, instance))
            case Compute(member, job):
                self._compute(member, *_work(known, job))
            case Commit(member, job):
                self._commit(member, *_work(known, job))
            case Close(member, job, ballot):
                digest, vote = self._decided(job).result, _work(known, job)[1].vote
                require_over(vote, self._world.ledger.info().time, self._network)
                self._send(
                    member,
                    CloseRound(ballot=BallotId(ballot), digest=digest),
                    at_least=earliest_closing(vote, None, self._network.grace),
                )
            case Deliver(job):
                self._deliver(job)
            case Retire(member, instance):
                self._send(member, RetireCI(instance=InstanceId(instance)))
            case EndTraining(couple):
                training = next(seen for seen in known.to_end if seen.couple.id == couple)
                since = max(overdue_from(training, known.grace), settled_from(training, known.grace))
                joined = next(each.member for each in known.members if each.joined)
                self._send(joined, EndTC(couple=couple), at_least=since)
            case CollectFor(member, collect):
                account = next(each.account for each in known.members if each.member == member)
                since = max(due.record.since for due in account.due if due.id in collect.payouts)
                self._send(member, Collect(payouts=collect.payouts), at_least=since)
            case _:
                raise Broken(f"A cloud owner knows no step {step}.")

    def _look_at(self, signer: Signer) -> MemberKnown:
        member = signer.member
        if member not in self._on_ledger and self._reader.member(member) is not None:
            self._on_ledger.add(member)
        joined = member in self._on_ledger
        return MemberKnown(
            member=member,
            joined=joined,
            account=self._reader.account(member) if joined else NO_ACCOUNT,
            replicas=self._reader.replicas(member) if joined else (),
            joins_at=0 if joined else self._joins_at(member),
            pace=pace_of(signer.keys) if self._rules.spread else b"",
        )

    def _joins_at(self, member: MemberId) -> int:
        """When a fresh member joins: decided once, so that a restart does not draw again until it is soon."""
        spread, now = self._rules.spread, self._world.clock()
        if not spread:
            return 0
        drawn = int.from_bytes(self._world.random(8), "big") % (spread + 1)
        return self._journal.decide(Joining, member, lambda: Joining(at=now + drawn)).at

    def _send(self, member: MemberId, arguments: Arguments, *, at_least: int = 0) -> None:
        claims = claimed_time(self._world.clock(), self._network.skew, at_least=at_least)
        self.signers()[member].send(self._world, arguments, claims=claims)

    def _join(self, member: MemberId) -> None:
        keys = self.signers()[member].keys
        self._send(
            member,
            CreateCO(signing_key=keys.signing_key, sealing_key=keys.sealing_key, recovery_key=keys.recovery_key),
        )

    def _answer_offer(self, member: MemberId, offer: ReplicaSeen) -> None:
        """Keeps the package, then decides the receipt, then joins; or notes why not, and says nothing to anybody."""
        instance = InstanceId(offer.instance.id)
        keys = self.signers()[member].keys
        try:
            sealed, package = examine(self._world, self._agreements, self._id, keys, offer, self._rules)
        except Invalid as reason:
            self._journal.note("given-up", instance, reason.what)
            return
        self._world.kept.put(offer.instance.record.object, sealed)

        def decide() -> Joined:
            nonce = self._nonce()
            return Joined(nonce=nonce, receipt=commitments.receipt(instance, member, nonce, package))

        joined = self._journal.decide(Joined, instance, decide)
        self._send(member, JoinCI(instance=instance, receipt=joined.receipt, nonce=joined.nonce))

    def _compute(self, member: MemberId, replica: ReplicaSeen, work: Work) -> None:
        """Computes and keeps the result, decides the commitment, and sends it; gives a job up that cannot be done."""
        ballot = work.vote.ballot.record
        place = f"{ballot.couple}/{ballot.round}"
        base = self._journal.decide(BaseOfRound, place, lambda: BaseOfRound(base=ballot.base))
        if base.base != ballot.base:
            self._journal.note("given-up", work.job.id, "the ledger names another base than before for this round")
            return
        try:
            result = self._workbench.answer(
                work.couple, work.vote.ballot, replica.subset, lambda: self._package(member, replica)
            )
            locator = self._locator(work)
        except Invalid as reason:
            self._journal.note("given-up", work.job.id, reason.what)
            return
        digest = Digest(sha256(result).hex())
        self._world.kept.put(digest, result)
        job = JobId(work.job.id)

        def decide() -> Computed:
            nonce = self._nonce()
            commitment = commitments.result(job, member, nonce, digest)
            return Computed(result=digest, nonce=nonce, commitment=commitment, locator=locator)

        self._journal.decide(Computed, job, decide)
        self._commit(member, replica, work)

    def _commit(self, member: MemberId, replica: ReplicaSeen, work: Work) -> None:
        """Sends the decided commitment, unless computing took so long that it might come late."""
        if self._world.clock() + self._network.grace > work.vote.ballot.record.commit_until:
            return
        made = self._decided(work.job.id)
        self._send(
            member,
            UpdateTJ(job=JobId(work.job.id), commitment=made.commitment, nonce=made.nonce, locator=made.locator),
        )

    def _deliver(self, job: str) -> None:
        """Uploads what the ballot decided for; only now, since a digest known before the vote could be copied."""
        made = self._decided(job)
        couple = self._reader.couple_of_job(job)
        if couple is None:
            raise Invalid(f"The ledger shows no job {job[:8]}.")
        store = self._world.store(self._agreements.model(couple.record.model).store)
        store.put(f"results/{job}/{made.result}", self._world.kept.get(made.result, largest=_LARGEST_RESULT))
        self._journal.note("delivered", job, made.result)

    def _undelivered(self, at_work: Container[str]) -> Iterator[str]:
        """Accepted jobs that left the list of work before they were delivered: their training ended in between."""
        for job in self._journal.all_decided(Computed):
            if job in at_work or job in self._over or self._journal.noted("delivered", job) is not None:
                continue
            seen = self._reader.job(job)
            if seen is not None and seen.record.state == "accepted":
                yield job
            else:
                self._over.add(job)

    def _to_end(self) -> Iterator[TrainingSeen]:
        for couple in self._journal.all_decided(EndedTraining):
            seen = self._reader.training(couple)
            if seen is not None and seen.couple.record.state != "ended":
                yield seen

    def _locator(self, work: Work) -> Locator:
        """Where the result will lie, readable to the model owner: the store and the job, never the digest."""
        model = self._agreements.model(work.couple.record.model)
        owner = self._agreements.owner(work.couple.record.mo)
        return seal_locator(owner.sealing_key, JobId(work.job.id), model.store, work.job.id)

    def _package(self, member: MemberId, replica: ReplicaSeen) -> bytes:
        """The package that this member joined with, from what it kept."""
        sealed = self._world.kept.get(replica.instance.record.object, largest=PACKAGE_LARGEST + OVERHEAD)
        instance = InstanceId(replica.instance.id)
        return opened_by_any(self.signers()[member].keys, lambda key: open_package(key, instance, sealed))

    def _decided(self, job: str) -> Computed:
        made = self._journal.decided(Computed, job)
        if made is None:
            raise Broken(f"The journal holds no commitment of job {job[:8]}, which the ledger says was made.")
        return made

    def _nonce(self) -> Nonce:
        return Nonce(self._world.random(_NONCE_BYTES).hex())


def _replica(known: Known, instance: str) -> ReplicaSeen:
    return next(replica for member in known.members for replica in member.replicas if replica.instance.id == instance)


def _work(known: Known, job: str) -> tuple[ReplicaSeen, Work]:
    return next(
        (replica, work)
        for member in known.members
        for replica in member.replicas
        for work in replica.work
        if work.job.id == job
    )
