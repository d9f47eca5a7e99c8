"""What a data owner does next, from what it knows. Pure: same knowledge, same steps.

Publishing. The packages and the terms are decided; everything else follows, and all of it can go on at once:

    the card       uploaded under its digest
    the draft      CreateDS, then CreateDSS for every subset
    offers         for every slot that nobody holds or is about to hold: draw a candidate, seal the package to it,
                   upload, CreateCI; the sealed object first, then the decision, then the action
    answers        joined: compare the receipt with the package, verified or rejected; no answer for the
                   answer time: the offer is taken back, and another candidate drawn
    publication    when every subset has all its slots

Watching. A replica that misses a job is retired and its slot offered again; with a public majority behind it,
nobody needs to ask whose fault it was, since a retirement takes nothing that was earned. But a *base* that
nobody can read would make every honest replica miss: so a miss counts only if the ballot was decided, or if
this data owner could itself compute the answer from what the model owner published. It computes it anyway,
where no replica closes a ballot that could be closed: the data owner stands at the end of that line.

A training is approved, refused or ended by a person, and a dataset withdrawn by one. The plan only carries out
what was decided, should the process have died between the decision and the action, or should a round still run.

Cleaning up. What asks for a withdrawn dataset can never be approved, so it is refused; what nobody goes on with is
ended once it is overdue: the rounds return to the budget, and a round that was complete is paid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from freehold.agents.closing import all_committed, earliest_closing, pause_before_closing
from freehold.agents.data_owner.decisions import Offered, Publication
from freehold.agents.ending import ending, overdue_from
from freehold.agents.loop import Step, Wait
from freehold.agents.reading import AccountSeen, BallotSeen, Candidate, DatasetSeen, Seen, SubsetSeen, TrainingSeen
from freehold.agents.settling import collecting
from freehold.protocol.assets import CloudInstance, TrainCouple
from freehold.protocol.identifiers import BallotId, CoupleId, DatasetId, InstanceId

_SOONEST_LOOK: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationKnown:
    """A publication: what was decided, and how far the ledger shows it."""

    decided: Publication
    card_uploaded: bool
    seen: DatasetSeen | None
    offers: Mapping[str, Offered]
    """Every offer that was decided for this dataset, by instance."""
    withdrawn: bool = False
    """Whether its owner wants it out of the market."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything a data owner knows."""

    joined: bool
    account: AccountSeen
    grace: int
    wait_for_answer: int
    misses_allowed: int
    publications: tuple[PublicationKnown, ...]
    trainings: tuple[TrainingSeen, ...]
    """Of own datasets: those that go on, and those that ended since they were last looked at."""
    to_approve: tuple[tuple[CoupleId, DatasetId], ...]
    """Approvals that were decided and that the ledger does not show."""
    to_refuse: tuple[CoupleId, ...]
    to_end: tuple[TrainingSeen, ...]
    """Trainings that are to end, others' included."""
    sound: frozenset[str]
    """Ballots whose answer this data owner could compute itself."""
    unsound: frozenset[str]
    """Ballots where it tried and could not."""
    complete_since: Mapping[str, int]
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Join:
    """Become a member of the market."""

    def __str__(self) -> str:
        return "joins the market"


@dataclass(frozen=True, slots=True)
class UploadCard:
    """Put the card where everybody can read it."""

    dataset: DatasetId

    def __str__(self) -> str:
        return f"uploads the card of dataset {self.dataset[:8]}"


@dataclass(frozen=True, slots=True)
class Draft:
    """Draft the dataset with its terms."""

    dataset: DatasetId

    def __str__(self) -> str:
        return f"drafts dataset {self.dataset[:8]}"


@dataclass(frozen=True, slots=True)
class AddSubset:
    """Name one subset by its digest and mask key."""

    dataset: DatasetId
    index: int

    def __str__(self) -> str:
        return f"adds subset {self.index + 1} to dataset {self.dataset[:8]}"


@dataclass(frozen=True, slots=True)
class OfferSlot:
    """Draw a cloud owner for an empty slot and offer it the subset."""

    dataset: DatasetId
    index: int
    slot: int

    def __str__(self) -> str:
        return f"offers subset {self.index + 1} of dataset {self.dataset[:8]} to a cloud owner"


@dataclass(frozen=True, slots=True)
class SendOffer:
    """Send an offer that was decided before."""

    instance: InstanceId

    def __str__(self) -> str:
        return f"sends the offer {self.instance[:8]} again"


@dataclass(frozen=True, slots=True)
class Verify:
    """Compare a receipt with the package and say whether it is right."""

    instance: InstanceId

    def __str__(self) -> str:
        return f"checks the receipt of replica {self.instance[:8]}"


@dataclass(frozen=True, slots=True)
class LetGo:
    """Retire a replica, or take an offer back."""

    instance: InstanceId
    why: str

    def __str__(self) -> str:
        return f"retires replica {self.instance[:8]}: {self.why}"


@dataclass(frozen=True, slots=True)
class Publish:
    """Open the dataset for trainings."""

    dataset: DatasetId

    def __str__(self) -> str:
        return f"publishes dataset {self.dataset[:8]}"


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take the dataset out of the market."""

    dataset: DatasetId

    def __str__(self) -> str:
        return f"withdraws dataset {self.dataset[:8]}"


@dataclass(frozen=True, slots=True)
class Recompute:
    """Work out a ballot's answer oneself, and close the ballot if that decides it."""

    couple: CoupleId
    ballot: BallotId

    def __str__(self) -> str:
        return f"works out the answer of ballot {self.ballot[:8]} itself"


@dataclass(frozen=True, slots=True)
class SendApproval:
    """Send a decided yes."""

    couple: CoupleId
    dataset: DatasetId

    def __str__(self) -> str:
        return f"approves training {self.couple[:8]}"


@dataclass(frozen=True, slots=True)
class SendRefusal:
    """Send a decided no."""

    couple: CoupleId

    def __str__(self) -> str:
        return f"refuses training {self.couple[:8]}"


@dataclass(frozen=True, slots=True)
class Review:
    """Remember that an ended training holds nothing more to do."""

    couple: CoupleId

    def __str__(self) -> str:
        return f"has reviewed training {self.couple[:8]}"


def next_steps(known: Known, now: int) -> Iterator[Step]:
    """The next steps of one data owner."""
    if not known.joined:
        yield Join()
        return
    for publication in known.publications:
        yield from _publishing(publication, known.wait_for_answer, now)
    for couple, dataset in known.to_approve:
        yield SendApproval(couple, dataset)
    for couple in known.to_refuse:
        yield SendRefusal(couple)
    yield from _ending(known, now)
    yield from _watching(known, now)
    running = any(training.couple.record.state == "training" for training in known.trainings)
    yield from collecting(known.account, now, patient=running)


def _publishing(publication: PublicationKnown, wait_for_answer: int, now: int) -> Iterator[Step]:
    decided, seen = publication.decided, publication.seen
    if publication.withdrawn:
        yield from _withdrawing(publication)
        return
    if not publication.card_uploaded:
        # Whoever gets an offer must be able to read what it is about: first the card, then its digest.
        yield UploadCard(decided.dataset)
        return
    if seen is None:
        yield Draft(decided.dataset)
        return
    if seen.dataset.record.state == "withdrawn":
        return
    present = {subset.subset.record.index for subset in seen.subsets}
    for index in range(len(decided.packages)):
        if index not in present:
            yield AddSubset(decided.dataset, index)
    full = len(present) == len(decided.packages)
    for subset in seen.subsets:
        yield from _slots(publication, subset, wait_for_answer, now)
        full = full and len(subset.subset.record.slots) == decided.replicas
    if full and seen.dataset.record.state == "draft":
        yield Publish(decided.dataset)


def _withdrawing(publication: PublicationKnown) -> Iterator[Step]:
    """Takes a dataset out of the market, and back every offer that nobody can take any more."""
    seen = publication.seen
    if seen is None:
        return
    if seen.dataset.record.state != "withdrawn":
        yield Withdraw(publication.decided.dataset)
        return
    for subset in seen.subsets:
        for instance in subset.instances:
            if instance.record.state == "free":
                yield LetGo(InstanceId(instance.id), "the dataset was withdrawn")


def _ending(known: Known, now: int) -> Iterator[Step]:
    """Ends what is to end: by decision, because it can never be approved, or because nobody goes on with it."""
    gone = {publication.decided.dataset for publication in known.publications if publication.withdrawn}
    own = {training.couple.id for training in known.trainings}
    wanted = {training.couple.id for training in known.to_end}
    for training in known.to_end:
        yield from ending(training, known.grace, now, party=training.couple.id in own)
    refused = set(known.to_refuse)
    for training in known.trainings:
        couple = training.couple.record
        if couple.state == "ended" or training.couple.id in wanted | refused:
            continue
        hopeless = couple.state == "requested" and any(part.dataset in gone for part in couple.parts)
        overdue = overdue_from(training, known.grace)
        if hopeless or now >= overdue:
            yield from ending(training, known.grace, now, party=True)
        else:
            yield Wait(overdue)


def _slots(publication: PublicationKnown, subset: SubsetSeen, wait_for_answer: int, now: int) -> Iterator[Step]:
    """Offers, answers and withdrawn offers of one subset."""
    slots = len(subset.subset.record.slots)
    held = slots
    for instance in subset.instances:
        state = instance.record.state
        if state == "joined" and held < publication.decided.replicas:
            held += 1
            yield Verify(InstanceId(instance.id))
        elif state == "joined":
            yield LetGo(InstanceId(instance.id), "every slot is taken")
        elif state == "free":
            until = _offered_at(publication, instance) + wait_for_answer
            if now > until:
                yield LetGo(InstanceId(instance.id), "it did not answer the offer")
            else:
                held += 1
                yield Wait(until + 1)
    known = {instance.id for instance in subset.instances}
    for instance_id, offer in publication.offers.items():
        if offer.subset == subset.subset.id and instance_id not in known:
            held += 1
            yield SendOffer(InstanceId(instance_id))
    index = subset.subset.record.index
    for slot in range(held, publication.decided.replicas):
        yield OfferSlot(publication.decided.dataset, index, slot)


def _offered_at(publication: PublicationKnown, instance: Seen[CloudInstance]) -> int:
    offer = publication.offers.get(instance.id)
    return 0 if offer is None else offer.at


def _watching(known: Known, now: int) -> Iterator[Step]:
    """Closes what nobody closes, and retires who missed."""
    verified = {
        instance.id
        for publication in known.publications
        if publication.seen is not None
        for subset in publication.seen.subsets
        for instance in subset.instances
        if instance.record.state == "verified"
    }
    own = {publication.decided.dataset for publication in known.publications}
    misses: Counter[str] = Counter()
    for training in known.trainings:
        for vote in training.ballots:
            if vote.ballot.record.state == "open" and _is_own(vote, known):
                yield from _open_ballot(known, training.couple, vote, now)
            misses.update(_missing(known, vote, now) & verified)
        if training.couple.record.state == "ended":
            yield Review(CoupleId(training.couple.id))
        elif own:
            yield from _look_again(training, now)
    for instance, count in sorted(misses.items()):
        if count >= known.misses_allowed:
            yield LetGo(InstanceId(instance), "it missed a job")


def _open_ballot(known: Known, couple: Seen[TrainCouple], vote: BallotSeen, now: int) -> Iterator[Step]:
    """At the end of the line of those who may close a ballot."""
    ballot = vote.ballot
    if ballot.id in known.unsound:
        return
    line = (len(vote.jobs) + 1) * pause_before_closing(ballot.record)
    since = known.complete_since.get(ballot.id) if all_committed(vote) else None
    at = earliest_closing(vote, since, known.grace) + line
    if at <= now and ballot.id not in known.sound:
        yield Recompute(CoupleId(couple.id), BallotId(ballot.id))
    elif at > now:
        yield Wait(at)


def _missing(known: Known, vote: BallotSeen, now: int) -> set[str]:
    """Instances that certainly failed to commit in a vote whose base could be read."""
    ballot = vote.ballot
    certain = ballot.record.state == "decided" or ballot.id in known.sound
    over = ballot.record.state != "open" or now > ballot.record.commit_until + known.grace
    if not (certain and over):
        return set()
    return {job.record.instance for job in vote.jobs if job.record.commitment is None}


def _is_own(vote: BallotSeen, known: Known) -> bool:
    return any(
        subset.subset.id == vote.ballot.record.subset
        for publication in known.publications
        if publication.seen is not None
        for subset in publication.seen.subsets
    )


def _look_again(training: TrainingSeen, now: int) -> Iterator[Wait]:
    """No event tells a data owner that a replica missed; it looks now and then while a round runs."""
    couple = training.couple.record
    if couple.state == "training" and couple.commit_until is not None and couple.close_until is not None:
        yield Wait(now + max(_SOONEST_LOOK, (couple.close_until - couple.commit_until) // 8))
