"""The model owner's side of a round: encrypt a direction once for everybody, decrypt nothing but the group's sum.

The key follows from one 32-byte seed per training; every input object has fresh seeds, never derived from the round,
for whoever sees one `a` under two messages sees their difference. Public seeds (of `a`) and the secret seed (of the
errors) are different random bytes, since a public seed is published.

What comes back is checked before it is believed: one well-formed answer for every subset of the group, and a noise no
larger than honest answers can have. A model owner decrypts nothing else, ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from freehold.errors import Invalid
from freehold.learning import wire
from freehold.learning.expansion import input_words, zero_words
from freehold.learning.packing import pack_directions, unpack
from freehold.learning.parameters import LARGEST_DIRECTION, PRIMES, N, require_safe, switched_noise
from freehold.learning.residues import add
from freehold.learning.streams import Stream, key_of
from freehold.learning.training import (
    LARGEST_ENTRY,
    LINEAR,
    Participant,
    Training,
    context,
    no_result,
    ordered,
    require_all,
    round_label,
)
from freehold.ports.cipher import Cipher, Integers, Key, Words
from freehold.protocol.digests import DIGEST_BYTES, sha256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RoundSum:
    """What a round tells: Y = Σ(A·V − B) (D × M, int64) and tr ΣA; the same for held rows if they were asked for."""

    y: Integers
    trace: int
    held: RoundSum | None = None


class Owner:
    """The model owner of one `linear-1` training."""

    def __init__(self, training: Training, key_seed: bytes, *, cipher: Cipher | None = None) -> None:
        """`key_seed`: 32 random bytes, fresh for every training; `cipher` is SEAL unless given."""
        if training.method != LINEAR:
            raise Invalid(f"{training.method} has no encrypted rounds")
        _require_seeds(key_seed)
        if cipher is None:
            # loading SEAL costs every process that does not train
            from freehold.learning.ciphers.seal import SealCipher

            cipher = SealCipher()
        self._training = training
        self._key_seed = key_seed
        self._key: Key = cipher.key(Stream(key_of("key-s", key_seed, training.couple), 0).ternary(N))
        self._zero: bytes | None = None

    def zero(self) -> bytes:
        """The zero object of the training, the same bytes whenever it is asked for."""
        if self._zero is None:
            training = self._training
            errors = Stream(key_of("key-e", self._key_seed, training.couple), 0).errors(N)
            words = self._key.encrypt(zero_words(training), errors, np.zeros(N, np.int64))
            self._zero = wire.encode_zero(training.couple, training.draw_seed, words)
        return self._zero

    def base(
        self,
        group: Sequence[Participant],
        directions: Integers,
        public_seed: Callable[[int], bytes],
        error_seed: bytes,
    ) -> bytes:
        """The input object of V (D × M, each column's sizes at most 2^18 in sum).

        `public_seed(k)` gives 32 random bytes for input k, `error_seed` are 32 others: all fresh for every object.
        """
        training = self._training
        if directions.shape != (training.features, training.outputs) or directions.dtype != np.int64:
            raise Invalid(f"directions of shape {directions.shape} do not fit the training")
        if int(np.abs(directions).sum(axis=0).max()) > LARGEST_DIRECTION:
            raise Invalid(f"a direction is larger than {LARGEST_DIRECTION}", why="the sum could wrap")
        seeds = [public_seed(index) for index in range(training.tiling.column_blocks)]
        _require_seeds(error_seed, *seeds)
        digest = sha256(self.zero())
        name = context(training, group, digest)
        error_key = key_of("input-e", error_seed, name)
        words = [
            self._key.encrypt(input_words(seed, name), Stream(error_key, index).errors(N), message)
            for index, (seed, message) in enumerate(
                zip(seeds, pack_directions(training.tiling, directions), strict=True)
            )
        ]
        return wire.encode_input(name, digest, seeds, words)

    def combine(
        self, group: Sequence[Participant], round: int, base: bytes, answers: Mapping[bytes, bytes]
    ) -> RoundSum:
        """The sum over the group from one answer per subset id; Invalid if one is missing, malformed or no answer."""
        training = self._training
        members = ordered(training, group)
        require_all(members, answers)
        require_safe(training, group=len(members), rounds=round)
        pairs = 2 if training.details.held else 1
        label = round_label(context(training, members, sha256(self.zero())), round, sha256(base))
        parsed = (
            wire.parse_answer(answers[member.subset], label, member.subset, training.tiling, pairs)
            for member in members
        )
        totals, traces = _added(parsed)
        if max(map(abs, traces)) > LARGEST_ENTRY * training.features * len(members):
            raise no_result("the traces of the answers add up to more than statistics can")
        blocks = training.tiling.row_blocks
        values = [self._decrypted(total, row % blocks, len(members)) for row, total in enumerate(totals)]
        results = [
            RoundSum(y=unpack(training.tiling, values[pair * blocks : (pair + 1) * blocks]), trace=traces[pair])
            for pair in range(pairs)
        ]
        return results[0] if pairs == 1 else replace(results[0], held=results[1])

    def _decrypted(self, total: tuple[Words, Words], row: int, group: int) -> Integers:
        """The values of one row of blocks; Invalid if they carry more noise than honest answers can have."""
        places = self._training.tiling.places(row)
        pair = np.zeros((2, N), np.uint64)
        pair[0][places], pair[1] = total
        if not pair[1].any():
            raise Invalid("the answers add up to nothing")
        values, noise = self._key.decrypt(pair, places)
        if int(np.abs(noise).max()) > switched_noise(group):
            raise no_result("the sum of the answers decrypts to noise")
        return values


def _added(answers: Iterable[wire.Answer]) -> tuple[list[tuple[Words, Words]], list[int]]:
    """The answers' sum modulo the first prime, and their traces' modulo 2^64, read as signed."""
    totals: list[tuple[Words, Words]] = []
    traces: list[int] = []
    for answer in answers:
        if not totals:
            totals, traces = list(answer.outputs), list(answer.traces)
            continue
        totals = [
            (add(first, more[0], PRIMES[:1])[0], add(second, more[1], PRIMES[:1])[0])
            for (first, second), more in zip(totals, answer.outputs, strict=True)
        ]
        traces = [trace + more for trace, more in zip(traces, answer.traces, strict=True)]
    return totals, [(trace + 2**63) % 2**64 - 2**63 for trace in traces]


def _require_seeds(*seeds: bytes) -> None:
    if any(len(seed) != DIGEST_BYTES for seed in seeds) or len(set(seeds)) < len(seeds):
        raise Invalid(f"seeds are {DIGEST_BYTES} random bytes, each used once")
