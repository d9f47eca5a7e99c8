"""Zero key: a blind multiplies the training's public zero, so whoever chooses the zero chooses what blinds.

With (0, 0) for a zero, and a c1 of its own making, a model owner reads ΣA off the answers without decrypting anything.
So z1 follows from the draw, to which the data owners add their shares: nobody chooses it, and no object carries it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from freehold.learning import wire
from freehold.learning.ciphers.oracle import OracleCipher, backward
from freehold.learning.expansion import zero_words
from freehold.learning.owner import Owner
from freehold.learning.parameters import DROPPED, PRIMES, N
from freehold.learning.residues import lift_large
from freehold.learning.streams import Stream, key_of
from freehold.ports.cipher import Integers, Words
from tests.adversaries.attack import Attack
from tests.learning.careless import CloudOwner, matrix_of, total
from tests.learning.cases import COUPLE, DRAW_SEED, KEY_SEED, case

CHOOSES_ZERO = Attack(
    by="model owner",
    does="sends a zero under a key of its choice, so that nothing is blinded",
    stopped_by="S-18: the half of the zero that blinds follows from the draw, to which data owners add their shares",
)
CASE = case("zero", rows={1: (40, 44)}, features=31, outputs=2)
TRUTH = sum(part.a for part in CASE.statistics)
LABEL = b"\x0a" * 32
SCALE = 2**30


def attack(cipher: OracleCipher, second: Words) -> Integers:
    """The model owner's guess of ΣA when z1 is `second`; z0 and the input are its own choice."""
    zero = np.stack([np.zeros((3, N), np.uint64), second])
    constant = lift_large([DROPPED * SCALE])
    chosen = np.stack([np.zeros((3, N), np.uint64), np.broadcast_to(constant, (3, N))])[None]
    answers = []
    for index in range(len(CASE.group)):
        owner = CloudOwner(CASE, index, LABEL, cipher)
        answers.append(owner.hidden(owner.product(zero, chosen), owner.places))
    words = [int(word) for word in total(answers, PRIMES[:1])[1]]
    centred = [word - PRIMES[0] if word > PRIMES[0] // 2 else word for word in words]
    return matrix_of([(value + SCALE // 2) // SCALE for value in centred], 31)


@CHOOSES_ZERO.without
def test_under_a_zero_of_its_choice_the_model_owner_reads_all_of_xtx_off_the_answers(oracle: OracleCipher) -> None:
    assert (attack(oracle, np.zeros((3, N), np.uint64)) == TRUTH).all()


@CHOOSES_ZERO.against
def test_under_the_draws_zero_it_reads_noise(oracle: OracleCipher) -> None:
    assert not (attack(oracle, zero_words(CASE.training)) == TRUTH).any()


def test_two_zeros_of_one_training_under_two_draws_give_the_key_away(oracle: OracleCipher) -> None:
    """Why a model owner notes the first draw that it sees, and computes nothing under another (`agents`)."""
    draws = [CASE.training, replace(CASE.training, draw_seed=b"\x04" * 32)]
    firsts = [
        wire.parse_zero(Owner(draw, KEY_SEED, cipher=oracle).zero(), draw.couple, draw.draw_seed)[0].astype(object)
        for draw in draws
    ]
    seconds = [zero_words(draw)[0].astype(object) for draw in draws]

    # one key and one error: what is left of the difference is the key times what everybody knows
    prime = PRIMES[0]
    inverses = np.array([pow(int(word) % prime, -1, prime) for word in seconds[1] - seconds[0]], object)
    found = backward((firsts[0] - firsts[1]) * inverses % prime, prime)

    assert (np.where(found == prime - 1, -1, found) == Stream(key_of("key-s", KEY_SEED, COUPLE), 0).ternary(N)).all()


@CHOOSES_ZERO.against
def test_no_object_of_the_model_owner_carries_what_blinds() -> None:
    z0 = zero_words(CASE.training)
    data = wire.encode_zero(CASE.training.couple, DRAW_SEED, z0)

    # header, couple, draw seed, and one polynomial: z0
    assert len(data) == 8 + 32 + 32 + 3 * N * 8
