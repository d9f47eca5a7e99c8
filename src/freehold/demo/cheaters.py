"""Members that cheat, each in its own way: `python -m freehold.demo.cheaters KIND` in the place of `freehold up`.

They are agents of the demo and of tests; nothing in the honest agent knows of them. Each holds the keys and the journal
of a cloud owner that joined honestly, sees what an honest one sees, and takes the same next steps, but for one:

    copying       instead of computing it commits to the bytes that a neighbour committed to
    lazy          it commits to the base that it was sent, as if that were a result
    noisy         it computes the result, and changes one word of it
    silent        it never commits
    withholding   it commits honestly and never uploads

The first four are never paid: a copied commitment does not open for the copier, a wrong result is out-voted, and
silence is missing. Withholding costs nobody anything either: its neighbours' copies are the same bytes.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from freehold.agents.agreements import Agreements
from freehold.agents.cloud_owner import CloudOwner
from freehold.agents.cloud_owner.plan import Commit, Compute, Deliver, Known
from freehold.agents.key_file import passphrase_from
from freehold.agents.loop import Pace, Step, Turn, Wait, turn
from freehold.agents.reading import Reader, ReplicaSeen, Work
from freehold.agents.workbench import Workbench
from freehold.agents.world import World
from freehold.errors import Invalid
from freehold.node.configuration import configuration_path, read_configuration
from freehold.node.profiles import open_profile
from freehold.protocol import commitments
from freehold.protocol.actions import UpdateTJ
from freehold.protocol.digests import sha256
from freehold.protocol.identifiers import Digest, InstanceId, JobId, Locator, MemberId, Nonce
from freehold.protocol.limits import PACKAGE_LARGEST
from freehold.protocol.sealing import OVERHEAD, open_package, seal_locator

_LOOK_AGAIN = 25
"""Milliseconds after which a copier looks whether its neighbours have committed."""


@dataclass(frozen=True, slots=True)
class Cheat:
    """Commit to something that is not one's own result."""

    member: MemberId
    job: str

    def __str__(self) -> str:
        return f"cheats in job {self.job[:8]}"


class Cheater:
    """A cloud owner that does everything like an honest one, but for one thing."""

    def __init__(self, kind: str, honest: CloudOwner, world: World) -> None:
        self._kind = kind
        self._honest = honest
        self._world = world
        self._pace = Pace()
        self._reader = Reader(world.ledger)
        self._agreements = Agreements(world, self._reader)
        self._workbench = Workbench(world, self._agreements)

    def step(self, now: int) -> Turn:
        """One turn: look, plan, act."""
        return turn(self, self._pace, now, lambda told: None)

    def look(self) -> Known:
        """What an honest cloud owner would see."""
        return self._honest.look()

    def next_steps(self, known: Known, now: int) -> Iterator[Step]:
        """What an honest cloud owner would do, but for the one thing."""
        for step in self._honest.next_steps(known, now):
            if isinstance(step, Compute | Commit) and self._kind != "withholding":
                yield from self._instead(step, known, now)
            elif not (isinstance(step, Deliver) and self._kind == "withholding"):
                yield step

    def act(self, step: Step, known: Known) -> None:
        """Performs one step; the honest ones as an honest cloud owner does."""
        if not isinstance(step, Cheat):
            self._honest.act(step, known)
            return
        replica, work = work_of(known, step.job)
        said = self._copy_of(work) if self._kind == "copying" else self._false(step.member, replica, work)
        self._honest.signers()[step.member].send(self._world, said)

    def _instead(self, step: Compute | Commit, known: Known, now: int) -> Iterator[Step]:
        if self._kind == "silent":
            return
        if self._kind == "copying" and _neighbour(work_of(known, step.job)[1]) is None:
            yield Wait(now + _LOOK_AGAIN)
            return
        yield Cheat(step.member, step.job)

    def _copy_of(self, work: Work) -> UpdateTJ:
        original = _neighbour(work)
        if original is None:
            raise Invalid("There is nothing to copy yet.")
        commitment, nonce, locator = original
        return UpdateTJ(job=JobId(work.job.id), commitment=commitment, nonce=nonce, locator=locator)

    def _false(self, member: MemberId, replica: ReplicaSeen, work: Work) -> UpdateTJ:
        """A commitment of its own, to something that is not the result."""
        job = JobId(work.job.id)
        nonce = Nonce(self._world.random(32).hex())
        digest = self._claimed(member, replica, work)
        owner = self._agreements.owner(work.couple.record.mo)
        store = self._agreements.model(work.couple.record.model).store
        return UpdateTJ(
            job=job,
            commitment=commitments.result(job, member, nonce, digest),
            nonce=nonce,
            locator=seal_locator(owner.sealing_key, job, store, work.job.id),
        )

    def _claimed(self, member: MemberId, replica: ReplicaSeen, work: Work) -> Digest:
        """What it says that its result is."""
        return work.vote.ballot.record.base if self._kind == "lazy" else self._noisy(member, replica, work)

    def _noisy(self, member: MemberId, replica: ReplicaSeen, work: Work) -> Digest:
        def package() -> bytes:
            sealed = self._world.kept.get(replica.instance.record.object, largest=PACKAGE_LARGEST + OVERHEAD)
            keys = self._honest.signers()[member].keys
            return open_package(keys.sealing, InstanceId(replica.instance.id), sealed)

        result = bytearray(self._workbench.answer(work.couple, work.vote.ballot, replica.subset, package))
        result[-16] ^= 1
        return Digest(sha256(bytes(result)).hex())


def _neighbour(work: Work) -> tuple[Digest, Nonce, Locator] | None:
    """What another replica of the same subset has committed to, if any has."""
    for other in work.vote.jobs:
        record = other.record
        if other.id != work.job.id and record.commitment and record.nonce and record.locator:
            return record.commitment, record.nonce, record.locator
    return None


def work_of(known: Known, job: str) -> tuple[ReplicaSeen, Work]:
    """One job among everything that a cloud owner sees, and the replica that it is for."""
    return next(
        (replica, work)
        for member in known.members
        for replica in member.replicas
        for work in replica.work
        if work.job.id == job
    )


def main(kind: str, profile: str) -> None:
    """Cheats with the keys of a profile until the process is ended."""
    configuration = read_configuration(configuration_path(os.environ))
    with open_profile(configuration, profile, lambda: passphrase_from(os.environ) or "") as opened, opened.only_one():
        cheater = Cheater(kind, opened.cloud_owner(), opened.world)
        opened.drive(cheater, to=None, until=lambda: False)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
