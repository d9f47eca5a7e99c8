"""The rows of a subset as integers, and the bytes in which they travel in a package (TRAINING-ANNEX §6).

u32 rows ‖ u32 columns ‖ per row: columns × i32 ‖ target i32 ‖ one byte held (0 or 1), all little-endian. A number is
its fixed-point integer, a category 1 … v (0: missing or unlisted), an embedded value −127 … 127; the target is a
class 0 … M − 1 or a fixed-point number. Another length, byte or value is refused: every replica of a subset must
either read the same integers or read nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from freehold.errors import Invalid
from freehold.learning.decimals import LARGEST_FIXED

MOST_ROWS: Final = 300_000
MOST_COLUMNS: Final = 1_000
_HEADER: Final = struct.Struct("<II")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows in package order: values int32 (rows × columns), targets int32 (rows), held bool (rows)."""

    values: npt.NDArray[np.int32]
    targets: npt.NDArray[np.int32]
    held: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def columns(self) -> int:
        """Number of columns beside the target."""
        return int(self.values.shape[1])

    def take(self, chosen: npt.NDArray[np.int64] | slice) -> Rows:
        """The chosen rows, in the order of `chosen`."""
        return Rows(values=self.values[chosen], targets=self.targets[chosen], held=self.held[chosen])

    def encode(self) -> bytes:
        """The bytes of a package's rows."""
        table = np.empty(len(self), dtype=_row_type(self.columns))
        table["values"], table["target"], table["held"] = self.values, self.targets, self.held
        return _HEADER.pack(len(self), self.columns) + table.tobytes()

    @classmethod
    def parse(cls, data: bytes) -> Rows:
        """The rows that `data` writes; Invalid for any other length or byte. Ranges are checked against the card."""
        if len(data) < _HEADER.size:
            raise Invalid(f"{len(data)} bytes are too few for a package's rows")
        count, columns = _HEADER.unpack_from(data)
        if not 1 <= count <= MOST_ROWS or not 1 <= columns <= MOST_COLUMNS:
            raise Invalid(f"a package of {count} rows × {columns} columns is outside the limits")
        row = _row_type(columns)
        if len(data) != _HEADER.size + count * row.itemsize:
            raise Invalid(f"{count} rows × {columns} columns do not fill {len(data)} bytes")
        table = np.frombuffer(data, dtype=row, offset=_HEADER.size)
        values = np.ascontiguousarray(table["values"]).reshape(count, columns)
        if np.any(table["held"] > 1):
            raise Invalid("a row's held byte is neither 0 nor 1")
        if np.any(values < -LARGEST_FIXED) or np.any(table["target"] < -LARGEST_FIXED):
            raise Invalid("a value lies below −(2^31 − 1)")
        return cls(values=values, targets=table["target"].copy(), held=table["held"] == 1)


def join(parts: Sequence[Rows]) -> Rows:
    """The rows of all `parts`, one part after the other."""
    return Rows(
        values=np.concatenate([part.values for part in parts]),
        targets=np.concatenate([part.targets for part in parts]),
        held=np.concatenate([part.held for part in parts]),
    )


def _row_type(columns: int) -> np.dtype[np.void]:
    return np.dtype([("values", "<i4", (columns,)), ("target", "<i4"), ("held", "u1")])
