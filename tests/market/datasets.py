"""Datasets, and who holds their subsets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freehold.protocol import identifiers
from freehold.protocol.identifiers import DatasetId, SubsetId
from tests.market.people import Member

if TYPE_CHECKING:
    from tests.market.market import Market


class Dataset:
    """A dataset, its owner, and who holds its subsets."""

    def __init__(self, market: Market, id: DatasetId, owner: Member) -> None:
        self.market = market
        self.id = id
        self.owner = owner
        self.shape = market.record("dataset", id)

    @property
    def record(self) -> dict[str, Any]:
        """The dataset as it stands on the ledger."""
        return self.market.record("dataset", self.id)

    def subset(self, index: int) -> SubsetId:
        """The id of a subset."""
        return identifiers.subset_id(self.id, index)

    def slots(self, index: int) -> list[dict[str, Any]]:
        """Who holds a subset."""
        found: list[dict[str, Any]] = self.market.record("subset", self.subset(index))["slots"]
        return found

    def offers(self, index: int, holder: Member) -> str:
        """Offers a subset to a cloud owner and says the instance's id."""
        return self.owner.does(
            "CreateCI",
            subset=self.subset(index),
            co=holder.id,
            nonce=self.market.fresh(),
            object=self.market.fresh(),
            locator="ab" * 560,
        ).id

    def is_joined_by(self, index: int, holder: Member | None = None) -> Holding:
        """A cloud owner with enough for the stake takes the offer of a subset."""
        holder = holder or self.market.cloud_owner(funds=self.shape["terms"]["stake"])
        instance = self.offers(index, holder)
        holder.does("JoinCI", instance=instance, receipt=self.market.fresh(), nonce=self.market.fresh())
        return Holding(self, instance, holder)

    def is_held_by(self, index: int, holder: Member | None = None) -> Holding:
        """A cloud owner joins, and the owner gives it a slot."""
        holding = self.is_joined_by(index, holder)
        self.owner.does("VerifyCI", instance=holding.instance, verdict="verified")
        return holding

    def is_held(self) -> Dataset:
        """Every slot of every subset gets a cloud owner of its own."""
        for index in range(self.shape["m"]):
            for _ in range(self.shape["n"]):
                self.is_held_by(index)
        return self

    def is_published(self) -> Dataset:
        """The owner publishes it."""
        self.owner.does("PublishDS", dataset=self.id)
        return self


@dataclass(frozen=True)
class Holding:
    """One cloud owner's instance of a subset."""

    dataset: Dataset
    instance: str
    holder: Member

    @property
    def record(self) -> dict[str, Any]:
        """The instance as it stands on the ledger."""
        return self.dataset.market.record("instance", self.instance)
