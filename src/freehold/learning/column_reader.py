"""One column of texts, taken in chunk by chunk: numbers as half-units, few different texts as codes, both while it can.

What a column is becomes clear only at its last row. So both readings are kept as long as they hold: the numbers until
a text is none, the codes until there are too many different texts. A column that is neither in the end, thousands of
different texts, would not have been used anyway: each of its values singles out a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from freehold.learning.decimals import MISSING_TEXTS, Flags, Integers, read_decimals

MOST_TEXTS: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class RawColumn:
    """A column as it was read: which rows are missing, which are numbers, and what the rows are."""

    missing: Flags
    numeric: Flags
    half_units: Integers | None
    """Per row, if every present text is a number."""
    codes: npt.NDArray[np.int32] | None
    """Per row the index into `texts`, −1 where missing; None if there are too many different texts."""
    texts: tuple[str, ...]
    odd: str
    """The first text that is no number, and `line`, where it stands."""
    line: int
    padded: bool
    """Whether a number is written with leading zeros, as codes are."""

    @property
    def present(self) -> int:
        """Rows that are not missing."""
        return len(self.missing) - int(self.missing.sum())

    @property
    def numbers(self) -> int:
        """Rows that are numbers."""
        return int(self.numeric.sum())

    @property
    def others(self) -> int:
        """Rows that are neither missing nor numbers."""
        return self.present - self.numbers

    def take(self, chosen: Flags) -> RawColumn:
        """The column in the chosen rows alone; texts that none of them has are gone."""
        codes: npt.NDArray[np.int32] | None = None
        texts = self.texts
        if self.codes is not None:
            used, places = np.unique(self.codes[chosen], return_inverse=True)
            # the code of a missing row sorts first, and stays −1
            codes = (places - int(len(used) > 0 and used[0] < 0)).astype(np.int32)
            texts = tuple(texts[code] for code in used.tolist() if code >= 0)
        return replace(
            self,
            missing=self.missing[chosen],
            numeric=self.numeric[chosen],
            half_units=None if self.half_units is None else self.half_units[chosen],
            codes=codes,
            texts=texts,
        )


class ColumnReader:
    """Takes in the texts of one column; with `all_texts` it keeps codes however many there are."""

    def __init__(self, *, all_texts: bool = False) -> None:
        self._all_texts = all_texts
        self._halves: list[Integers] | None = []
        self._missing: list[Flags] = []
        self._index: dict[str, int] | None = {}
        self._codes: list[npt.NDArray[np.int32]] = []
        self._numeric: list[Flags] = []
        self._line = 0
        self._odd = ""
        self._padded = False

    def add(self, texts: Sequence[str], lines: Sequence[int]) -> None:
        """Take in the next texts and the lines where they stand."""
        read = read_decimals(texts)
        odd = ~(read.numbers | read.missing)
        if odd.any():
            # spaces around a cell do not count; most columns never have any
            texts = [text.strip() for text in texts]
            read = read_decimals(texts)
            odd = ~(read.numbers | read.missing)
        if odd.any():
            if not self._line:
                first = int(np.argmax(odd))
                self._odd, self._line = texts[first], lines[first]
            self._halves = None
        self._padded = self._padded or bool(read.padded.any())
        self._missing.append(read.missing)
        self._numeric.append(read.numbers)
        if self._halves is not None:
            self._halves.append(read.half_units)
        self._add_codes(texts)

    def finish(self) -> RawColumn:
        """The whole column."""
        codes = None
        texts: tuple[str, ...] = ()
        if self._index is not None:
            texts = tuple(self._index)
            renumbered = np.cumsum([text not in MISSING_TEXTS for text in texts]) - 1
            renumbered[[index for index, text in enumerate(texts) if text in MISSING_TEXTS]] = -1
            codes = renumbered.astype(np.int32)[np.concatenate(self._codes)]
            texts = tuple(text for text in texts if text not in MISSING_TEXTS)
        return RawColumn(
            missing=np.concatenate(self._missing),
            numeric=np.concatenate(self._numeric),
            half_units=None if self._halves is None else np.concatenate(self._halves),
            codes=codes,
            texts=texts,
            odd=self._odd,
            line=self._line,
            padded=self._padded,
        )

    def _add_codes(self, texts: Sequence[str]) -> None:
        if self._index is None:
            return
        index = self._index
        self._codes.append(np.array([index.setdefault(text, len(index)) for text in texts], dtype=np.int32))
        if len(index) > MOST_TEXTS and not self._all_texts:
            self._index, self._codes = None, []
