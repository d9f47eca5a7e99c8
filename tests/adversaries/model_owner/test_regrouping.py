"""Regrouping: every other way to add the subsets up is a further equation about the same few unknowns.

If each training dealt its groups anew, a model owner under three names would solve for every single subset of four. So
groups are dealt once, from the dataset's own digests, and a sum over fewer than a whole group stays noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from freehold.contract.draw import deal_groups, shuffle
from freehold.learning.ciphers.seal import SealCipher
from freehold.learning.parameters import PRIMES, switched_noise
from freehold.protocol.digests import H, sha256
from tests.adversaries.attack import Attack
from tests.learning.careless import CloudOwner, key, total
from tests.learning.cases import Case, base, case
from tests.learning.honest import Round

TRAINS_UNDER_NAMES = Attack(
    by="model owner",
    does="trains under many names, to solve for single subsets",
    stopped_by="S-18: groups are dealt once, from the published digests, for all trainings",
)
CASE = case("regrouping", rows={1: (40, 44, 52, 60)}, features=7, outputs=2)
DATASET = CASE.group[0].dataset
DIGESTS = [sha256(secret).hex() for secret in CASE.secrets]
Groups = Sequence[Sequence[int]]


def attack(
    cipher: SealCipher, deals: Sequence[Groups]
) -> tuple[int, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """What one model owner learns under several names: the rank of its equations, and its guess of every B_i."""
    equations, sums = [], []
    for number, groups in enumerate(deals):
        for group in groups:
            # a training of its own for each name: another couple, hence another context and other masks
            training = replace(CASE.training, couple=bytes([number + 1]) * 32)
            part = replace(CASE, training=training, group=tuple(CASE.group[index] for index in group))
            equations.append([float(index in group) for index in range(4)])
            sums.append(-honest_sum(part, group, cipher))
    solution = np.linalg.pinv(np.array(equations)) @ np.array(sums, np.float64).reshape(len(sums), -1)
    return int(np.linalg.matrix_rank(np.array(equations))), solution.reshape(4, 7, 2)


def honest_sum(part: Case, group: Sequence[int], cipher: SealCipher) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Y of a first round (V = 0) over one group."""
    owner = part.owner(cipher)
    sent = base(part, owner, 1, np.zeros((7, 2), np.int64))
    answers = {
        CASE.group[index].subset: CASE.replica(index, cipher).answer(part.training, part.group, 1, owner.zero(), sent)
        for index in group
    }
    return owner.combine(part.group, 1, sent, answers).y


@TRAINS_UNDER_NAMES.without
def test_groups_dealt_anew_per_training_give_every_subset_away(seal: SealCipher) -> None:
    deals = [((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2))]

    rank, guess = attack(seal, deals)

    assert rank == 4
    assert (np.rint(guess) == [part.b for part in CASE.statistics]).all()


@TRAINS_UNDER_NAMES.against
def test_groups_dealt_once_give_the_groups_sums_however_many_ask(seal: SealCipher) -> None:
    groups = deal_groups(DATASET.hex(), DIGESTS, 2)

    rank, guess = attack(seal, [groups] * 3)

    assert rank == 2
    assert not any((np.rint(one) == part.b).all() for one, part in zip(guess, CASE.statistics, strict=True))


def test_the_groups_follow_from_the_dataset_and_not_from_a_training() -> None:
    dealt = deal_groups(DATASET.hex(), DIGESTS, 2)

    assert dealt == deal_groups(DATASET.hex(), DIGESTS, 2)
    # while an order dealt per training visits them all
    orders = {tuple(shuffle(H("order", bytes([seed]) * 32, 0, 0), 4)) for seed in range(40)}
    assert len(orders) > 10


@TRAINS_UNDER_NAMES.against
def test_the_sum_over_less_than_a_group_is_noise(seal: SealCipher) -> None:
    round = Round(CASE, seal)
    answers = []
    for index in range(4):
        owner = CloudOwner(CASE, index, round.label, seal)
        answers.append(owner.hidden(owner.product(round.zero, round.inputs), owner.places))

    for size in (1, 2, 3):
        for chosen in combinations(answers, size):
            _, noise = key(seal).decrypt(total(chosen, PRIMES[:1]), owner.places)
            assert int(np.abs(noise).max()) > switched_noise(size)
    _, noise = key(seal).decrypt(total(answers, PRIMES[:1]), owner.places)
    assert int(np.abs(noise).max()) <= switched_noise(4)
