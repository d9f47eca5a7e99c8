"""Amounts as people read and write them: credits with two to six decimals, never a binary fraction."""

import re
from typing import Final

from freehold.errors import Invalid

MICRO: Final = 1_000_000
"""Micro-credits in a credit: the integer in which the ledger counts."""

_WRITTEN: Final = re.compile(r"([0-9]{1,10})(?:\.([0-9]{1,6}))?")


def in_credits(micro: int) -> str:
    """An integer of micro-credits as text: 250000 is `0.25`, 9600000000 is `9,600.00`."""
    sign = "-" if micro < 0 else ""
    whole, rest = divmod(abs(micro), MICRO)
    decimals = f"{rest:06}".rstrip("0").ljust(2, "0")
    return f"{sign}{whole:,}.{decimals}"


def parse_credits(text: str) -> int:
    """Micro-credits from text such as `3` or `0.25`; Invalid for a sign, an exponent or more than six decimals."""
    written = _WRITTEN.fullmatch(text.strip())
    if written is None:
        raise Invalid(
            f"{text[:40]!r} is not an amount of credits",
            code="amount",
            why="an amount is written in digits with at most six decimals, for example 0.25",
            next="write it like 0.25 or 3",
        )
    whole, decimals = written.group(1), written.group(2) or ""
    return int(whole) * MICRO + int(decimals.ljust(6, "0"))
