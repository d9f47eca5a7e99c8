"""Programs that cheating cloud owners run: each does everything like an honest one but for one thing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from freehold.agents.cloud_owner import CloudOwner, Rules
from freehold.agents.reading import Reader, ReplicaSeen, Seen, Work
from freehold.agents.workbench import Workbench
from freehold.errors import Unavailable
from freehold.learning.rows import Rows
from freehold.ports.object_store import ObjectStore
from freehold.protocol.actions import JoinCI
from freehold.protocol.assets import Ballot, DataSubset, TrainCouple
from freehold.protocol.identifiers import InstanceId, MemberId
from freehold.protocol.packages import pack, unpack
from tests.agents.town import Person, Town

C = TypeVar("C", bound=CloudOwner)
Packages = Callable[[], bytes]
_LARGEST = 1 << 26


def runs(town: Town, name: str, kind: type[C], rules: Rules | None = None) -> C:
    """From now on this cloud owner runs another program, with the keys and the journal that it had."""
    person: Person = town.people[name]
    agent = kind(
        network=town.network,
        members=lambda: person.ring.members,
        rules=rules or Rules(),
        world=person.world,
        journal=person.journal,
        tell=person.told.append,
    )
    person.agent = agent
    return agent


def works_with(town: Town, name: str, bench: type[Workbench], **changes: Any) -> None:
    """From now on this cloud owner computes on another bench, and says, closes and delivers what that gives."""
    agent = town.cloud_owner(name)
    agent._workbench = bench(agent._world, agent._agreements)
    for field, value in changes.items():
        setattr(agent._workbench, field, value)


def package_of(town: Town, name: str) -> bytes:
    """The package that a cloud owner holds."""
    agent = town.cloud_owner(name)
    member = next(iter(agent.signers()))
    return agent._package(member, town.reader.replicas(member)[0])


class Base(Workbench):
    """Does nothing, and hands in the base that it was sent."""

    def answer(
        self, couple: Seen[TrainCouple], ballot: Seen[Ballot], subset: Seen[DataSubset], package: Packages
    ) -> bytes:
        store: ObjectStore = self._world.store(self._agreements.model(couple.record.model).store)
        return store.get(ballot.record.base, largest=_LARGEST)


class Stale(Workbench):
    """Works in the first round, and hands in the same answer in all others."""

    first: bytes = b""

    def answer(
        self, couple: Seen[TrainCouple], ballot: Seen[Ballot], subset: Seen[DataSubset], package: Packages
    ) -> bytes:
        self.first = self.first or super().answer(couple, ballot, subset, package)
        return self.first


class OtherRows(Workbench):
    """Does the whole work, on what `change` makes of the rows of its package."""

    change: Callable[[Rows], Rows]

    def answer(
        self, couple: Seen[TrainCouple], ballot: Seen[Ballot], subset: Seen[DataSubset], package: Packages
    ) -> bytes:
        def changed() -> bytes:
            held = unpack(package())
            rows = self.change(Rows.parse(bytes(held.rows)))
            return pack(held.network, held.dataset, held.index, held.secret, rows.encode())

        return super().answer(couple, ballot, subset, changed)


class CopiesReceipt(CloudOwner):
    """Fetches no package; joins with the receipt and the nonce of somebody else who was offered the same subset."""

    def _answer_offer(self, member: MemberId, offer: ReplicaSeen) -> None:
        dataset = Reader(self._world.ledger).dataset(offer.subset.record.dataset)
        assert dataset is not None
        receipts = [
            (instance.record.receipt, instance.record.nonce)
            for subset in dataset.subsets
            for instance in subset.instances
            if subset.subset.id == offer.subset.id and instance.record.receipt is not None
        ]
        if not receipts:
            raise Unavailable("there is nothing to copy yet")
        receipt, nonce = receipts[0]
        assert receipt is not None
        assert nonce is not None
        self._send(member, JoinCI(instance=InstanceId(offer.instance.id), receipt=receipt, nonce=nonce))


class Spoils(CloudOwner):
    """Computes and commits honestly, and puts what `spoils` makes of its answer under the name of that answer.

    It does so before the vote, as a store's operator can, so that its copy is the first that anybody finds.
    """

    folder: Path
    spoils: Callable[[ReplicaSeen, Work, bytes], bytes]

    def _compute(self, member: MemberId, replica: ReplicaSeen, work: Work) -> None:
        super()._compute(member, replica, work)
        digest = self._decided(work.job.id).result
        right = self._world.kept.get(digest, largest=_LARGEST)
        place = self.folder / "results" / work.job.id / digest
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(self.spoils(replica, work, right))

    def _deliver(self, job: str) -> None:
        self._journal.note("delivered", job, self._decided(job).result)


class Withholds(CloudOwner):
    """Computes and commits honestly, and uploads nothing."""

    def _deliver(self, job: str) -> None:
        self._journal.note("delivered", job, self._decided(job).result)
