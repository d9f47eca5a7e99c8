"""Programs that cheating data owners run: each does everything like an honest one but for one thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from freehold.agents.data_owner import DataOwner
from freehold.agents.data_owner.decisions import Offered
from freehold.agents.data_owner.plan import Known, OfferSlot, Verify
from freehold.agents.data_owner.publishing import Publishing
from freehold.agents.loop import Step
from freehold.protocol.actions import VerifyCI
from freehold.protocol.identifiers import Digest, MemberId, Verdict
from tests.agents.town import Town

D = TypeVar("D", bound=DataOwner)


def runs(town: Town, kind: type[D], *, number: int = 1) -> D:
    """From now on this hospital runs another program, with the keys and the journal that it had."""
    person = town.people[f"hospital {number}"]
    agent = kind(
        network=town.network,
        keys=person.ring.members[0],
        world=person.world,
        journal=person.journal,
        tell=person.told.append,
        wait_for_answer=5_000,
    )
    person.agent = agent
    return agent


class _Deals(Publishing):
    deals: Callable[[bytes], bytes]

    def package(self, digest: Digest) -> bytes:
        return self.deals(super().package(digest))


class TwoFaced(DataOwner):
    """Deals the first cloud owner whom it asks another package than it published, and verifies whoever joins."""

    deals: Callable[[bytes], bytes]
    victim: MemberId | None = None

    def act(self, step: Step, known: Known) -> None:
        """Honest steps, but for the first offer and for every receipt."""
        if isinstance(step, OfferSlot) and self.victim is None:
            honest, self._publishing = self._publishing, _Deals(self._world, self._journal, self._signer)
            self._publishing.deals = self.deals
            try:
                super().act(step, known)
            finally:
                self._publishing = honest
            self.victim = next(iter(self._journal.all_decided(Offered).values())).co
        elif isinstance(step, Verify):
            self._send(VerifyCI(instance=step.instance, verdict=Verdict("verified")))
        else:
            super().act(step, known)


class Neglects(DataOwner):
    """Lets everybody join, and verifies nobody."""

    def next_steps(self, known: Known, now: int) -> Iterator[Step]:
        """Honest steps, but for every receipt."""
        return (step for step in super().next_steps(known, now) if not isinstance(step, Verify))
