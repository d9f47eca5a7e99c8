"""Training without a cipher: masked statistics, once (`statistics-1`).

Every subset of the group sends its whole A and B, plus masks modulo 2^64 that cancel in the sum of the group, plus an
*envelope* that only the model owner can strip: the objects lie where anybody may fetch them, and without the envelope
anybody could add them up. The model never leaves its owner. What is disclosed is what `linear` discloses after ⌈D/M⌉ +
1 rounds: the group's sums, and nothing of one subset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from freehold.errors import Invalid
from freehold.learning import wire
from freehold.learning.streams import Stream, key_of
from freehold.learning.training import (
    LARGEST_ENTRY,
    NO_ZERO,
    STATISTICS,
    Participant,
    Statistics,
    Training,
    context,
    no_result,
    ordered,
    require_all,
    round_label,
)
from freehold.ports.cipher import Integers, Words
from freehold.protocol import sealing
from freehold.protocol.digests import sha256


def flat(statistics: Statistics) -> Words:
    """The upper half of A row by row, then B row by row, modulo 2^64."""
    upper = statistics.a[np.triu_indices(len(statistics.a))]
    return np.concatenate([upper, statistics.b.reshape(-1)]).astype(np.int64).view(np.uint64)


def envelope(key: bytes, count: int) -> Words:
    """The words that only the model owner can take off again."""
    return Stream(key, 0).words(count)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sums:
    """A (D × D) and B (D × M) of a whole group: int64."""

    a: Integers
    b: Integers


class SumsOwner:
    """The model owner's side of `statistics-1`."""

    def __init__(self, training: Training, sealing_private: bytes) -> None:
        """`sealing_private` is the private half of the training's sealing key."""
        if training.method != STATISTICS:
            raise Invalid(f"{training.method} does not ask for whole statistics")
        if sealing.sealing_public_key(sealing_private) != training.sealing_key:
            raise Invalid("the private key does not belong to the training's sealing key")
        self._training = training
        self._private = sealing_private

    def base(self, group: Sequence[Participant]) -> bytes:
        """The base of a round: an input object of no inputs, 76 bytes."""
        return wire.encode_input(context(self._training, group, NO_ZERO), NO_ZERO, [], [])

    def combine(self, group: Sequence[Participant], round: int, base: bytes, answers: Mapping[bytes, bytes]) -> Sums:
        """The group's A and B from one answer per subset id; Invalid if one is missing, malformed or no answer."""
        members = ordered(self._training, group)
        require_all(members, answers)
        label = round_label(context(self._training, members, NO_ZERO), round, sha256(base))
        features, outputs = self._training.features, self._training.outputs
        total = np.zeros(wire.sums_words(features, outputs), np.uint64)
        for member in members:
            words = wire.parse_sums(answers[member.subset], label, member.subset, features, outputs)
            shared = sealing.x25519(self._private, member.mask_key)
            total = total + words - envelope(key_of("envelope", shared, label), len(words))
        numbers = total.view(np.int64)
        # what is no answer leaves a mask in the sum, and a mask is as large as 64 bits allow
        if numbers.min() < -LARGEST_ENTRY * len(members) or numbers.max() > LARGEST_ENTRY * len(members):
            raise no_result("the sums of the group are larger than statistics can be")
        return _sums(numbers, features, outputs)


def _sums(numbers: Integers, features: int, outputs: int) -> Sums:
    a, upper = np.zeros((features, features), np.int64), np.triu_indices(features)
    a[upper] = numbers[: len(upper[0])]
    a.T[upper] = a[upper]
    return Sums(a=a, b=numbers[len(upper[0]) :].reshape(features, outputs))
