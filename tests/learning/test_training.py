"""The public facts of a training: strict when they are put together, and all of them bound by the context."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from freehold.errors import Invalid
from freehold.learning.training import (
    NO_ZERO,
    Material,
    Participant,
    Statistics,
    context,
    ordered,
    round_label,
    shift,
    shift_of,
)
from freehold.protocol.digests import H
from tests.learning.cases import case

CASE = case("any", rows={1: (40, 44, 52), 9: (30, 30)}, features=7, outputs=2)
TRAINING, GROUP = CASE.training, CASE.group
ZERO = b"\x0c" * 32


def material(part: str = "all", weights: str = "[]", noise: str = "[]") -> bytes:
    return f'{{"noise":{noise},"part":"{part}","weights":{weights}}}'.encode()


CHANGES: dict[str, dict[str, Any]] = {
    "couple": {"couple": b"\x07" * 32},
    "map": {"map": b"another map"},
    "part": {"material": material(part="train")},
    "held part": {"material": material(part="train+held")},
    "weights": {"material": material(weights="[1,2]")},
    "noise": {"material": material(noise="[90,1,1]")},
    "variance": {"material": material(noise="[90,1,2]")},
    "features": {"features": 8},
    "outputs": {"outputs": 3},
    "rows": {"rows": 100 * TRAINING.rows},
}


def test_the_context_binds_every_public_fact() -> None:
    contexts = {context(replace(TRAINING, **change), GROUP, ZERO) for change in CHANGES.values()}
    contexts |= {context(TRAINING, GROUP, ZERO), context(TRAINING, GROUP, b"\x0d" * 32)}
    contexts.add(context(TRAINING, [*GROUP[:2], *GROUP[3:]], ZERO))
    contexts.add(context(replace(TRAINING, method="statistics-1"), GROUP, NO_ZERO))

    assert len(contexts) == len(CHANGES) + 4


def test_the_group_is_one_whatever_order_it_is_told_in() -> None:
    assert context(TRAINING, GROUP[::-1], ZERO) == context(TRAINING, GROUP, ZERO)
    assert ordered(TRAINING, [GROUP[3], GROUP[0], GROUP[4]]) == (GROUP[0], GROUP[3], GROUP[4])


def test_the_round_label_binds_context_round_and_base() -> None:
    label = round_label(ZERO, 1, b"\x0e" * 32)

    assert label == H("round", ZERO, 1, b"\x0e" * 32)
    assert label != round_label(ZERO, 2, b"\x0e" * 32)
    assert label != round_label(ZERO, 1, b"\x0f" * 32)
    with pytest.raises(Invalid):
        round_label(ZERO, 0, b"\x0e" * 32)


@pytest.mark.parametrize(("rows", "expected"), [(1, 0), (65, 0), (66, 1), (136, 2), (426, 3), (300_000, 13)])
def test_the_shift_keeps_the_sum_within_twenty_bits(rows: int, expected: int) -> None:
    assert shift_of(rows) == expected
    assert shift(replace(TRAINING, rows=rows)) == expected
    assert 127**2 * rows <= 2 ** (20 + expected)


def test_the_shift_leaves_room_for_the_noise_of_all_subsets() -> None:
    noisy = replace(TRAINING, rows=136, material=material(noise="[90,1771470000,1]"))

    # 8 · ⌈√(5 · 1771470000)⌉ = 752912
    assert shift(noisy) == shift_of(136, 752_912) == 2
    assert shift(replace(noisy, subsets=64)) == shift_of(136, 8 * 336_709) == 3


@pytest.mark.parametrize(
    "group",
    [
        GROUP[:1],
        [*GROUP, GROUP[0]],
        GROUP[:3],
        [*GROUP[:4], replace(GROUP[4], subset=GROUP[0].subset)],
        [*GROUP[:4], replace(GROUP[4], index=0)],
        [*GROUP, replace(GROUP[4], dataset=b"\x08" * 32)],
        [],
    ],
    ids=["one subset", "a subset twice", "a dataset missing", "an id twice", "a place twice", "a stranger", "nobody"],
)
def test_what_cannot_be_a_group_is_refused(group: list[Participant]) -> None:
    with pytest.raises(Invalid):
        context(TRAINING, group, ZERO)


def test_no_group_is_larger_than_the_cipher_can_add() -> None:
    one = replace(TRAINING, datasets=(b"\x01" * 32,), subsets=64)
    many = [
        Participant(dataset=b"\x01" * 32, index=index, subset=bytes([index]) * 32, mask_key=b"\x09" * 32)
        for index in range(64)
    ]
    stranger = replace(many[0], dataset=b"\x02" * 32, subset=b"\xff" * 32)

    assert len(ordered(one, many)) == 64
    with pytest.raises(Invalid, match="2 to 64 subsets, not 65"):
        ordered(replace(one, datasets=(b"\x01" * 32, b"\x02" * 32)), [*many, stranger])


@pytest.mark.parametrize(
    "change",
    [
        {"couple": b"\x07" * 31},
        {"draw_seed": b""},
        {"sealing_key": b"\x07" * 33},
        {"couple": "07" * 16},
        {"datasets": ()},
        {"datasets": (b"\x09" * 32, b"\x01" * 32)},
        {"datasets": (b"\x01" * 32, b"\x01" * 32)},
        {"datasets": tuple(bytes([index]) * 32 for index in range(9))},
        {"method": "linear-2"},
        {"method": ""},
        {"rows": 0},
        {"subsets": 1},
        {"features": 0},
        {"features": 1026},
        {"outputs": 0},
        {"outputs": 101},
        {"method": "statistics-1", "material": material(part="train+held")},
    ],
    ids=str,
)
def test_facts_that_cannot_be_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        replace(TRAINING, **change)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        material() + b" ",
        b'{"noise":[],"part":"all"}',
        b'{"noise":[],"part":"all","weights":[],"x":1}',
        b'{"part":"all","noise":[],"weights":[]}',
        material(part="held"),
        material(part="ALL"),
        material(weights="[1]"),
        material(weights="[1,2,3]"),
        material(weights="[0,1]"),
        material(weights="[256,1]"),
        material(weights='["1","2"]'),
        material(weights="1"),
        material(weights="[[1],[1]]"),
        material(noise="[90]"),
        material(noise="[90,0,1]"),
        material(noise="[90,1,1,1]"),
        material(noise="[90,1,9007199254740992]"),
        material(noise="[90,1,1.5]"),
        material(noise="[" + "9," * 5000 + "9]"),
        b"\xff" * 40,
    ],
    ids=lambda data: repr(data[:60]),
)
def test_material_has_one_spelling(data: bytes) -> None:
    with pytest.raises(Invalid):
        replace(TRAINING, material=data)


def test_material_says_what_it_means() -> None:
    details = Material.parse(material("train+held", "[1,255]", "[90,5,6]"), 2)

    assert details == Material(part="train+held", weights=(1, 255), noise=(90, 5, 6))
    assert details.held
    assert not Material.parse(material(), 2).held


@pytest.mark.parametrize(
    "change",
    [{"index": -1}, {"index": 64}, {"dataset": b""}, {"subset": b"\x01" * 31}, {"mask_key": b"\x01" * 33}],
    ids=str,
)
def test_a_participant_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        replace(GROUP[0], **change)


def test_statistics_that_no_rows_can_have_are_refused() -> None:
    a, b = np.eye(3, dtype=np.int64), np.ones((3, 2), np.int64)
    Statistics(a=a * (2**20 + 1), b=b * -(2**20 + 1))

    for bad_a, bad_b in (
        (a[:2], b),
        (a, b[:2]),
        (np.triu(np.ones((3, 3), np.int64)), b),
        (a * (2**20 + 2), b),
        (a, b * -(2**20 + 2)),
        (a, b[:, :0]),
    ):
        with pytest.raises(Invalid):
            Statistics(a=bad_a, b=bad_b)


def test_a_zero_object_belongs_to_the_method_with_a_cipher_and_to_no_other() -> None:
    with pytest.raises(Invalid):
        context(TRAINING, GROUP, NO_ZERO)
    with pytest.raises(Invalid):
        context(replace(TRAINING, method="statistics-1"), GROUP, ZERO)


def test_a_number_to_predict_has_no_classes_to_weight() -> None:
    one = replace(TRAINING, outputs=1)

    assert one.details.weights == ()
    with pytest.raises(Invalid, match="weights belong to classes"):
        replace(one, material=material(weights="[5]"))
