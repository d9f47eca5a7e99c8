"""S-9, masks: they cancel in the sum of a group, and nothing else makes them cancel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from freehold.errors import Invalid
from freehold.learning.ciphers.oracle import Numbers, whole
from freehold.learning.masks import MaskKeys, PairKey, RoundMasks
from freehold.learning.parameters import MODULUS, PRIMES, N
from freehold.learning.streams import Stream
from freehold.ports.cipher import Words
from freehold.protocol.packages import LOW_ORDER_MASK_KEYS
from tests.learning.cases import Case, case

LABEL = b"\x0a" * 32
CASE = case("any", rows={1: (40, 44), 9: (52, 36, 60)}, features=9, outputs=3)


def masks(case: Case, index: int, label: bytes = LABEL) -> RoundMasks:
    keys = MaskKeys(case.secrets[index], case.group[index])
    return RoundMasks(case.secrets[index], keys.pairs(case.group, label), label)


def added(masks: list[Words]) -> Numbers:
    """The sum of (3, n) residues as whole numbers modulo q."""
    total: Numbers = np.sum([whole(mask) for mask in masks], axis=0) % MODULUS
    return total


def test_the_masks_of_a_group_sum_to_nothing_across_owners() -> None:
    each = [masks(CASE, index) for index in range(5)]

    assert not added([one.residues(1, 27) for one in each]).any()
    assert sum(one.trace(0) for one in each) % 2**64 == 0
    assert sum(one.trace(1) for one in each) % 2**64 == 0
    assert np.sum([one.words(0, 9) for one in each], axis=0, dtype=np.uint64).tolist() == [0] * 9


def test_the_masks_of_fewer_than_the_whole_group_do_not_cancel() -> None:
    each = [masks(CASE, index) for index in range(4)]

    left = added([one.residues(0, 27) for one in each])

    assert np.mean(left == 0) < 0.01


def test_no_mask_is_drawn_twice() -> None:
    one = masks(CASE, 0)
    drawn = [one.residues(row, 27).tobytes() for row in range(3)]
    drawn += [masks(CASE, 0, b"\x0b" * 32).residues(0, 27).tobytes(), masks(CASE, 1).residues(0, 27).tobytes()]

    assert len(set(drawn)) == 5
    assert one.trace(0) != one.trace(1)


def test_sixty_three_pairs_are_added_without_losing_a_bit() -> None:
    pairs = [PairKey(key=bytes([index]) * 32, adds=index % 3 != 0) for index in range(63)]

    found = whole(RoundMasks(bytes(32), pairs, LABEL).residues(2, 4))

    expected = sum(
        (1 if pair.adds else -1)
        * whole(np.stack([Stream(pair.key, 6 + i).uniform(p, N + 4) for i, p in enumerate(PRIMES)]))
        for pair in pairs
    )
    assert (found == expected % MODULUS).all()


def test_a_pair_of_subsets_agrees_whoever_owns_them() -> None:
    first, second = (MaskKeys(CASE.secrets[index], CASE.group[index]) for index in (1, 3))

    one = first.pairs([CASE.group[1], CASE.group[3]], LABEL)
    other = second.pairs([CASE.group[1], CASE.group[3]], LABEL)

    assert [pair.key for pair in one] == [pair.key for pair in other]
    assert [pair.adds for pair in one] == [True]
    assert [pair.adds for pair in other] == [False]


def test_a_package_that_does_not_give_the_ledgers_key_is_refused() -> None:
    with pytest.raises(Invalid, match="does not give the mask key"):
        MaskKeys(CASE.secrets[1], CASE.group[0])
    with pytest.raises(Invalid, match="does not give the mask key"):
        MaskKeys(CASE.secrets[0], replace(CASE.group[0], index=1))
    with pytest.raises(Invalid, match="32 bytes"):
        MaskKeys(b"", CASE.group[0])


@pytest.mark.parametrize("key", sorted(LOW_ORDER_MASK_KEYS))
def test_a_key_that_shares_its_secret_with_everybody_is_refused(key: str) -> None:
    weak = replace(CASE.group[1], mask_key=bytes.fromhex(key))

    with pytest.raises(Invalid, match="everybody"):
        MaskKeys(CASE.secrets[0], CASE.group[0]).pairs([CASE.group[0], weak], LABEL)
