"""Texts that a person takes for numbers and the grammar of `decimals` does not: `1,5`, `12,480`, `.5`, `$3`, `40 %`.

Read as categories they would train a wrong model and nobody would see it; read as numbers, `1,234` would be one thing
in Boston and another in Berlin. So a column of them is refused, and its owner says what it is.
"""

from __future__ import annotations

import re
from typing import Final

from freehold.errors import Invalid
from freehold.learning.column_reader import RawColumn
from freehold.learning.decimals import is_number

FEW_TEXTS: Final = 20
"""Up to so many different texts a column may mix numbers and words, as in `1`, `2`, `3 or more`."""

_GROUPED: Final = r"[0-9]{1,3}(?:[ ,.'\u2019\u00a0\u202f][0-9]{3})+(?:[.,][0-9]+)?"
_FRACTION: Final = r"[0-9]+(?:[.,][0-9]*)?(?:[eE][+-]?[0-9]+)?|[.,][0-9]+(?:[eE][+-]?[0-9]+)?"
_LOOKALIKE: Final = re.compile(rf"[$€£]? ?[+\-\u2212]?[$€£]? ?(?:{_GROUPED}|{_FRACTION}) ?[%$€£]?")


def require_no_lookalikes(name: str, raw: RawColumn, otherwise: str) -> None:
    """Check that the column `name`, which is to be one of texts, is not one of numbers; Invalid with the cure.

    `otherwise` is the option with which the owner says that they are texts nevertheless. Where many texts stand between
    the numbers, as in a column of codes, nobody would take it for numbers.
    """
    if not raw.others:
        return
    texts = raw.texts if raw.codes is not None else (raw.odd,)
    odd = [text for text in texts if not is_number(text)]
    if all(_LOOKALIKE.fullmatch(text) for text in odd):
        raise Invalid(
            f"the column {name!r} holds {raw.odd[:40]!r} in line {raw.line}, which is no plain number",
            why="nothing is guessed: a comma is a decimal point to some and parts thousands to others",
            next=f"write numbers with a decimal point and nothing else, as in 1234.5; or {otherwise}, if it is none",
        )
    if raw.codes is None:
        few = raw.numbers > raw.others
    else:
        few = len(odd) <= FEW_TEXTS < len(texts) and len(texts) > 2 * len(odd)
    if few:
        raise Invalid(
            f"the column {name!r} holds {raw.odd[:40]!r} in line {raw.line}, which is not a number",
            why=f"{raw.numbers} of its cells are numbers and {raw.others} are not",
            next=f"correct these cells, or leave them empty: an empty cell is a missing value; or {otherwise}",
        )
