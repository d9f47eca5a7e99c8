"""Where a holder of a subset works out what a replica of it must answer.

A cloud owner does this for every job; a data owner can, since it dealt the packages, when it has to close a
ballot that no replica closes. The statistics of a subset and their encrypted-side preparation are made once per
training and remembered; they follow from the package and the public facts, so forgetting them costs time and
nothing else.

What came from others is checked in this order, each check before the next byte is read: the object under the
digest that the ledger names, its size, its form, its context. A base that fails is the model owner's doing; the
job is left open, and every honest replica leaves it open alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from freehold.agents.agreements import Agreement, Agreements
from freehold.agents.reading import Seen
from freehold.agents.world import World
from freehold.errors import Invalid
from freehold.learning import wire
from freehold.learning.parameters import MOST_FEATURES, require_safe
from freehold.learning.replica import Replica
from freehold.learning.rows import Rows
from freehold.learning.statistics import subset_statistics
from freehold.learning.training import STATISTICS, Participant, Training, shift
from freehold.protocol.assets import Ballot, DataSubset, TrainCouple
from freehold.protocol.digests import raw
from freehold.protocol.packages import unpack

_TRAININGS_AT_HAND = 4
_ZERO_DIGEST = slice(40, 72)
"""Of an input object: after its magic and the context."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    agreement: Agreement
    training: Training
    replica: Replica
    me: Participant


class Workbench:
    """Computes answers; Invalid if anything that others supplied is not as it must be, Unavailable if it is missing."""

    def __init__(self, world: World, agreements: Agreements, *, most_features: int = MOST_FEATURES) -> None:
        self._world = world
        self._agreements = agreements
        self._most_features = most_features
        self._prepared: dict[tuple[str, str], _Prepared] = {}

    def answer(
        self,
        couple: Seen[TrainCouple],
        ballot: Seen[Ballot],
        subset: Seen[DataSubset],
        package: Callable[[], bytes],
    ) -> bytes:
        """The bytes that every honest replica of `subset` answers in the round of `ballot`.

        `package` is called only when the subset's statistics are not at hand.
        """
        _check_round(couple.record, ballot.record)
        prepared = self._prepare(couple, subset, package)
        training = self._as_of_now(prepared.training, couple.record)
        group = prepared.agreement.group(_seed(couple.record), couple.record.turn)
        if prepared.me not in group:
            raise Invalid(f"Subset {subset.id[:8]} is not in the group whose turn it is.")
        zero, base = self._inputs(prepared, ballot.record)
        return prepared.replica.answer(training, group, ballot.record.round, zero, base)

    def _as_of_now(self, training: Training, couple: TrainCouple) -> Training:
        """The training with the key for which whole sums go into an envelope: it may have rotated since the last round.

        Replicas that started at other times would otherwise answer one round with other bytes.
        """
        if training.method != STATISTICS:
            return training
        return replace(training, sealing_key=raw(self._agreements.owner(couple.mo).sealing_key))

    def _prepare(self, couple: Seen[TrainCouple], subset: Seen[DataSubset], package: Callable[[], bytes]) -> _Prepared:
        key = (couple.id, subset.id)
        if key not in self._prepared:
            while len(self._prepared) >= _TRAININGS_AT_HAND:
                self._prepared.pop(next(iter(self._prepared)))
            self._prepared[key] = self._made(couple, subset, package())
        return self._prepared[key]

    def _made(self, couple: Seen[TrainCouple], subset: Seen[DataSubset], package: bytes) -> _Prepared:
        agreement = self._agreements.read(couple)
        training = agreement.training(_seed(couple.record))
        if training.features > self._most_features:
            raise Invalid(f"The map has {training.features} features, this cloud owner takes {self._most_features}.")
        if training.method != STATISTICS:
            require_safe(training, group=agreement.largest_group, rounds=couple.record.rounds)
        held = unpack(package)
        me = Participant(
            dataset=raw(subset.record.dataset),
            index=subset.record.index,
            subset=raw(subset.id),
            mask_key=raw(subset.record.mask_key),
        )
        statistics = subset_statistics(
            Rows.parse(bytes(held.rows)), agreement.feature_map, agreement.details.weights, shift(training)
        )
        return _Prepared(agreement=agreement, training=training, replica=Replica(held.secret, me, statistics), me=me)

    def _inputs(self, prepared: _Prepared, ballot: Ballot) -> tuple[bytes, bytes]:
        """The zero object and the base, each under its digest."""
        store = self._world.store(prepared.agreement.model.store)
        tiling = prepared.training.tiling
        if prepared.training.method == STATISTICS:
            return b"", store.get(ballot.base, largest=wire.input_bytes(0))
        base = store.get(ballot.base, largest=wire.input_bytes(tiling.column_blocks))
        # The header names the zero object, which is needed before the header can be checked; the replica checks both.
        zero_digest = base[_ZERO_DIGEST].hex()
        zero = self._agreements.public_object(prepared.agreement.model.store, zero_digest, wire.ZERO_BYTES)
        return zero, base


def _check_round(couple: TrainCouple, ballot: Ballot) -> None:
    if couple.round != ballot.round or couple.base != ballot.base:
        raise Invalid(f"Round {ballot.round} is not the running one.")
    if not 1 <= ballot.round <= couple.rounds:
        raise Invalid(f"Round {ballot.round} was not approved: {couple.rounds} were.")


def _seed(couple: TrainCouple) -> str:
    if couple.seed is None:
        raise Invalid("The draw of this training is not open.")
    return couple.seed
