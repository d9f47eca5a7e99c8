"""The 24 words on a person's sheet: read back exactly, and with a hint where they were copied wrongly."""

from __future__ import annotations

import pytest

from freehold.agents.keys import new_words, recovery_secret
from freehold.errors import Invalid

SECRET = bytes(range(32))
WORDS = new_words(lambda size: SECRET[:size])


@pytest.mark.parametrize(
    "text", [WORDS, WORDS.upper(), f"  {WORDS}\n".replace(" ", "\n")], ids=["same", "loud", "list"]
)
def test_the_words_give_back_what_they_were_made_of(text: str) -> None:
    assert len(WORDS.split()) == 24
    assert recovery_secret(text) == SECRET


def test_words_that_were_copied_wrongly_are_refused_with_their_places() -> None:
    words = WORDS.split()
    strange = [*words[:2], "hospital’s", *words[3:22], "xyzzy", words[23]]
    swapped = [words[1], words[0], *words[2:]]
    for spelled, what in (
        (words[:23], "24 words, these are 23"),
        (words[:12], "24 words, these are 12"),
        ([*words, words[0]], "24 words, these are 25"),
        (strange, "number 3, 23"),
        (swapped, "do not belong together"),
    ):
        with pytest.raises(Invalid, match=what):
            recovery_secret(" ".join(spelled))
