"""The four kinds of trouble."""

from __future__ import annotations

import pytest

from freehold.errors import Broken, FreeholdError, Invalid, Refused, Unavailable


def test_every_kind_of_trouble_is_one_family_and_none_is_another() -> None:
    kinds = (Refused, Invalid, Unavailable, Broken)

    for kind in kinds:
        assert issubclass(kind, FreeholdError)
        assert not [other for other in kinds if other is not kind and issubclass(kind, other)]


def test_trouble_carries_its_five_parts_and_reads_as_what_happened() -> None:
    trouble = Invalid(
        "the card is not JSON", code="card", why="it begins with a comma", next="mend it", now="nothing was sent"
    )

    assert str(trouble) == trouble.what == "the card is not JSON"
    assert (trouble.code, trouble.why, trouble.next, trouble.now) == (
        "card",
        "it begins with a comma",
        "mend it",
        "nothing was sent",
    )


def test_a_refusal_without_words_still_says_its_code() -> None:
    assert str(Refused("no-funds")) == "no-funds"
    assert str(Refused("no-funds", "escrow 54.00, your account 41.50")) == "escrow 54.00, your account 41.50"
    assert Refused("no-funds", "x").code == "no-funds"


@pytest.mark.parametrize("after", [None, 2.5])
def test_the_outside_world_is_tried_again_unless_it_says_otherwise(after: float | None) -> None:
    assert Unavailable("no answer", retry_after=after).retry
    assert Unavailable("no answer", retry_after=after).retry_after == after
    assert not Unavailable("gone for good", retry=False).retry
