"""One honest round's public objects, as the arrays that the steps of an answer work on."""

from __future__ import annotations

import numpy as np

from freehold.learning import wire
from freehold.learning.expansion import pairs_of, zero_words
from freehold.learning.training import context, round_label
from freehold.ports.cipher import Cipher, Integers
from freehold.protocol.digests import sha256
from tests.learning.cases import Case, base


class Round:
    """Zero pair, input pairs and label of round `number` of a case."""

    def __init__(self, case: Case, cipher: Cipher, number: int = 1, asked: Integers | None = None) -> None:
        owner, training = case.owner(cipher), case.training
        self.zero_bytes = owner.zero()
        self.sent = base(case, owner, number, asked)
        self.context = context(training, case.group, sha256(self.zero_bytes))
        self.label = round_label(self.context, number, sha256(self.sent))
        first = wire.parse_zero(self.zero_bytes, training.couple, training.draw_seed)
        self.zero = np.stack([first, zero_words(training)])
        parsed = wire.parse_input(self.sent, self.context, sha256(self.zero_bytes), training.tiling.column_blocks)
        self.inputs = pairs_of(parsed)
