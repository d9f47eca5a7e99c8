"""Switch before mask: roundings of single subsets are not a function of their sum.

Dividing down to one prime rounds. Rounded after the masks, what a model owner adds up is the group's sum and the
roundings of uniform shares. Rounded before, it is the sum of each subset's own rounding: with a ciphertext made for it,
a count of the subsets that lie above a threshold, entry by entry. The attacker here has what the product does not even
give it: no blinding (a zero of zeros) and a chosen c1.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from freehold.learning.ciphers.oracle import OracleCipher
from freehold.learning.parameters import DROPPED, PRIMES, N
from freehold.learning.residues import add, lift_large
from freehold.learning.training import Statistics
from freehold.ports.cipher import Integers, Words
from tests.adversaries.attack import Attack
from tests.learning.careless import NOTHING, CloudOwner, total
from tests.learning.cases import Case, case

COUNTS_ROUNDINGS = Attack(
    by="model owner",
    does="chooses a ciphertext whose rounding counts subsets above a threshold",
    stopped_by="S-18: masks are added modulo the whole q, before anything is rounded",
)
THRESHOLD = 3000
EVEN = case("switch", rows={1: (40, 44, 52, 60)}, features=31, outputs=2)
LABEL = b"\x0a" * 32


def world(shares: tuple[int, int, int, int]) -> Case:
    """Four subsets whose A is everywhere this large; B does not matter."""
    b = np.zeros((31, 2), np.int64)
    parts = tuple(Statistics(a=np.full((31, 31), share), b=b) for share in shares)
    return replace(EVEN, statistics=parts)


ALL_BELOW = world((1000, 1000, 1000, 1000))
ONE_ABOVE = world((4000, 0, 0, 0))


def attack(case: Case, cipher: OracleCipher, *, masks_first: bool) -> Integers:
    """What the model owner adds up in c1 at the entries of A."""
    answers = []
    for index in range(len(case.group)):
        owner = CloudOwner(case, index, LABEL, cipher)
        product = owner.product(np.zeros((2, 3, N), np.uint64), chosen(), NOTHING)
        if masks_first:
            answers.append(owner.hidden(product, owner.places))
        else:
            divided = product.divided(owner.noise(owner.places))
            answers.append(add(divided, owner.mask(owner.places)[:, 0], PRIMES[:1]))
    added: Integers = total(answers, PRIMES[:1])[1][: 31 * 31].astype(np.int64)
    return np.where(added > PRIMES[0] // 2, added - PRIMES[0], added)


def chosen() -> Words:
    """An input whose c1 is the number K: a product's c1 is K·A, which the switch rounds to A / (2 · threshold)."""
    constant = lift_large([DROPPED // (2 * THRESHOLD)])
    return np.stack([np.zeros((3, N), np.uint64), np.broadcast_to(constant, (3, N))])[None]


@COUNTS_ROUNDINGS.without
def test_switched_first_the_sum_counts_the_subsets_above_a_threshold(oracle: OracleCipher) -> None:
    assert (attack(ALL_BELOW, oracle, masks_first=False) == 0).all()
    assert (attack(ONE_ABOVE, oracle, masks_first=False) == 1).all()


@COUNTS_ROUNDINGS.against
def test_masked_first_two_groups_of_one_sum_look_alike(oracle: OracleCipher) -> None:
    below, above = (frequencies(attack(world, oracle, masks_first=True)) for world in (ALL_BELOW, ONE_ABOVE))

    assert below.keys() == above.keys()
    assert below == pytest.approx(above, abs=0.08)
    assert max(below.values()) < 0.9


def frequencies(values: npt.NDArray[np.int64]) -> dict[int, float]:
    return {
        int(value): float(np.mean(values == value)) for value in np.unique(values) if np.mean(values == value) > 0.02
    }
