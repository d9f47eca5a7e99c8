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

from freehold.learning.decimals import MISSING_TEXTS, Decimals, Flags, Integers, read_decimals
from freehold.learning.rows import MOST_ROWS

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
        if chosen.all():
            return self
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
    """Takes in the texts of one column; with `all_texts` it keeps codes however many there are.

    Room for the longest table is set aside at once: memory that is not written to costs nothing, and what was written
    never has to be copied together in the end.
    """

    def __init__(self, *, all_texts: bool = False) -> None:
        self._all_texts = all_texts
        self._rows = 0
        self._halves: Integers | None = np.empty(MOST_ROWS, dtype=np.int64)
        self._missing: Flags = np.empty(MOST_ROWS, dtype=bool)
        self._numeric: Flags = np.empty(MOST_ROWS, dtype=bool)
        self._codes: npt.NDArray[np.int32] = np.empty(MOST_ROWS, dtype=np.int32)
        self._index: dict[str, int] | None = {}
        self._line = 0
        self._odd = ""
        self._padded = False

    def add(self, texts: Sequence[str], read: Decimals, lines: Sequence[int]) -> None:
        """Take in the next texts, what they are as numbers, and the lines where they stand."""
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
        place = slice(self._rows, self._rows + len(texts))
        self._rows = place.stop
        self._missing[place], self._numeric[place] = read.missing, read.numbers
        if self._halves is not None:
            self._halves[place] = read.half_units
        self._add_codes(texts, place)

    def finish(self) -> RawColumn:
        """The whole column."""
        codes = None
        texts: tuple[str, ...] = ()
        if self._index is not None:
            texts = tuple(self._index)
            renumbered = np.cumsum([text not in MISSING_TEXTS for text in texts]) - 1
            renumbered[[index for index, text in enumerate(texts) if text in MISSING_TEXTS]] = -1
            codes = renumbered.astype(np.int32)[self._codes[: self._rows]]
            texts = tuple(text for text in texts if text not in MISSING_TEXTS)
        return RawColumn(
            missing=self._missing[: self._rows],
            numeric=self._numeric[: self._rows],
            half_units=None if self._halves is None else self._halves[: self._rows],
            codes=codes,
            texts=texts,
            odd=self._odd,
            line=self._line,
            padded=self._padded,
        )

    def _add_codes(self, texts: Sequence[str], place: slice) -> None:
        if self._index is None:
            return
        index = self._index
        self._codes[place] = [index.setdefault(text, len(index)) for text in texts]
        if len(index) > MOST_TEXTS and not self._all_texts:
            self._index, self._codes = None, np.empty(0, dtype=np.int32)
