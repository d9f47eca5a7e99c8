"""The model owner's side: what it may ask, and what it believes of what comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from freehold.errors import Invalid
from freehold.learning.ciphers.seal import SealCipher
from freehold.learning.owner import Owner
from freehold.learning.parameters import LARGEST_DIRECTION
from freehold.learning.streams import Stream
from tests.learning.cases import KEY_SEED, base, case, directions

CASE = case("annex 1", rows={1: (40, 44, 52)}, features=7, outputs=2)


@cache
def round_two() -> tuple[Owner, bytes, dict[bytes, bytes]]:
    cipher = SealCipher()
    owner = CASE.owner(cipher)
    sent = base(CASE, owner, 2)
    answers = {
        member.subset: CASE.replica(index, cipher).answer(CASE.training, CASE.group, 2, owner.zero(), sent)
        for index, member in enumerate(CASE.group)
    }
    return owner, sent, answers


def fresh(index: int) -> bytes:
    return bytes([100 + index]) * 32


def test_the_sum_is_exact_and_the_same_every_time() -> None:
    owner, sent, answers = round_two()

    first = owner.combine(CASE.group, 2, sent, answers)
    second = CASE.owner().combine(CASE.group[::-1], 2, sent, dict(reversed(answers.items())))

    assert (first.y == CASE.expected(directions(CASE, 2))).all()
    assert (second.y == first.y).all()
    assert first.held is None


def test_the_largest_directions_and_statistics_do_not_wrap(seal: SealCipher) -> None:
    limit = np.full((7, 7), 2**20 // 3, np.int64)
    parts = tuple(replace(part, a=limit, b=np.full((7, 2), -(2**20) // 3, np.int64)) for part in CASE.statistics)
    extreme = replace(CASE, statistics=parts)
    asked = np.zeros((7, 2), np.int64)
    asked[0, 0], asked[:, 1] = LARGEST_DIRECTION, -(LARGEST_DIRECTION // 7)
    owner = extreme.owner(seal)
    sent = owner.base(extreme.group, asked, fresh, b"\x09" * 32)
    answers = {
        member.subset: extreme.replica(index, seal).answer(extreme.training, extreme.group, 1, owner.zero(), sent)
        for index, member in enumerate(extreme.group)
    }

    assert (owner.combine(extreme.group, 1, sent, answers).y == extreme.expected(asked)).all()


@pytest.mark.parametrize("column", [[LARGEST_DIRECTION, 1, 0, 0, 0, 0, 0], [-(2**17)] * 7])
def test_a_direction_that_could_wrap_the_sum_is_refused(column: list[int]) -> None:
    asked = np.zeros((7, 2), np.int64)
    asked[:, 1] = column

    with pytest.raises(Invalid, match="larger than"):
        round_two()[0].base(CASE.group, asked, fresh, b"\x09" * 32)


def test_directions_of_another_shape_or_kind_are_refused() -> None:
    owner = round_two()[0]
    wrong: list[Any] = [
        np.zeros((7, 3), np.int64),
        np.zeros(14, np.int64),
        np.zeros((7, 2)),
        np.zeros((7, 2), np.int32),
    ]

    for asked in wrong:
        with pytest.raises(Invalid, match="do not fit"):
            owner.base(CASE.group, asked, fresh, b"\x09" * 32)


def test_a_seed_is_never_used_twice_in_one_object() -> None:
    wide = case("wide", rows={1: (40, 44)}, features=64, outputs=10)
    owner, asked = wide.owner(), np.zeros((64, 10), np.int64)

    for public, secret in (
        (lambda index: b"\x01" * 32, b"\x09" * 32),
        (fresh, fresh(0)),
        (lambda index: bytes(31), b"\x09" * 32),
        (fresh, b""),
    ):
        with pytest.raises(Invalid, match="each used once"):
            owner.base(wide.group, asked, public, secret)
    with pytest.raises(Invalid, match="each used once"):
        Owner(CASE.training, b"\x01" * 16)


def test_two_inputs_of_one_message_have_no_word_in_common() -> None:
    owner, asked = round_two()[0], directions(CASE, 2)

    first = np.frombuffer(owner.base(CASE.group, asked, fresh, b"\x09" * 32), "<u8", offset=108)
    second = np.frombuffer(owner.base(CASE.group, asked, lambda index: b"\x05" * 32, b"\x09" * 32), "<u8", offset=108)

    assert (first == second).mean() < 0.001


def test_the_errors_of_an_input_are_not_known_from_its_public_seed(seal: SealCipher) -> None:
    owner, asked = Owner(CASE.training, KEY_SEED, cipher=seal), directions(CASE, 2)

    first = owner.base(CASE.group, asked, fresh, b"\x09" * 32)
    second = owner.base(CASE.group, asked, fresh, b"\x0a" * 32)

    assert first[:108] == second[:108]
    assert first[108:] != second[108:]


Change = Callable[[dict[bytes, bytes]], dict[bytes, bytes]]
FIRST, SECOND, THIRD = (member.subset for member in CASE.group)
WRONG: dict[str, tuple[str, Change]] = {
    "an answer missing": ("2 answers for 3", lambda a: {FIRST: a[FIRST], SECOND: a[SECOND]}),
    "an answer too many": ("4 answers for 3", lambda a: {**a, b"\x01" * 32: a[FIRST]}),
    "a stranger's answer": ("3 answers for 3", lambda a: {FIRST: a[FIRST], SECOND: a[SECOND], bytes(32): a[THIRD]}),
    "no answers": ("0 answers for 3", lambda a: {}),
    "answers exchanged": ("another subset", lambda a: {**a, FIRST: a[SECOND], SECOND: a[FIRST]}),
    "a short answer": ("bytes instead of", lambda a: {**a, FIRST: a[FIRST][:-1]}),
    "a large word": ("not below", lambda a: {**a, FIRST: a[FIRST][:-16] + b"\xff" * 8 + a[FIRST][-8:]}),
    "another round's answer": ("another round", lambda a: {**a, FIRST: a[FIRST][:8] + bytes(32) + a[FIRST][40:]}),
}


@pytest.mark.parametrize(("reason", "change"), WRONG.values(), ids=WRONG)
def test_anything_but_one_good_answer_of_every_subset_is_refused(reason: str, change: Change) -> None:
    owner, sent, answers = round_two()

    with pytest.raises(Invalid, match=reason):
        owner.combine(CASE.group, 2, sent, change(dict(answers)))


def test_answers_to_another_base_or_round_are_refused() -> None:
    owner, sent, answers = round_two()

    with pytest.raises(Invalid, match="another round"):
        owner.combine(CASE.group, 3, sent, answers)
    with pytest.raises(Invalid, match="another round"):
        owner.combine(CASE.group, 2, sent + b"\0", answers)


def test_nothing_is_combined_in_a_round_in_which_the_noise_would_hide_nobody_any_more() -> None:
    owner, sent, answers = round_two()

    with pytest.raises(Invalid, match="would not hide"):
        owner.combine(CASE.group, 10**12, sent, answers)


def test_a_well_formed_answer_that_is_no_result_is_found_out_by_its_noise() -> None:
    owner, sent, answers = round_two()
    forged = dict(answers)
    for at, words in ((84, 14), (84 + 8 * 14, 8192)):
        noise = Stream(b"\x0d" * 32, words).uniform(2**59, words).tobytes()
        forged[SECOND] = forged[SECOND][: at - 8] + noise + forged[SECOND][at - 8 + len(noise) :]

        with pytest.raises(Invalid, match="decrypts to noise"):
            owner.combine(CASE.group, 2, sent, forged)


def test_a_trace_that_no_statistics_have_is_found_out() -> None:
    owner, sent, answers = round_two()
    for trace in (0, 2**63):
        forged = {**answers, SECOND: answers[SECOND][:-8] + trace.to_bytes(8, "little")}

        with pytest.raises(Invalid, match="more than statistics can"):
            owner.combine(CASE.group, 2, sent, forged)


def test_answers_that_cancel_each_other_are_refused() -> None:
    owner, sent, answers = round_two()
    empty = {subset: answer[:76] + bytes(len(answer) - 76) for subset, answer in answers.items()}

    with pytest.raises(Invalid, match="add up to nothing"):
        owner.combine(CASE.group, 2, sent, empty)


def test_a_method_without_a_cipher_has_no_owner_of_keys() -> None:
    with pytest.raises(Invalid, match="no encrypted rounds"):
        Owner(replace(CASE.training, method="statistics-1"), KEY_SEED)
