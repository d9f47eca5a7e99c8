"""What an agent reads from the ledger, as typed records: a node's answer is outside input like any other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import msgspec

from freehold.errors import Invalid
from freehold.ports.ledger import Ledger
from freehold.protocol.assets import (
    Ballot,
    CloudInstance,
    Dataset,
    DataSubset,
    Member,
    Model,
    Payout,
    TrainCouple,
    TrainJob,
)
from freehold.protocol.identifiers import Handle, MemberId, PublicKey
from freehold.protocol.records import Record

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Seen(Generic[R]):
    """A record under its id."""

    id: str
    record: R


@dataclass(frozen=True, slots=True, kw_only=True)
class SubsetSeen:
    """A subset with every offer that was ever made of it."""

    subset: Seen[DataSubset]
    instances: tuple[Seen[CloudInstance], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSeen:
    """A dataset with what was granted of it and its subsets in the order of their index."""

    dataset: Seen[Dataset]
    granted: int
    subsets: tuple[SubsetSeen, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BallotSeen:
    """A ballot with its jobs in the order of the slots."""

    ballot: Seen[Ballot]
    jobs: tuple[Seen[TrainJob], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSeen:
    """A training with the ballots of all its rounds, rounds ascending."""

    couple: Seen[TrainCouple]
    ballots: tuple[BallotSeen, ...]

    def of_round(self, number: int) -> tuple[BallotSeen, ...]:
        """The ballots of one round."""
        return tuple(seen for seen in self.ballots if seen.ballot.record.round == number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One job of a cloud owner, with the vote that it is part of."""

    job: Seen[TrainJob]
    vote: BallotSeen
    couple: Seen[TrainCouple]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaSeen:
    """An instance of a cloud owner with what it is an instance of, and its jobs in trainings that go on."""

    instance: Seen[CloudInstance]
    subset: Seen[DataSubset]
    dataset: Seen[Dataset]
    work: tuple[Work, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSeen:
    """A member's free micro-credits and what it may collect now or later."""

    free: int
    due: tuple[Seen[Payout], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One part of a requested training that waits for its data owner."""

    couple: str
    dataset: str
    handle: str
    """Who asks."""
    earlier: tuple[Seen[TrainCouple], ...]
    """What the same handle asked of the same dataset before."""


NO_ACCOUNT: Final = AccountSeen(free=0, due=())
"""What somebody has who has not joined."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cloud owner's member that nobody has offered anything yet."""

    id: MemberId
    handle: Handle
    sealing_key: PublicKey
    until: int


class Reader:
    """Asks one ledger and understands its answers; raises Invalid for an answer that makes no sense."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def member(self, id: str) -> Seen[Member] | None:
        """A member, or None if it has not joined."""
        return self._find("member", id, Member)

    def model(self, id: str) -> Seen[Model] | None:
        """A model, or None."""
        return self._find("model", id, Model)

    def couple(self, id: str) -> Seen[TrainCouple] | None:
        """A training's own record, or None."""
        return self._find("couple", id, TrainCouple)

    def job(self, id: str) -> Seen[TrainJob] | None:
        """A job, or None."""
        answer = self._ledger.evaluate("get", {"kind": "job", "id": id})
        return None if answer is None else _job(_object(answer))

    def ballot(self, id: str) -> Seen[Ballot] | None:
        """A ballot without its jobs, or None."""
        return self._find("ballot", id, Ballot)

    def couple_of_job(self, id: str) -> Seen[TrainCouple] | None:
        """The training that a job belongs to, or None."""
        job = self.job(id)
        ballot = None if job is None else self.ballot(job.record.ballot)
        return None if ballot is None else self.couple(ballot.record.couple)

    def account(self, member: str) -> AccountSeen:
        """What a member has and is owed; nothing at all if it has not joined."""
        answer = _object(self._ledger.evaluate("account", {"member": member}))
        return AccountSeen(free=_integer(answer, "free"), due=tuple(_many(answer["due"], Payout)))

    def candidates(self) -> tuple[Candidate, ...]:
        """Whom a data owner may draw for an offer."""
        answer = self._ledger.evaluate("candidates", {})
        try:
            return tuple(msgspec.convert(answer, list[Candidate]))
        except msgspec.ValidationError as error:
            raise _senseless(error) from None

    def dataset(self, id: str) -> DatasetSeen | None:
        """A dataset with its subsets and instances, or None if there is none."""
        if self._find("dataset", id, Dataset) is None:
            return None
        answer = _object(self._ledger.evaluate("dataset", {"dataset": id}))
        return DatasetSeen(
            dataset=_one(answer["dataset"], Dataset),
            granted=_integer(answer, "granted"),
            subsets=tuple(
                SubsetSeen(
                    subset=_one(inner["subset"], DataSubset),
                    instances=tuple(_many(inner["instances"], CloudInstance)),
                )
                for inner in _objects(answer["subsets"])
            ),
        )

    def training(self, id: str) -> TrainingSeen | None:
        """A training with all its ballots, or None if there is none."""
        if self.couple(id) is None:
            return None
        answer = _object(self._ledger.evaluate("training", {"couple": id}))
        return TrainingSeen(
            couple=_one(answer["couple"], TrainCouple),
            ballots=tuple(_ballot(inner) for inner in _objects(answer["ballots"])),
        )

    def trainings(self, member: str) -> tuple[Seen[TrainCouple], ...]:
        """Trainings that `member` asked for, or that ask for a dataset of `member`."""
        return tuple(_many(self._ledger.evaluate("trainings", {"member": member}), TrainCouple))

    def approvals(self, member: str) -> tuple[Approval, ...]:
        """What waits for the approval of a data owner."""
        answer = _object(self._ledger.evaluate("inbox", {"member": member}))
        return tuple(
            Approval(
                couple=_text(inner, "couple"),
                dataset=_text(inner, "dataset"),
                handle=_text(inner, "handle"),
                earlier=tuple(_many(inner["earlier"], TrainCouple)),
            )
            for inner in _objects(answer["approvals"])
        )

    def replicas(self, co: str) -> tuple[ReplicaSeen, ...]:
        """What a cloud owner holds or was offered, and its work."""
        return tuple(
            ReplicaSeen(
                instance=_one(inner["instance"], CloudInstance),
                subset=_one(inner["subset"], DataSubset),
                dataset=_one(inner["dataset"], Dataset),
                work=tuple(
                    Work(
                        job=_job(_object(task["job"])),
                        vote=_ballot(task),
                        couple=_one(task["couple"], TrainCouple),
                    )
                    for task in _objects(inner["work"])
                ),
            )
            for inner in _objects(self._ledger.evaluate("replica-work", {"co": co}))
        )

    def members(self, role: str, *, after: str | None) -> tuple[Seen[Member], ...]:
        """Members of one role with ids above `after`, ascending, at most a thousand at a time."""
        asked: dict[str, object] = {"kind": "member", "where": {"role": role}}
        answer = self._ledger.evaluate("list", asked if after is None else {**asked, "after": after})
        return tuple(_many(answer, Member))

    def _find(self, kind: str, id: str, record: type[R]) -> Seen[R] | None:
        answer = self._ledger.evaluate("get", {"kind": kind, "id": id})
        return None if answer is None else _one(answer, record)


def _ballot(value: dict[str, Any]) -> BallotSeen:
    return BallotSeen(ballot=_one(value["ballot"], Ballot), jobs=tuple(_job(job) for job in _objects(value["jobs"])))


def _job(value: dict[str, Any]) -> Seen[TrainJob]:
    """A job as the ledger stores it: for a void ballot an answer names the state that follows from both."""
    stored = {"undecided": "committed"}.get(value.get("state", ""), value.get("state"))
    return _one({**value, "state": stored}, TrainJob)


def _many(values: object, record: type[R]) -> Iterable[Seen[R]]:
    return [_one(value, record) for value in _objects(values)]


def _one(value: object, record: type[R]) -> Seen[R]:
    fields = _object(value)
    known_as = fields.get("id")
    if not isinstance(known_as, str):
        raise Invalid("The ledger's answer names no id.", next="check which ledger this profile speaks to")
    try:
        return Seen(known_as, msgspec.convert({key: field for key, field in fields.items() if key != "id"}, record))
    except msgspec.ValidationError as error:
        raise _senseless(error) from None


def _objects(values: object) -> Sequence[dict[str, Any]]:
    if not isinstance(values, list):
        raise Invalid("The ledger's answer is not a list.", next="check which ledger this profile speaks to")
    return [_object(value) for value in values]


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid("The ledger's answer is not an object.", next="check which ledger this profile speaks to")
    return value


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise Invalid(f"The ledger's answer has no text {name!r}.", next="check which ledger this profile speaks to")
    return value


def _integer(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name)
    if type(value) is not int:
        raise Invalid(f"The ledger's answer has no number {name!r}.", next="check which ledger this profile speaks to")
    return value


def _senseless(error: Exception) -> Invalid:
    return Invalid(f"The ledger's answer makes no sense: {error}.", next="check which ledger this profile speaks to")
