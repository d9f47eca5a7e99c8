"""The data owner's agent: its knowledge, one act for each step of its plan, and what a person asks of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from freehold.agents.agreements import Agreements
from freehold.agents.closing import all_committed, require_over, would_decide
from freehold.agents.data_owner.approving import ApprovalSheet, read_sheet, require_approvable
from freehold.agents.data_owner.decisions import Approved, Offered, Publication, RefusedTraining, Withdrawal
from freehold.agents.data_owner.plan import (
    AddSubset,
    Draft,
    Join,
    Known,
    LetGo,
    OfferSlot,
    PublicationKnown,
    Publish,
    Recompute,
    Review,
    SendApproval,
    SendOffer,
    SendRefusal,
    UploadCard,
    Verify,
    Withdraw,
    next_steps,
)
from freehold.agents.data_owner.publishing import Publishing, decide_publication
from freehold.agents.ending import EndedTraining, EndTraining
from freehold.agents.journal import Journal
from freehold.agents.keys import MemberKeys
from freehold.agents.loop import Pace, Step, Tell, Turn, tell_nobody, turn
from freehold.agents.reading import (
    NO_ACCOUNT,
    BallotSeen,
    Reader,
    SubsetSeen,
    TrainingSeen,
)
from freehold.agents.referee.case import case_for
from freehold.agents.settling import CollectPayouts
from freehold.agents.workbench import Workbench
from freehold.agents.world import Signer, World
from freehold.errors import Broken, Invalid, Refused
from freehold.learning.prepared import Prepared
from freehold.protocol.actions import (
    ApproveTC,
    Arguments,
    CloseRound,
    Collect,
    CreateDO,
    EndTC,
    PublishDS,
    RetireCI,
    WithdrawDS,
)
from freehold.protocol.assets import Terms
from freehold.protocol.digests import sha256
from freehold.protocol.identifiers import (
    BallotId,
    CoupleId,
    DatasetId,
    Digest,
    InstanceId,
    PublicKey,
    Secret,
    subset_id,
)
from freehold.protocol.network import NetworkRecord, network_id

_SHARE_BYTES: Final = 32
WAIT_FOR_ANSWER: Final = 600_000
"""How long an offer waits before somebody else is asked (ms), unless the owner says otherwise."""


class DataOwner:
    """Publishes datasets, watches over their replicas, and is asked before every training."""

    def __init__(
        self,
        *,
        network: NetworkRecord,
        keys: MemberKeys,
        world: World,
        journal: Journal,
        tell: Tell = tell_nobody,
        misses_allowed: int = 1,
        wait_for_answer: int = WAIT_FOR_ANSWER,
    ) -> None:
        """`misses_allowed` is the number of missed jobs at which a replica is replaced; times in milliseconds."""
        self._network = network
        identity = network_id(network)
        self._signer = Signer(network=identity, member=keys.id_in("do", identity), keys=keys)
        self._world = world
        self._journal = journal
        self._tell = tell
        self._misses_allowed = misses_allowed
        self._wait_for_answer = wait_for_answer
        self._reader = Reader(world.ledger)
        self._agreements = Agreements(world, self._reader)
        self._workbench = Workbench(world, self._agreements)
        self._publishing = Publishing(world, journal, self._signer)
        self._pace = Pace()
        self._on_ledger = False
        self._complete_since: dict[str, int] = {}

    @property
    def member(self) -> str:
        """This data owner's id."""
        return self._signer.member

    def step(self, now: int) -> Turn:
        """One turn: look, plan, act."""
        return turn(self, self._pace, now, self._tell)

    def publish(self, prepared: Prepared, terms: Terms, *, replicas: int | None = None) -> DatasetId:
        """Decides that a prepared table becomes a dataset on these terms; the turns that follow carry it out.

        The same table and terms again go on where they were. Invalid if the table is published on other terms, or was
        withdrawn: the same rows again would disclose more of them than the terms ever allowed.
        """
        wanted = prepared.plan.replicas if replicas is None else replicas
        dataset = decide_publication(self._world, self._journal, self._signer, prepared, terms, wanted).dataset
        if self._journal.decided(Withdrawal, dataset) is not None:
            raise Invalid(
                f"This table was dataset {dataset[:8]}, which you withdrew.",
                why="a withdrawal is for ever, and the same rows twice would count as one dataset",
                next="prepare a new table",
                now="nothing was sent",
            )
        return dataset

    def publications(self) -> dict[DatasetId, Publication]:
        """Everything that was ever decided to be published, by dataset."""
        return {decided.dataset: decided for decided in self._journal.all_decided(Publication).values()}

    def sheet(self, couple: CoupleId) -> ApprovalSheet:
        """What there is to know before saying yes to a training; Invalid if none with this id waits for this owner."""
        return read_sheet(self._reader, self._agreements, self._signer.member, couple)

    def approve(self, couple: CoupleId) -> ApprovalSheet:
        """Says yes for every own dataset in the training: decides the shares, then sends them. Cannot be taken back."""
        sheet = self.sheet(couple)
        require_approvable(sheet)
        if self._journal.decided(RefusedTraining, couple) is not None:
            raise Invalid(f"You have refused training {couple[:8]} before.", now="nothing was sent")
        for part in sheet.parts:
            self._decide_share(couple, part.dataset)
        for part in sheet.parts:
            self._approve(couple, part.dataset)
        return sheet

    def has_approved(self, couple: CoupleId) -> bool:
        """Whether this owner has said yes, and the ledger shows it for every own dataset in the training."""
        seen = self._reader.couple(couple)
        if seen is None or any(waiting.couple == couple for waiting in self._reader.approvals(self._signer.member)):
            return False
        return any(
            part.share is not None and self._journal.decided(Approved, _share_of(couple, part.dataset)) is not None
            for part in seen.record.parts
        )

    def refuse(self, couple: CoupleId) -> None:
        """Says no: the training ends and the model owner's money returns. No reason is told to anybody.

        Invalid if it does not wait for this owner: what was approved is ended, not refused.
        """
        if not any(waiting.couple == couple for waiting in self._reader.approvals(self._signer.member)):
            raise Invalid(
                f"No training {couple[:8]} waits for you.",
                next=f"freehold training end {couple[:8]}, if it was approved",
                now="nothing was sent",
            )
        self._journal.decide(RefusedTraining, couple, RefusedTraining)
        self._send(EndTC(couple=couple))

    def has_refused(self, couple: CoupleId) -> bool:
        """Whether this owner has decided on a no."""
        return self._journal.decided(RefusedTraining, couple) is not None

    def end(self, couple: CoupleId) -> None:
        """Decides that a training ends, its own or an overdue one; the turns that follow carry it out."""
        self._journal.decide(EndedTraining, couple, EndedTraining)

    def withdraw(self, dataset: DatasetId) -> None:
        """Decides that a dataset leaves the market; the turns that follow carry it out. Cannot be taken back.

        Open rounds go on to their end and are paid; nothing new begins. Invalid if it is no dataset of this owner.
        """
        if dataset not in self.publications():
            raise Invalid(
                f"You have published no dataset {dataset[:8]}.", next="freehold status", now="nothing was sent"
            )
        self._journal.decide(Withdrawal, dataset, Withdrawal)

    def case(self, ballot: BallotId, referee: PublicKey) -> bytes:
        """What the referee with this sealing key needs to rule on a ballot about one of the own subsets.

        It shows that referee the rows of the subset, and nobody else. Invalid if the ballot is about no own subset.
        """
        seen = self._reader.ballot(ballot)
        if seen is not None:
            for publication in self.publications().values():
                for index, package in enumerate(publication.packages):
                    if subset_id(publication.dataset, index) == seen.record.subset:
                        return case_for(referee, ballot, self._publishing.package(package))
        raise Invalid(f"Ballot {ballot[:8]} is about no subset of yours.", now="nothing was written")

    def look(self) -> Known:
        """What ledger and journal say now."""
        now = self._world.clock()
        self._on_ledger = self._on_ledger or self._reader.member(self._signer.member) is not None
        joined = self._on_ledger
        publications = tuple(self._look_at(decided) for decided in self.publications().values())
        trainings = tuple(self._look_at_trainings()) if joined and publications else ()
        votes = [vote for training in trainings for vote in training.ballots]
        complete = {vote.ballot.id for vote in votes if all_committed(vote) and vote.ballot.record.state == "open"}
        self._complete_since = {ballot: self._complete_since.get(ballot, now) for ballot in complete}
        tried = {vote.ballot.id: self._journal.noted("recomputed", vote.ballot.id) for vote in votes}
        return Known(
            joined=joined,
            account=self._reader.account(self._signer.member) if joined else NO_ACCOUNT,
            grace=self._network.grace,
            wait_for_answer=self._wait_for_answer,
            misses_allowed=self._misses_allowed,
            publications=publications,
            trainings=trainings,
            to_approve=tuple(self._approvals_to_send(trainings)),
            to_refuse=tuple(self._refusals_to_send(trainings)),
            to_end=tuple(self._to_end(trainings)) if joined else (),
            sound=frozenset(ballot for ballot, said in tried.items() if said == _SOUND),
            unsound=frozenset(ballot for ballot, said in tried.items() if said not in (None, _SOUND)),
            complete_since=dict(self._complete_since),
            candidates=self._reader.candidates() if any(_lacks_replicas(each) for each in publications) else (),
        )

    def next_steps(self, known: Known, now: int) -> Iterator[Step]:
        """The plan."""
        return next_steps(known, now)

    def act(self, step: Step, known: Known) -> None:
        """Performs one step."""
        match step:
            case Join():
                self._join()
            case UploadCard(dataset):
                self._publishing.upload_card(_publication(known, dataset).decided)
            case Draft(dataset):
                self._publishing.draft(_publication(known, dataset).decided)
            case AddSubset(dataset, index):
                self._publishing.add_subset(_publication(known, dataset).decided, index)
            case OfferSlot(dataset, index):
                self._publishing.offer(_publication(known, dataset).decided, index, known.candidates)
            case SendOffer(instance):
                self._publishing.send_offer(_offer(known, instance))
            case Verify(instance):
                self._verify(known, instance)
            case LetGo(instance):
                self._send(RetireCI(instance=instance))
            case Publish(dataset):
                self._send(PublishDS(dataset=dataset))
            case Recompute(couple, ballot):
                self._recompute(known, couple, ballot)
            case SendApproval(couple, dataset):
                self._approve(couple, dataset)
            case SendRefusal(couple) | EndTraining(couple):
                self._send(EndTC(couple=couple))
            case Withdraw(dataset):
                self._send(WithdrawDS(dataset=dataset))
            case Review(couple):
                self._journal.note("reviewed", couple, "")
            case CollectPayouts(payouts):
                self._send(Collect(payouts=payouts))
            case _:
                raise Broken(f"A data owner knows no step {step}.")

    def _look_at(self, decided: Publication) -> PublicationKnown:
        offers = self._journal.all_decided(Offered).items()
        return PublicationKnown(
            decided=decided,
            card_uploaded=self._journal.noted("uploaded", decided.card) is not None,
            seen=self._reader.dataset(decided.dataset),
            offers={instance: offer for instance, offer in offers if offer.dataset == decided.dataset},
            withdrawn=self._journal.decided(Withdrawal, decided.dataset) is not None,
        )

    def _look_at_trainings(self) -> Iterator[TrainingSeen]:
        """Trainings that go on, and ended ones that nobody has looked at since."""
        for couple in self._reader.trainings(self._signer.member):
            if couple.record.state == "ended" and self._journal.noted("reviewed", couple.id) is not None:
                continue
            if couple.record.round == 0:
                yield TrainingSeen(couple=couple, ballots=())
                continue
            seen = self._reader.training(couple.id)
            if seen is not None:
                yield seen

    def _approvals_to_send(self, trainings: Sequence[TrainingSeen]) -> Iterator[tuple[CoupleId, DatasetId]]:
        for training in trainings:
            for part in training.couple.record.parts:
                decided = self._journal.decided(Approved, _share_of(training.couple.id, part.dataset))
                if training.couple.record.state == "requested" and part.share is None and decided is not None:
                    yield CoupleId(training.couple.id), part.dataset

    def _refusals_to_send(self, trainings: Sequence[TrainingSeen]) -> Iterator[CoupleId]:
        for training in trainings:
            refused = self._journal.decided(RefusedTraining, training.couple.id) is not None
            if refused and training.couple.record.state == "requested":
                yield CoupleId(training.couple.id)

    def _to_end(self, trainings: Sequence[TrainingSeen]) -> Iterator[TrainingSeen]:
        own = {training.couple.id: training for training in trainings}
        for couple in self._journal.all_decided(EndedTraining):
            seen = own[couple] if couple in own else self._reader.training(couple)
            if seen is not None and seen.couple.record.state != "ended":
                yield seen

    def _send(self, arguments: Arguments) -> None:
        self._signer.send(self._world, arguments)

    def _join(self) -> None:
        keys = self._signer.keys
        self._send(CreateDO(signing_key=keys.signing_key, sealing_key=keys.sealing_key, recovery_key=keys.recovery_key))

    def _decide_share(self, couple: CoupleId, dataset: DatasetId) -> Approved:
        def decide() -> Approved:
            return Approved(share=Secret(self._world.random(_SHARE_BYTES).hex()))

        return self._journal.decide(Approved, _share_of(couple, dataset), decide)

    def _approve(self, couple: CoupleId, dataset: DatasetId) -> None:
        share = self._decide_share(couple, dataset).share
        try:
            self._send(ApproveTC(couple=couple, dataset=dataset, share=share))
        except Refused as refused:
            # An earlier attempt may have arrived without our hearing of it: then the share is there.
            if refused.code != "state" or not self._has_approved(couple, dataset):
                raise

    def _has_approved(self, couple: CoupleId, dataset: DatasetId) -> bool:
        seen = self._reader.couple(couple)
        return seen is not None and any(
            part.dataset == dataset and part.share is not None for part in seen.record.parts
        )

    def _verify(self, known: Known, instance: InstanceId) -> None:
        for publication in known.publications:
            for subset in publication.seen.subsets if publication.seen is not None else ():
                for seen in subset.instances:
                    if seen.id == instance:
                        self._publishing.verify(publication.decided, subset.subset.record.index, seen)

    def _recompute(self, known: Known, couple: CoupleId, ballot: BallotId) -> None:
        """Computes the answer as a replica would; closes the ballot with it if that decides."""
        training, vote = _vote(known, couple, ballot)
        publication, subset = _subset(known, vote.ballot.record.subset)
        index = subset.subset.record.index
        try:
            answer = self._workbench.answer(
                training.couple,
                vote.ballot,
                subset.subset,
                lambda: self._publishing.package(publication.decided.packages[index]),
            )
        except Invalid as reason:
            self._journal.note("recomputed", ballot, reason.what)
            return
        digest = Digest(sha256(answer).hex())
        if would_decide(vote, digest):
            require_over(vote, self._world.ledger.info().time, self._network)
            self._send(CloseRound(ballot=ballot, digest=digest))
        self._journal.note("recomputed", ballot, _SOUND)


_SOUND: Final = "sound"


def _share_of(couple: str, dataset: str) -> str:
    return f"{couple}/{dataset}"


def _lacks_replicas(publication: PublicationKnown) -> bool:
    """Whether candidates may be needed: asked for only then, since the answer is long."""
    if publication.seen is None or publication.seen.dataset.record.state == "withdrawn":
        return False
    wanted = publication.decided.replicas
    return any(len(subset.subset.record.slots) < wanted for subset in publication.seen.subsets)


def _publication(known: Known, dataset: DatasetId) -> PublicationKnown:
    return next(publication for publication in known.publications if publication.decided.dataset == dataset)


def _offer(known: Known, instance: InstanceId) -> Offered:
    return next(each.offers[instance] for each in known.publications if instance in each.offers)


def _vote(known: Known, couple: CoupleId, ballot: BallotId) -> tuple[TrainingSeen, BallotSeen]:
    training = next(training for training in known.trainings if training.couple.id == couple)
    return training, next(vote for vote in training.ballots if vote.ballot.id == ballot)


def _subset(known: Known, subset: str) -> tuple[PublicationKnown, SubsetSeen]:
    return next(
        (publication, seen)
        for publication in known.publications
        if publication.seen is not None
        for seen in publication.seen.subsets
        if seen.subset.id == subset
    )
