"""Whole rounds on both ciphers: the bytes of the vectors, and the sums of plain integers."""

from __future__ import annotations

from typing import Any

import pytest

from freehold.learning.ciphers.oracle import OracleCipher
from freehold.learning.ciphers.seal import SealCipher
from freehold.ports.cipher import Cipher
from freehold.protocol.digests import sha256
from tests.learning.cases import Case, base, cases, directions, golden_digests

CASES = cases()


@pytest.mark.parametrize(("case", "expected"), CASES, ids=lambda value: value.name if isinstance(value, Case) else "")
@pytest.mark.parametrize("cipher", [SealCipher, OracleCipher])
def test_every_object_has_the_bytes_of_the_vectors(case: Case, expected: dict[str, Any], cipher: type[Cipher]) -> None:
    assert golden_digests(case, len(expected.get("rounds", [])), cipher()) == expected


def test_the_vectors_are_about_every_way_to_train() -> None:
    trainings = [case.training for case, _ in CASES]

    assert {training.method for training in trainings} == {"linear-1", "statistics-1"}
    assert {training.details.part for training in trainings} == {"all", "train", "train+held"}
    assert {len(training.datasets) for training in trainings} == {1, 2}
    assert any(training.details.weights for training in trainings)
    assert any(training.details.noise for training in trainings)
    assert any(training.details.noise and training.details.weights for training in trainings)
    assert any(training.details.noise and training.details.held for training in trainings)
    assert any(training.details.weights and len(training.datasets) == 2 for training in trainings)


@pytest.mark.parametrize("name", ["annex 2", "two owners", "weights", "ragged blocks"])
def test_the_sum_is_that_of_plain_integers(name: str, seal: SealCipher) -> None:
    case = named(name)
    owner, zero = case.owner(seal), case.owner(seal).zero()
    sent = base(case, owner, 1)
    answers = {
        member.subset: case.replica(index, seal).answer(case.training, case.group, 1, zero, sent)
        for index, member in enumerate(case.group)
    }

    total = owner.combine(case.group, 1, sent, answers)

    assert (total.y == case.expected(directions(case, 1))).all()
    assert total.trace == sum(int(part.a.trace()) for part in case.statistics)


def test_held_rows_are_answered_for_beside_the_others(seal: SealCipher) -> None:
    case = named("held rows")
    owner = case.owner(seal)
    sent = base(case, owner, 1)
    answers = {
        member.subset: case.replica(index, seal).answer(case.training, case.group, 1, owner.zero(), sent)
        for index, member in enumerate(case.group)
    }

    total = owner.combine(case.group, 1, sent, answers)

    asked = directions(case, 1)
    assert total.held is not None
    assert (total.y == case.expected(asked)).all()
    assert (total.held.y == sum(part.a @ asked - part.b for part in case.held)).all()
    assert total.held.trace == sum(int(part.a.trace()) for part in case.held)


def test_an_answer_alone_is_noise_even_for_the_holder_of_the_key(seal: SealCipher) -> None:
    case = named("annex 2")
    owner = case.owner(seal)
    sent = base(case, owner, 1)
    answers = [
        case.replica(index, seal).answer(case.training, case.group, 1, owner.zero(), sent)
        for index in range(len(case.group))
    ]

    # flat: the words of one answer fill the whole range of the first prime evenly
    words = [int.from_bytes(answers[0][at : at + 8], "little") for at in range(5204, len(answers[0]) - 8, 8)]
    mean = sum(words) / len(words) / 2**60
    assert 0.49 < mean < 0.51
    assert sha256(answers[0]) != sha256(answers[1])


def named(name: str) -> Case:
    return next(case for case, _ in CASES if case.name == name)
