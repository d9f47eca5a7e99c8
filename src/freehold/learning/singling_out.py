"""Which columns are left out of a table unless their owner keeps them: those whose values point at single rows.

A record number, a postcode with a few people in it, a date of birth or a free text does not help a linear model, but
it can help somebody who knows one value to find a person's row. The rules look at the values and, for a short list of
words, at the name; each is stated in the notice that the data owner reads.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from freehold.learning.card import MOST_CATEGORIES
from freehold.learning.card_text import LONGEST_CATEGORY
from freehold.learning.column_reader import MOST_TEXTS, RawColumn
from freehold.learning.decimals import Integers, digits_used

FEWEST_ROWS: Final = 5
"""A category that fewer rows have is not listed in the card; a column of such categories is left out."""
_DISTINCT_SHARE: Final = 0.95
_ENOUGH_TO_JUDGE: Final = 40
_TELLING: Final = frozenset(
    [
        "id",
        "uuid",
        "guid",
        "ssn",
        "name",
        "surname",
        "forename",
        "firstname",
        "lastname",
        "fullname",
        "postcode",
        "postal",
        "zip",
        "zipcode",
        "plz",
        "phone",
        "telephone",
        "email",
        "mail",
        "address",
        "street",
        "iban",
        "passport",
        "birthdate",
        "birthday",
        "dob",
        "mrn",
        "nhs",
    ]
)


def telling_name(name: str) -> str:
    """The word in a column's name that says it identifies people, or nothing."""
    words = re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower()
    return next((word for word in re.split(r"[^a-z]+", words) if word in _TELLING), "")


def numbers_single_out(halves: Integers) -> str:
    """Why a column of present numbers would single out rows, or nothing: whole numbers, nearly all different."""
    count = len(halves)
    if count < _ENOUGH_TO_JUDGE or digits_used(halves) > 0:
        return ""
    distinct = len(np.unique(halves))
    if distinct < _DISTINCT_SHARE * count:
        return ""
    return f"{distinct} different whole numbers in {count} rows would single out rows"


def texts_single_out(column: RawColumn) -> str:
    """Why a column of texts would single out rows, or nothing: too many values, too few rows to each, or long texts."""
    if column.codes is None:
        return f"more than {MOST_TEXTS} values would single out rows"
    if max((len(text) for text in column.texts), default=0) > LONGEST_CATEGORY:
        return "it holds free text"
    distinct = len(column.texts)
    if distinct > MOST_CATEGORIES or FEWEST_ROWS * distinct > column.present:
        return f"{distinct} values would single out rows"
    return ""
