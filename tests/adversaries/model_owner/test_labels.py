"""Label reuse: two inputs under one label meet the same blind, flood and masks, which cancel in the difference.

A model owner that gets one subset to answer two bases "in the same round" (a retry, a fork, a restored backup)
subtracts the answers and decrypts that subset's own product, though every other step was done right. So the label hangs
on the very bytes of the input that was evaluated.
"""

from __future__ import annotations

import numpy as np

from freehold.learning.ciphers.seal import SealCipher
from freehold.learning.parameters import PRIMES, switched_noise
from freehold.learning.residues import subtract
from freehold.ports.cipher import Integers
from tests.adversaries.attack import Attack
from tests.learning.careless import CloudOwner, key
from tests.learning.cases import case, directions
from tests.learning.honest import Round

REUSES_A_LABEL = Attack(
    by="model owner",
    does="has one subset answer two bases in one round, and subtracts",
    stopped_by="S-9: masks, blinds and noise follow from the digest of the very base that is evaluated",
)
CASE = case("labels", rows={1: (40, 44, 52)}, features=31, outputs=2)
NOTHING_ASKED = np.zeros((31, 2), np.int64)


def attack(cipher: SealCipher, *, one_label: bool) -> tuple[Integers, int]:
    """The decrypted difference of one subset's answers to two bases, and the noise in it."""
    first, second = Round(CASE, cipher), Round(CASE, cipher, 2, NOTHING_ASKED)
    answers = []
    for round in (first, second):
        owner = CloudOwner(CASE, 0, first.label if one_label else round.label, cipher)
        answers.append(owner.hidden(owner.product(round.zero, round.inputs), owner.places))
    values, noise = key(cipher).decrypt(subtract(answers[0], answers[1], PRIMES[:1]), owner.places)
    return values.reshape(2, 31).T, int(np.abs(noise).max())


@REUSES_A_LABEL.without
def test_under_one_label_the_model_owner_reads_a_single_subsets_product(seal: SealCipher) -> None:
    values, noise = attack(seal, one_label=True)

    assert (values == CASE.statistics[0].a @ directions(CASE, 1)).all()
    assert noise < switched_noise(2)


@REUSES_A_LABEL.against
def test_under_the_products_labels_the_difference_is_noise(seal: SealCipher) -> None:
    values, noise = attack(seal, one_label=False)

    assert not (values == CASE.statistics[0].a @ directions(CASE, 1)).any()
    assert noise > switched_noise(64)


@REUSES_A_LABEL.against
def test_the_product_answers_two_bases_of_one_round_under_two_labels(seal: SealCipher) -> None:
    first, second = Round(CASE, seal), Round(CASE, seal, 1, NOTHING_ASKED)
    replica = CASE.replica(0, seal)
    answers = [replica.answer(CASE.training, CASE.group, 1, round.zero_bytes, round.sent) for round in (first, second)]

    assert first.label != second.label
    words = [np.frombuffer(answer, "<u8", offset=76) for answer in answers]
    assert not (words[0] == words[1]).any()
