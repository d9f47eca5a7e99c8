"""A cloud owner's round: equal bytes at honest replicas, and a reason whenever something is not as it must be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from freehold.errors import Invalid
from freehold.learning import wire
from freehold.learning.ciphers.seal import SealCipher
from freehold.learning.parameters import N
from freehold.learning.replica import Replica
from freehold.learning.training import Statistics, context
from freehold.ports.cipher import Words
from freehold.protocol.digests import sha256
from tests.learning.cases import Case, base, case, directions

CASE = case("annex 1", rows={1: (40, 44, 52)}, features=7, outputs=2)
OTHER = case("other", rows={1: (40, 44)}, features=7, outputs=2)


@cache
def sent(round: int = 2) -> tuple[bytes, bytes]:
    owner = CASE.owner()
    return owner.zero(), base(CASE, owner, round)


def answer(replica: Replica, case: Case = CASE, round: int = 2) -> bytes:
    zero, input = sent()
    return replica.answer(case.training, case.group, round, zero, input)


def test_two_replicas_of_one_subset_return_equal_bytes(seal: SealCipher) -> None:
    first, second = CASE.replica(0, seal), CASE.replica(0)

    assert answer(first) == answer(second)


def test_the_same_question_gets_the_same_bytes_again_and_another_gets_others(seal: SealCipher) -> None:
    replica = CASE.replica(0, seal)
    once = answer(replica)

    assert answer(replica, round=3) != once
    zero, other = CASE.owner(seal).zero(), base(CASE, CASE.owner(seal), 3)
    assert replica.answer(CASE.training, CASE.group, 2, zero, other) != once
    assert answer(replica) == once


def test_another_package_gives_other_bytes(seal: SealCipher) -> None:
    first, second = CASE.statistics[:2]
    rows = Replica(CASE.secrets[0], CASE.group[0], second, cipher=seal)

    assert not (first.a == second.a).all()
    assert answer(rows) != answer(CASE.replica(0, seal))


def test_a_replica_serves_two_trainings_in_turn(seal: SealCipher) -> None:
    replica = CASE.replica(0, seal)
    once = answer(replica)
    another = replace(CASE, training=replace(CASE.training, couple=b"\x08" * 32))
    owner = another.owner(seal)
    input = base(another, owner, 1)

    other = replica.answer(another.training, another.group, 1, owner.zero(), input)

    assert other == another.replica(0, seal).answer(another.training, another.group, 1, owner.zero(), input)
    assert answer(replica) == once


def test_the_zero_of_one_training_blinds_no_other_even_at_a_replica_that_knows_it(seal: SealCipher) -> None:
    replica = CASE.replica(0, seal)
    answer(replica)
    zero, _ = sent()
    another = replace(CASE.training, couple=b"\x08" * 32)
    # a base that names the other training's context and this training's zero
    crafted = wire.encode_input(context(another, CASE.group, sha256(zero)), sha256(zero), [bytes(32)], [no_words()])

    with pytest.raises(Invalid, match="another couple"):
        replica.answer(another, CASE.group, 1, zero, crafted)


def no_words() -> Words:
    return np.zeros((3, N), np.uint64)


WRONG: dict[str, tuple[str, Callable[[bytes, bytes], tuple[bytes, bytes]]]] = {
    "an empty base": ("bytes instead of", lambda zero, base: (zero, b"")),
    "a long base": ("bytes instead of", lambda zero, base: (zero, base + b"\0")),
    "a base of another context": ("another context", lambda zero, base: (zero, base[:8] + bytes(32) + base[40:])),
    "a base of another zero": ("another zero object", lambda zero, base: (zero, base[:40] + bytes(32) + base[72:])),
    "no zero": ("bytes instead of", lambda zero, base: (b"", base)),
    "a zero of another couple": ("another couple", lambda zero, base: (zero[:8] + bytes(32) + zero[40:], base)),
    "a zero of another draw": ("another draw seed", lambda zero, base: (zero[:40] + bytes(32) + zero[72:], base)),
    "a zero with a large word": ("not below", lambda zero, base: (zero[:-8] + b"\xff" * 8, base)),
    "another zero of this training": ("another context", lambda zero, base: (zero[:-8] + bytes(8), base)),
    "a base with a large word": ("not below", lambda zero, base: (zero, base[:-8] + b"\xff" * 8)),
}


@pytest.mark.parametrize(("reason", "change"), WRONG.values(), ids=WRONG)
def test_an_object_that_is_not_what_it_must_be_is_refused(
    reason: str, change: Callable[[bytes, bytes], tuple[bytes, bytes]], seal: SealCipher
) -> None:
    zero, input = change(*sent())

    with pytest.raises(Invalid, match=reason):
        CASE.replica(0, seal).answer(CASE.training, CASE.group, 2, zero, input)


def test_a_base_for_another_group_or_shape_is_refused(seal: SealCipher) -> None:
    zero, input = sent()
    replica = CASE.replica(0, seal)

    with pytest.raises(Invalid, match="another context"):
        replica.answer(CASE.training, CASE.group[:2], 2, zero, input)
    with pytest.raises(Invalid, match="not in the group"):
        replica.answer(CASE.training, CASE.group[1:], 2, zero, input)
    swapped = replace(CASE.group[0], mask_key=CASE.group[1].mask_key)
    with pytest.raises(Invalid, match="another key"):
        replica.answer(CASE.training, [swapped, *CASE.group[1:]], 2, zero, input)
    with pytest.raises(Invalid, match="do not fit"):
        replica.answer(replace(CASE.training, features=8), CASE.group, 2, zero, input)
    held = b'{"noise":[],"part":"train+held","weights":[]}'
    with pytest.raises(Invalid, match="held rows"):
        replica.answer(replace(CASE.training, material=held), CASE.group, 2, zero, input)


def test_rounds_count_from_one(seal: SealCipher) -> None:
    with pytest.raises(Invalid, match="from 1"):
        answer(CASE.replica(0, seal), round=0)


def test_a_training_that_is_not_safe_is_refused_by_every_cloud_owner(seal: SealCipher) -> None:
    with pytest.raises(Invalid, match="too many"):
        answer(CASE.replica(0, seal), replace(CASE, training=replace(CASE.training, rows=2**53)))


def test_statistics_without_a_single_entry_are_multiplied_too(seal: SealCipher) -> None:
    empty = Statistics(a=np.zeros((7, 7), np.int64), b=np.zeros((7, 2), np.int64))
    case = replace(CASE, statistics=(empty, *CASE.statistics[1:]))
    zero, input = sent()
    answers = {
        member.subset: case.replica(index, seal).answer(case.training, case.group, 2, zero, input)
        for index, member in enumerate(case.group)
    }

    total = case.owner(seal).combine(case.group, 2, input, answers)

    assert (total.y == case.expected(directions(case, 2))).all()
