"""Division c1′/c1: a product of polynomials hides neither factor from who knows the other.

The model owner knows c1 of its input. If c1 of an answer were Σ c1·P and no more, it would divide and hold P; the masks
do not help, since they cancel in the sum. So every answer is blinded with u times a public zero, and with errors. The
answers here are looked at modulo the whole q, before the switch takes most of them away: the attacker gets more than it
ever would, and the blinding alone must hold; so must the errors.
"""

from __future__ import annotations

import numpy as np

from freehold.learning.ciphers.oracle import OracleCipher, backward, forward
from freehold.learning.parameters import PRIMES
from freehold.learning.residues import add
from freehold.ports.cipher import Integers
from tests.adversaries.attack import Attack
from tests.learning.careless import NOTHING, CloudOwner, matrix_of, total
from tests.learning.cases import case
from tests.learning.honest import Round

DIVIDES = Attack(
    by="model owner",
    does="divides c1 of the answers by c1 of its input",
    stopped_by="S-18: every answer is blinded with a multiple of a public zero, and carries errors",
)
CASE = case("division", rows={1: (40, 44)}, features=31, outputs=2)
TRUTH = sum(part.a for part in CASE.statistics)


def attack(cipher: OracleCipher, *, blinded: bool, noisy: bool = False) -> Integers:
    """The model owner's guess of ΣA from c1 of the masked answers, with and without blinds, with and without errors."""
    round = Round(CASE, cipher)
    answers = []
    for index in range(len(CASE.group)):
        owner = CloudOwner(CASE, index, round.label, cipher)
        pair = owner.product(round.zero, round.inputs, None if blinded else NOTHING).words()
        if noisy:
            pair = add(pair, owner.noise(owner.places))
        answers.append(add(pair, owner.mask(owner.places)))
    prime = PRIMES[0]
    answered = forward(total(answers)[1][0], prime)
    inverse = np.array([pow(int(word), -1, prime) for word in round.inputs[0, 1, 0]], object)
    quotient = backward(answered * inverse % prime, prime)
    return matrix_of([value - prime if value > prime // 2 else value for value in quotient], 31)


@DIVIDES.without
def test_without_blinding_the_model_owner_divides_and_has_all_of_xtx(oracle: OracleCipher) -> None:
    assert (attack(oracle, blinded=False) == TRUTH).all()


@DIVIDES.against
def test_with_blinding_alone_the_quotient_is_noise(oracle: OracleCipher) -> None:
    assert not (attack(oracle, blinded=True) == TRUTH).any()


@DIVIDES.against
def test_with_errors_alone_the_quotient_is_noise(oracle: OracleCipher) -> None:
    assert not (attack(oracle, blinded=False, noisy=True) == TRUTH).any()
