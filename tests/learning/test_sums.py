"""Training without a cipher: whole sums, which only the model owner can read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from freehold.errors import Invalid
from freehold.learning.streams import key_of
from freehold.learning.sums import SumsOwner, envelope, flat
from freehold.learning.training import NO_ZERO, context, round_label
from freehold.ports.cipher import Words
from freehold.protocol import sealing
from freehold.protocol.digests import sha256
from tests.learning.cases import SEALING_SECRET, Case, case

CASE = case("sums", rows={1: (40, 44), 9: (52, 36)}, features=7, outputs=2, method="statistics-1")


def answers(case: Case = CASE, round: int = 1) -> dict[bytes, bytes]:
    sent = case.sums_owner().base(case.group)
    return {
        member.subset: case.replica(index).answer(case.training, case.group, round, b"", sent)
        for index, member in enumerate(case.group)
    }


def test_the_model_owner_gets_the_sums_over_both_hospitals_exactly() -> None:
    owner = CASE.sums_owner()

    total = owner.combine(CASE.group, 1, owner.base(CASE.group), answers())

    assert (total.a == sum(part.a for part in CASE.statistics)).all()
    assert (total.b == sum(part.b for part in CASE.statistics)).all()


def test_negative_sums_come_back_as_they_were() -> None:
    parts = tuple(replace(part, a=-part.a, b=-part.b) for part in CASE.statistics)
    case = replace(CASE, statistics=parts)
    owner = case.sums_owner()

    total = owner.combine(case.group, 1, owner.base(case.group), answers(case))

    assert (total.a == sum(part.a for part in parts)).all()
    assert (total.b == sum(part.b for part in parts)).all()


def test_a_stranger_who_adds_all_objects_up_reads_nothing() -> None:
    words = [np.frombuffer(answer, "<u8", offset=76) for answer in answers().values()]

    added = np.sum(words, axis=0, dtype=np.uint64)
    true = np.sum([flat(part) for part in CASE.statistics], axis=0, dtype=np.uint64)

    assert not (added == true).any()


def test_one_object_without_the_others_reads_nothing_even_for_the_model_owner() -> None:
    owner, sent = CASE.sums_owner(), CASE.sums_owner().base(CASE.group)
    given = answers()
    alone = {subset: given[subset] if index == 0 else blank(given[subset]) for index, subset in enumerate(given)}

    with pytest.raises(Invalid, match="larger than statistics can be"):
        owner.combine(CASE.group, 1, sent, alone)
    # nor with a tool that adds up what it gets: the envelope comes off, the masks stay
    stripped = [np.frombuffer(answer, "<u8", offset=76) - envelope_of(answer, sent) for answer in given.values()]
    true = [flat(part) for part in CASE.statistics]
    assert (sum(stripped[1:], stripped[0]) == sum(true[1:], true[0])).all()
    assert not any((words == part).any() for words, part in zip(stripped, true, strict=True))


def test_an_object_of_another_round_under_this_rounds_name_is_found_out() -> None:
    owner, sent = CASE.sums_owner(), CASE.sums_owner().base(CASE.group)
    given, later = answers(), answers(round=2)
    first = CASE.group[0].subset

    with pytest.raises(Invalid, match="larger than statistics can be") as stopped:
        owner.combine(CASE.group, 1, sent, {**given, first: given[first][:76] + later[first][76:]})

    assert "end the training" in stopped.value.next


def test_more_rows_than_floating_point_adds_exactly_are_answered_by_nobody() -> None:
    for rows, refused in ((2**53 // 127**2, False), (2**53 // 127**2 + 1, True)):
        training = replace(CASE.training, rows=rows)
        base = SumsOwner(training, SEALING_SECRET).base(CASE.group)
        if refused:
            with pytest.raises(Invalid, match="too many"):
                CASE.replica(0).answer(training, CASE.group, 1, b"", base)
        else:
            assert CASE.replica(0).answer(training, CASE.group, 1, b"", base)


def test_two_replicas_send_equal_bytes_and_another_round_others() -> None:
    assert answers() == answers()
    assert not set(answers().values()) & set(answers(round=2).values())


def test_the_base_is_that_of_the_annex_and_any_other_is_refused() -> None:
    sent = CASE.sums_owner().base(CASE.group)
    assert len(sent) == 76

    replica = CASE.replica(0)
    for other in (b"", sent + b"\0", sent[:8] + bytes(32) + sent[40:], sent[:72] + b"\1\0\0\0", b"X" + sent[1:]):
        with pytest.raises(Invalid):
            replica.answer(CASE.training, CASE.group, 1, b"", other)


def test_the_owner_takes_one_good_object_of_every_subset_or_none() -> None:
    owner, sent = CASE.sums_owner(), CASE.sums_owner().base(CASE.group)
    given = answers()
    first, second, *_ = given

    for wrong in (
        {},
        {first: given[first]},
        {**given, first: given[second]},
        {**given, first: given[first][:-1]},
        {**given, bytes(32): given[first]},
    ):
        with pytest.raises(Invalid):
            owner.combine(CASE.group, 1, sent, wrong)
    with pytest.raises(Invalid):
        owner.combine(CASE.group, 2, sent, given)


def test_the_owner_needs_the_key_that_the_training_names() -> None:
    with pytest.raises(Invalid, match="does not belong"):
        SumsOwner(CASE.training, sealing.new_sealing_key())
    with pytest.raises(Invalid, match="whole statistics"):
        SumsOwner(replace(CASE.training, method="linear-1"), SEALING_SECRET)


def envelope_of(answer: bytes, sent: bytes) -> Words:
    """What the model owner takes off an object of the first round."""
    label = round_label(context(CASE.training, CASE.group, NO_ZERO), 1, sha256(sent))
    sender = next(member for member in CASE.group if member.subset == answer[40:72])
    key = key_of("envelope", sealing.x25519(SEALING_SECRET, sender.mask_key), label)
    return envelope(key, (len(answer) - 76) // 8)


def blank(answer: bytes) -> bytes:
    return answer[:76] + bytes(len(answer) - 76)
