"""Trainings: their rounds, ballots and jobs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freehold.ports.ledger import Accepted
from freehold.protocol import commitments, identifiers
from freehold.protocol.identifiers import Digest, JobId, MemberId, Nonce, Secret
from tests.market.datasets import Dataset
from tests.market.people import Member

if TYPE_CHECKING:
    from tests.market.market import Market


class Training:
    """A training, its model owner, and the datasets of its parts."""

    def __init__(self, market: Market, nonce: str, owner: Member, datasets: list[Dataset], secret: Secret) -> None:
        self.market = market
        self.nonce = nonce
        self.owner = owner
        self.datasets = sorted(datasets, key=lambda dataset: dataset.id)
        self.secret = secret
        self.id = identifiers.couple_id(market.id, owner.id, Nonce(nonce))

    @property
    def record(self) -> dict[str, Any]:
        """The couple as it stands on the ledger."""
        return self.market.record("couple", self.id)

    def is_approved(self) -> Training:
        """Every data owner approves its part."""
        for dataset in self.datasets:
            dataset.owner.does("ApproveTC", couple=self.id, dataset=dataset.id, share=self.market.fresh())
        return self

    def starts_round(self) -> Round:
        """The model owner starts the next round."""
        number = self.record["round"] + 1
        opening: dict[str, Any] = {"secret": self.secret} if number == 1 else {}
        self.owner.does("StartRound", couple=self.id, round=number, base=self.market.fresh(), **opening)
        return Round(self, number)

    def ends(self, by: Member | None = None, **final: Any) -> Accepted:
        """Somebody ends it, the model owner if nobody else is named."""
        return (by or self.owner).does("EndTC", couple=self.id, **final)


@dataclass(frozen=True)
class Round:
    """One round of a training."""

    training: Training
    number: int

    @property
    def ballots(self) -> list[Ballot]:
        """Its ballots, by part and subset."""
        answer = self.training.market.ledger.evaluate("training", {"couple": self.training.id})
        return [
            Ballot(self.training.market, each["ballot"]["id"])
            for each in answer["ballots"]
            if each["ballot"]["round"] == self.number
        ]

    def ballot(self, subset: int, part: int = 0) -> Ballot:
        """The ballot over one subset, which must be in this round's group."""
        id = identifiers.ballot_id(self.training.id, self.number, self.training.datasets[part].subset(subset))
        return Ballot(self.training.market, id)

    def is_agreed(self) -> Round:
        """Every replica commits to the same result of its subset, and every ballot is closed."""
        for ballot in self.ballots:
            ballot.is_agreed()
        return self


@dataclass(frozen=True)
class Ballot:
    """The vote over one subset in one round."""

    market: Market
    id: str

    @property
    def record(self) -> dict[str, Any]:
        """The ballot as it stands on the ledger."""
        return self.market.record("ballot", self.id)

    @property
    def replicas(self) -> list[Replica]:
        """Its workers, in slot order."""
        return [Replica(self.market, job) for job in self.record["jobs"]]

    def is_agreed(self, result: bytes = b"gradient") -> Ballot:
        """Every replica commits to one result, and the ballot is closed with it."""
        for replica in self.replicas:
            replica.commits(result)
        self.closes_with(result)
        return self

    def closes_with(self, result: bytes, by: Member | None = None) -> Accepted:
        """Somebody names the result, the first worker if nobody else is named."""
        return (by or self.replicas[0].person).does("CloseRound", ballot=self.id, digest=digest_of(result))

    def is_ruled(self, result: bytes) -> Accepted:
        """The referee says which result is right."""
        return self.market.referee.does("ReportFraud", ballot=self.id, ruling=digest_of(result))

    def verdicts(self) -> dict[Replica, str]:
        """What the ledger says of each worker."""
        return {replica: replica.record["state"] for replica in self.replicas}


@dataclass(frozen=True)
class Replica:
    """One cloud owner's job in a ballot."""

    market: Market
    job: JobId

    @property
    def record(self) -> dict[str, Any]:
        """The job as it stands on the ledger."""
        return self.market.record("job", self.job)

    @property
    def id(self) -> MemberId:
        """The worker's member id."""
        return MemberId(self.record["co"])

    @property
    def person(self) -> Member:
        """Who works."""
        return self.market.people[self.id]

    def commits(self, result: bytes = b"gradient") -> Accepted:
        """Commits to a result."""
        nonce = Nonce(self.market.fresh())
        return self.sends(commitments.result(self.job, self.id, nonce, digest_of(result)), nonce)

    def commits_bytes_of(self, other: Replica) -> Accepted:
        """Copies what another worker has committed."""
        copied = other.record
        return self.sends(copied["commitment"], copied["nonce"])

    def sends(self, commitment: str, nonce: str) -> Accepted:
        """Sends a commitment for its job."""
        return self.person.does("UpdateTJ", job=self.job, commitment=commitment, nonce=nonce, locator="cd" * 560)


def digest_of(result: bytes) -> Digest:
    """The result digest of some bytes."""
    return Digest(hashlib.sha256(result).hexdigest())
