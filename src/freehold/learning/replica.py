"""A cloud owner's whole round: check what came, multiply, hide, encode.

The order of the last steps is the protection. Blinds, errors and flooding are added to the product; then the masks,
modulo the whole q; and only then is the pair divided down to one prime. Dividing first would hand a cheating model
owner roundings of single subsets. Of c0 only the coefficients that hold results are kept.

Whoever else lies, two honest replicas of one subset that see the same ledger and the same base return the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from freehold.errors import Invalid
from freehold.learning import sums, wire
from freehold.learning.expansion import pairs_of, zero_words
from freehold.learning.masks import MaskKeys, RoundMasks
from freehold.learning.packing import PackedStatistics
from freehold.learning.parameters import PRIMES, N, require_exact, require_safe
from freehold.learning.residues import add
from freehold.learning.training import (
    NO_ZERO,
    STATISTICS,
    Participant,
    Statistics,
    Training,
    context,
    ordered,
    round_label,
)
from freehold.ports.cipher import Cipher, Evaluator, Integers, Product, Words
from freehold.protocol.digests import sha256


class Replica:
    """One subset in the hands of one cloud owner, for the trainings that use one map, weighting and shift."""

    def __init__(
        self,
        package_secret: bytes,
        me: Participant,
        statistics: Statistics,
        *,
        held: Statistics | None = None,
        cipher: Cipher | None = None,
    ) -> None:
        """`held` are the statistics of the rows held back, for `train+held`; `cipher` is SEAL unless given."""
        self._secret = package_secret
        self._me = me
        self._keys = MaskKeys(package_secret, me)
        self._statistics = (statistics,) if held is None else (statistics, held)
        self._cipher = cipher
        self._prepared: tuple[tuple[bytes, ...], Evaluator, PackedStatistics] | None = None

    def answer(self, training: Training, group: Sequence[Participant], round: int, zero: bytes, base: bytes) -> bytes:
        """The answer to `base` in `round`, the same at every replica; Invalid if anything in it is not as it must be.

        `zero` is the training's zero object, empty for a method without a cipher. That `base` has the ledger's digest
        and that `round` is approved, the caller has checked.
        """
        members = ordered(training, group)
        if self._me not in members:
            raise Invalid("this subset is not in the group, or stands there with another key")
        self._require_shapes(training)
        if training.method == STATISTICS:
            return self._sums(training, members, round, base)
        return self._linear(training, members, round, zero, base)

    def _linear(
        self, training: Training, members: Sequence[Participant], round: int, zero: bytes, base: bytes
    ) -> bytes:
        require_safe(training, group=len(members), rounds=round)
        zero_digest = sha256(zero)
        name = context(training, members, zero_digest)
        evaluator, packed = self._prepare(training, zero, zero_digest)
        parsed = wire.parse_input(base, name, zero_digest, packed.column_blocks)
        label = round_label(name, round, sha256(base))
        masks = RoundMasks(self._secret, self._keys.pairs(members, label), label)
        products = evaluator.products(pairs_of(parsed), masks.blinds(packed.row_blocks))
        outputs = [self._hidden(product, masks, row, packed.places(row)) for row, product in enumerate(products)]
        traces = [(int(np.trace(pair.a)) + masks.trace(index)) % 2**64 for index, pair in enumerate(self._statistics)]
        return wire.encode_answer(label, self._me.subset, outputs, traces)

    def _sums(self, training: Training, members: Sequence[Participant], round: int, base: bytes) -> bytes:
        require_exact(training.rows, len(members))
        name = context(training, members, NO_ZERO)
        wire.parse_input(base, name, NO_ZERO, 0)
        label = round_label(name, round, sha256(base))
        masks = RoundMasks(self._secret, self._keys.pairs(members, label), label)
        words = sums.flat(self._statistics[0])
        hidden = (
            words
            + masks.words(0, len(words))
            + sums.envelope(self._keys.envelope(training.sealing_key, label), len(words))
        )
        return wire.encode_sums(label, self._me.subset, hidden)

    def _hidden(self, product: Product, masks: RoundMasks, row: int, places: Integers) -> tuple[Words, Words]:
        """c0 at the places and c1 of one product: flooded, masked, and only then divided."""
        mask = np.zeros((2, len(PRIMES), N), np.uint64)
        pairs = masks.residues(row, len(places))
        mask[0][:, places] = add(masks.floods(row, len(places)), pairs[:, N:])
        mask[1] = add(masks.errors(row), pairs[:, :N])
        divided = product.divided(mask)
        return divided[0][places], divided[1]

    def _prepare(self, training: Training, zero: bytes, zero_digest: bytes) -> tuple[Evaluator, PackedStatistics]:
        """The evaluator under this zero object, made once per training."""
        key = (training.couple, training.draw_seed, zero_digest)
        if self._prepared is None or self._prepared[0] != key:
            first = wire.parse_zero(zero, training.couple, training.draw_seed)
            pairs = [(statistics.a, statistics.b) for statistics in self._statistics]
            packed = PackedStatistics(training.tiling, pairs)
            evaluator = self._require_cipher().evaluator(np.stack([first, zero_words(training)]), packed)
            self._prepared = (key, evaluator, packed)
        return self._prepared[1:]

    def _require_shapes(self, training: Training) -> None:
        if training.details.held != (len(self._statistics) == 2):
            raise Invalid("held rows are answered for exactly when the training asks for them")
        for statistics in self._statistics:
            if statistics.b.shape != (training.features, training.outputs):
                raise Invalid(f"statistics of shape {statistics.b.shape} do not fit the training")

    def _require_cipher(self) -> Cipher:
        if self._cipher is None:
            # loading SEAL costs every process that does not train
            from freehold.learning.ciphers.seal import SealCipher

            self._cipher = SealCipher()
        return self._cipher
