"""Copied keys: two subsets under one mask key make a third one's masks meet themselves with the other sign.

A data owner publishes a dataset of its own whose mask keys are copies of another hospital's, and a model owner trains
on both. It cannot compute a single mask. But the hospital's last subset subtracts the masks that it shares with the
subsets before it, and adds the same masks for their copies, which stand behind it: nothing is left of them, and its
answer decrypts alone. A copy need not have equal bytes: added to a point of order two it is another number, of which
X25519 makes the same secret. So what keys share is compared, not how they are spelled.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from freehold.errors import Invalid
from freehold.learning.ciphers.seal import SealCipher
from freehold.learning.masks import MaskKeys, PairKey, require_apart
from freehold.learning.parameters import switched_noise
from freehold.learning.streams import key_of
from freehold.protocol import packages
from freehold.protocol.identifiers import DatasetId
from tests.adversaries.attack import Attack
from tests.learning.careless import CloudOwner, key
from tests.learning.cases import Case, case, directions
from tests.learning.honest import Round

COPIES_KEYS = Attack(
    by="data owner",
    does="publishes copies of another's mask keys, so that a third subset's masks vanish",
    stopped_by="S-18: everybody compares the secrets that the keys of a training make, before anything is asked",
)
HONEST = case("copied", rows={1: (40, 44, 52), 9: (36, 36)}, features=31, outputs=2)
VICTIM = 2
FIELD = 2**255 - 19


def respelled(mask_key: bytes) -> bytes:
    """The key plus the point of order two: on this curve, one divided by the number."""
    return pow(int.from_bytes(mask_key, "little"), -1, FIELD).to_bytes(32, "little")


def with_copies() -> Case:
    """The second hospital's keys are the first's: one byte for byte, one spelled otherwise."""
    first, second, third, *own = HONEST.group
    copies = (replace(own[0], mask_key=first.mask_key), replace(own[1], mask_key=respelled(second.mask_key)))
    return replace(HONEST, group=(first, second, third, *copies))


def pairs_without_a_look(case: Case, label: bytes) -> list[PairKey]:
    """The victim's pairs as the annex gives them, whatever the keys are."""
    me = case.group[VICTIM]
    private = packages.mask_private(case.secrets[VICTIM], DatasetId(me.dataset.hex()), me.index)
    return [
        PairKey(key=key_of("mask", packages.pair_secret(private, other.mask_key), label), adds=me.place < other.place)
        for other in case.group
        if other != me
    ]


def attack(case: Case, cipher: SealCipher) -> tuple[bool, int]:
    """Whether the model owner reads the victim's own product off its one answer, and the noise in it."""
    round = Round(case, cipher)
    owner = CloudOwner(case, VICTIM, round.label, cipher, pairs_without_a_look(case, round.label))
    answer = owner.hidden(owner.product(round.zero, round.inputs), owner.places)
    values, noise = key(cipher).decrypt(answer, owner.places)
    true = case.statistics[VICTIM].a @ directions(case, 1) - case.statistics[VICTIM].b
    return np.array_equal(values.reshape(2, 31).T, true), int(np.abs(noise).max())


@COPIES_KEYS.without
def test_copied_keys_take_the_masks_off_a_single_subset(seal: SealCipher) -> None:
    read, noise = attack(with_copies(), seal)

    assert read
    assert noise <= switched_noise(1)


def test_with_keys_of_their_own_one_answer_is_noise(seal: SealCipher) -> None:
    read, noise = attack(HONEST, seal)

    assert not read
    assert noise > switched_noise(64)


@COPIES_KEYS.against
def test_no_holder_answers_where_two_subsets_have_one_key(seal: SealCipher) -> None:
    copied = with_copies()
    round = Round(copied, seal)

    with pytest.raises(Invalid, match="one mask key") as refused:
        copied.replica(VICTIM, seal).answer(copied.training, copied.group, 1, round.zero_bytes, round.sent)

    assert "do not train on these datasets together" in refused.value.next


@COPIES_KEYS.against
def test_whoever_knows_the_public_keys_alone_sees_the_copies_however_they_are_spelled() -> None:
    keys = [member.mask_key for member in HONEST.group]
    require_apart(keys)

    for copy in (keys[0], respelled(keys[0])):
        with pytest.raises(Invalid, match="one mask key"):
            require_apart([*keys[:-1], copy])


@COPIES_KEYS.unharmed
def test_the_hospital_whose_keys_were_copied_trains_alone_and_its_sum_is_exact(seal: SealCipher) -> None:
    alone = case("copied", rows={1: (40, 44, 52)}, features=31, outputs=2)
    assert [member.mask_key for member in alone.group] == [member.mask_key for member in HONEST.group[:3]]
    round = Round(alone, seal)

    answers = {
        member.subset: alone.replica(index, seal).answer(alone.training, alone.group, 1, round.zero_bytes, round.sent)
        for index, member in enumerate(alone.group)
    }

    total = alone.owner(seal).combine(alone.group, 1, round.sent, answers)
    assert np.array_equal(total.y, alone.expected(directions(alone, 1)))


def test_a_key_spelled_otherwise_is_one_that_the_ledger_takes_and_the_same_secret() -> None:
    mask_key = HONEST.group[0].mask_key
    other = respelled(mask_key)

    assert packages.is_good_mask_key(other.hex())
    assert other != mask_key
    assert packages.pair_secret(b"\x07" * 32, other) == packages.pair_secret(b"\x07" * 32, mask_key)
    assert len(MaskKeys(HONEST.secrets[1], HONEST.group[1]).pairs(HONEST.group, bytes(32))) == 4
