"""A model owner's rounds: what was asked and answered so far, the next base, and the answers of the last one.

Everything here is built from decisions in the journal. A base is made from a journalled input, so a second
attempt to start the same round names the same digest; a repeated round has another number, and with it another
input: never do two messages meet under one public seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from freehold.agents.agreements import Agreement, Agreements
from freehold.agents.journal import Journal
from freehold.agents.keys import opened_by_any
from freehold.agents.model_owner.decisions import Directions, Drawn, Order, Outcome, RoundInput
from freehold.agents.model_owner.methods import Method, method_of
from freehold.agents.reading import BallotSeen, Seen, TrainingSeen
from freehold.agents.world import Signer, World
from freehold.errors import Broken, FreeholdError, Invalid, Unavailable
from freehold.learning.solver import Solution
from freehold.protocol import commitments
from freehold.protocol.assets import TrainCouple, TrainJob
from freehold.protocol.digests import raw, sha256
from freehold.protocol.identifiers import CoupleId, Digest, JobId
from freehold.protocol.sealing import open_locator

_SEED_BYTES: Final = 32
Passes = list[tuple[Directions, Sequence[Outcome]]]


class Rounds:
    """The rounds of one order, from approval on."""

    def __init__(
        self,
        world: World,
        journal: Journal,
        signer: Signer,
        agreements: Agreements,
        order: Order,
        couple: Seen[TrainCouple],
    ) -> None:
        """`couple` must have been approved: only then does the draw's seed follow from secret and shares."""
        self._world = world
        self._journal = journal
        self._signer = signer
        self._order = order
        self.agreement: Agreement = agreements.read(couple)
        shares = [part.share for part in couple.record.parts]
        known = [share for share in shares if share is not None]
        if len(known) < len(shares):
            raise Broken(f"Training {couple.id[:8]} counts as approved, but a share is missing.")
        self._seed = commitments.seed(CoupleId(couple.id), order.secret, known)
        drawn = journal.decide(Drawn, couple.id, lambda: Drawn(seed=Digest(self._seed)))
        if drawn.seed != self._seed:
            # The zero of a training has one error: under two draws its difference is the key times a known number.
            raise Invalid(
                f"The ledger shows another draw of training {couple.id[:8]} than before.",
                why="two encryptions of zero under one key would give the key away",
                next="compare the node's checkpoints with those of other members: it shows two histories",
            )
        self._method: Method = method_of(self.agreement, order, self._seed, signer.keys.sealing)

    def upload_public(self) -> None:
        """Uploads what every round needs beside its base."""
        for data in self._method.public_objects():
            self._put(data)

    def base(self, round: int, turn: int) -> Digest:
        """Decides the input of a round, uploads its base, and returns the base's digest."""
        place = turn // self.agreement.turns_per_pass
        passes = self._passes()
        directions = self._journal.decide(
            Directions, f"{self._order.couple}/{place}", lambda: self._method.directions(passes)
        )

        def decide() -> RoundInput:
            return RoundInput(
                turn=turn,
                public_seed=self._world.random(_SEED_BYTES),
                error_seed=self._world.random(_SEED_BYTES),
            )

        made_from = self._journal.decide(RoundInput, f"{self._order.couple}/{round}/{turn}", decide)
        return self._put(self._base(directions, made_from))

    def gather(self, training: TrainingSeen, round: int) -> None:
        """Fetches one agreed answer of every subset, adds them up, and writes down what they say.

        Raises Unavailable while an answer is missing, Invalid if the answers are no honest ones.
        """
        # Ending a training counts its last round, whose answers may still be on their way.
        turn = training.couple.record.turn - (training.couple.record.state == "ended")
        made_from = self._journal.decided(RoundInput, f"{self._order.couple}/{round}/{turn}")
        place = turn // self.agreement.turns_per_pass
        directions = self._journal.decided(Directions, f"{self._order.couple}/{place}")
        if made_from is None or directions is None:
            raise Invalid(f"Round {round} did not ask what turn {turn} needs.")
        base = self._base(directions, made_from)
        answers = {raw(vote.ballot.record.subset): self._answer(vote) for vote in training.of_round(round)}
        group = self.agreement.group(self._seed, turn)
        outcome = self._method.outcome(group, round, turn, base, answers)
        # Contradictions show when a pass is complete; they are looked for before the outcome counts as one.
        self._method.enough(self._passes(outcome))
        self._journal.decide(Outcome, f"{self._order.couple}/{round}", lambda: outcome)

    def enough(self) -> bool:
        """Whether further rounds would tell nothing new."""
        return self._method.enough(self._passes())

    def turns(self) -> int:
        """Complete rounds whose answers were gathered."""
        return len(self._outcomes())

    def solve(self) -> Solution | None:
        """The weights from all complete passes, None before the first."""
        passes = self._passes()
        return self._method.solve(passes) if passes else None

    def _base(self, directions: Directions, made_from: RoundInput) -> bytes:
        group = self.agreement.group(self._seed, made_from.turn)
        return self._method.base(group, directions, made_from)

    def _passes(self, newest: Outcome | None = None) -> Passes:
        """Directions and outcomes of every complete pass over the groups."""
        by_turn = {outcome.turn: outcome for outcome in self._outcomes()}
        if newest is not None:
            by_turn[newest.turn] = newest
        size = self.agreement.turns_per_pass
        passes: Passes = []
        while all(len(passes) * size + turn in by_turn for turn in range(size)):
            start = len(passes) * size
            directions = self._journal.decided(Directions, f"{self._order.couple}/{len(passes)}")
            if directions is None:
                raise Broken(f"The journal holds outcomes of pass {len(passes)}, but not what was asked.")
            passes.append((directions, [by_turn[start + turn] for turn in range(size)]))
        return passes

    def _outcomes(self) -> list[Outcome]:
        own = f"{self._order.couple}/"
        decided = self._journal.all_decided(Outcome).items()
        return [outcome for subject, outcome in decided if subject.startswith(own)]

    def _put(self, data: bytes) -> Digest:
        digest = Digest(sha256(data).hex())
        self._world.store(self._order.store).put(digest, data)
        return digest

    def _answer(self, vote: BallotSeen) -> bytes:
        """The first copy of a subset's agreed answer that any accepted replica delivered."""
        trouble: FreeholdError | None = None
        for job in vote.jobs:
            if job.record.state == "accepted":
                try:
                    return self._copy(job, vote)
                except (Unavailable, Invalid) as error:
                    trouble = error
        if isinstance(trouble, Unavailable):
            raise trouble
        what = "no copy that hashes to what was agreed on" if trouble else "nobody who was accepted"
        raise Unavailable(f"Subset {vote.ballot.record.subset[:8]} has {what}.", next="it is asked for again")

    def _copy(self, job: Seen[TrainJob], vote: BallotSeen) -> bytes:
        locator, digest = job.record.locator, vote.ballot.record.digest
        if locator is None or digest is None:
            raise Invalid(f"Job {job.id[:8]} was accepted without saying where its result lies.")
        store, name = opened_by_any(self._signer.keys, lambda key: open_locator(key, JobId(job.id), locator))
        if name != job.id:
            raise Invalid(f"The locator of job {job.id[:8]} names another object.")
        return self._world.store(store).get(f"results/{job.id}/{digest}", largest=self._method.answer_bytes)
