"""Data owners that cheat: each does everything like an honest one but for one thing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from freehold.agents.data_owner import DataOwner
from freehold.agents.data_owner.plan import Known as DataKnown
from freehold.agents.data_owner.plan import OfferSlot, Verify
from freehold.agents.data_owner.publishing import Publishing
from freehold.agents.loop import Step
from freehold.bench.cheats.cloud_owners import package_of
from freehold.bench.market import Market
from freehold.bench.people import Person, data_owner
from freehold.protocol import commitments
from freehold.protocol.actions import VerifyCI
from freehold.protocol.identifiers import Digest, InstanceId, Verdict

H = TypeVar("H", "Unequal", "Rejecting", "Neglecting", "Favouring")


def receipt_is_right(person: Person) -> bool:
    """Whether the receipt on the ledger is the one that only a holder of the package can make."""
    instance = person.market.replica(person.name).instance
    nonce, receipt = instance.record.nonce, instance.record.receipt
    if nonce is None:
        return False
    return receipt == commitments.receipt(InstanceId(instance.id), person.member, nonce, package_of(person))


class Unequal(DataOwner):
    """Seals another package than it published to the first cloud owner that it draws."""

    market: Market
    has_cheated = False

    def act(self, step: Step, known: DataKnown) -> None:
        """Honest steps, but for the first offer."""
        if isinstance(step, OfferSlot) and not self.has_cheated:
            honest, self._publishing = self._publishing, _OtherPackages(self._world, self._journal, self._signer)
            try:
                super().act(step, known)
            finally:
                self._publishing = honest
            self.has_cheated = True
            self.market.acts()
        else:
            super().act(step, known)


class _OtherPackages(Publishing):
    def package(self, digest: Digest) -> bytes:
        right = super().package(digest)
        return right[:-2] + bytes([right[-2] ^ 1]) + right[-1:]


class Rejecting(DataOwner):
    """Rejects the first cloud owner whose receipt is right."""

    market: Market
    rejected: InstanceId | None = None

    def act(self, step: Step, known: DataKnown) -> None:
        """Honest steps, but for the first receipt."""
        if isinstance(step, Verify) and self.rejected is None:
            self.rejected = step.instance
            self.market.acts()
            self._send(VerifyCI(instance=step.instance, verdict=Verdict("rejected")))
        else:
            super().act(step, known)


class Neglecting(DataOwner):
    """Never answers the first cloud owner that joins."""

    market: Market
    neglected: InstanceId | None = None

    def next_steps(self, known: DataKnown, now: int) -> Iterator[Step]:
        """Honest steps, but for that one receipt."""
        for step in super().next_steps(known, now):
            if isinstance(step, Verify) and self.neglected is None:
                self.neglected = step.instance
                self.market.acts()
            if not (isinstance(step, Verify) and step.instance == self.neglected):
                yield step


def hospital_runs(market: Market, kind: type[H]) -> H:
    """The hospital runs another program from now on."""
    person = market.people["hospital"]
    agent = data_owner(person, kind)
    agent.market = market
    person.becomes(agent)
    return agent


class Favouring(DataOwner):
    """Keeps the places of its dataset free for the first who joins, until `has_tried`."""

    market: Market
    friend: InstanceId | None = None
    has_tried = False

    def next_steps(self, known: DataKnown, now: int) -> Iterator[Step]:
        """Honest steps, but everybody else waits for their verification."""
        for step in super().next_steps(known, now):
            if isinstance(step, Verify) and self.friend is None:
                self.friend = step.instance
            if self.has_tried or not isinstance(step, Verify) or step.instance == self.friend:
                yield step
