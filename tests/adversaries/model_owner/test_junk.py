"""Junk coefficients: a product holds far more equations than results, and all of them are about the data.

The model owner knows its input polynomial m. Who is given the whole product P·m divides by m and holds P, that is all
of XᵀX, after one honest round. So of c0 only the places of results are ever sent.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from freehold.learning.ciphers.seal import SealCipher
from freehold.learning.packing import pack_directions
from freehold.learning.parameters import PRIMES, N
from freehold.ports.cipher import Integers
from tests.adversaries.attack import Attack
from tests.learning.careless import CloudOwner, key, matrix_of, total
from tests.learning.cases import case, directions
from tests.learning.honest import Round

READS_ALL = Attack(
    by="model owner",
    does="reads coefficients of the answers that are no results, and divides",
    stopped_by="S-18: of a product only the places of results are sent",
)
CASE = case("junk", rows={1: (40, 44, 52)}, features=31, outputs=2)
TRUTH = sum(part.a for part in CASE.statistics)


def attack(cipher: SealCipher, sent_places: Sequence[int]) -> Integers:
    """What a model owner makes of answers that hold c0 at `sent_places`: its guess of ΣA."""
    round = Round(CASE, cipher)
    answers = []
    for index in range(len(CASE.group)):
        owner = CloudOwner(CASE, index, round.label, cipher)
        answers.append(owner.hidden(owner.product(round.zero, round.inputs), sent_places))
    values, _ = key(cipher).decrypt(total(answers, PRIMES[:1]), range(N))
    # the round with V = 0 has told ΣB, which stands at the results' places
    constants = -CASE.expected(np.zeros((31, 2), np.int64))
    values[CASE.training.tiling.places(0)] += constants.T.reshape(-1)
    return matrix_of(divided(values, pack_directions(CASE.training.tiling, directions(CASE, 1))[0]), 31)


def divided(product: Integers, message: Integers) -> list[int]:
    """The first 961 coefficients of product / message as power series, whole numbers only."""
    known = [(shift, int(value)) for shift, value in enumerate(message[:961]) if value]
    quotient: list[int] = []
    for place in range(961):
        rest = int(product[place]) - sum(v * quotient[place - s] for s, v in known[1:] if s <= place)
        quotient.append(rest // known[0][1])
    return quotient


@READS_ALL.without
def test_with_every_coefficient_the_model_owner_has_all_of_xtx_after_one_round(seal: SealCipher) -> None:
    assert (attack(seal, range(N)) == TRUTH).all()


@READS_ALL.against
def test_with_the_results_places_alone_it_has_nothing_but_the_results(seal: SealCipher) -> None:
    found = attack(seal, CASE.training.tiling.places(0))

    assert np.mean(found == TRUTH) < 0.05
