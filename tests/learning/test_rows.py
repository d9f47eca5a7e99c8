"""The rows of a package: one spelling, and every other byte refused."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.learning.rows import Rows

FIXED = st.integers(-(2**31) + 1, 2**31 - 1)


def rows_of(values: list[list[int]], targets: list[int], held: list[bool]) -> Rows:
    return Rows(
        values=np.array(values, dtype=np.int32),
        targets=np.array(targets, dtype=np.int32),
        held=np.array(held, dtype=bool),
    )


def test_rows_travel_as_the_annex_writes_them() -> None:
    rows = rows_of([[1, -2], [3, 4]], [0, -5], [False, True])
    expected = struct.pack("<II", 2, 2) + struct.pack("<iiiB", 1, -2, 0, 0) + struct.pack("<iiiB", 3, 4, -5, 1)
    assert rows.encode() == expected


@given(st.data())
def test_rows_read_back(data: st.DataObject) -> None:
    count, columns = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 5))
    values = data.draw(st.lists(st.lists(FIXED, min_size=columns, max_size=columns), min_size=count, max_size=count))
    targets = data.draw(st.lists(FIXED, min_size=count, max_size=count))
    held = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    read = Rows.parse(rows_of(values, targets, held).encode())
    assert read.values.tolist() == values
    assert read.targets.tolist() == targets
    assert read.held.tolist() == held


GOOD = rows_of([[1, -2], [3, 4]], [0, 1], [False, True]).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOOD[:7],
        GOOD[:-1],
        GOOD + b"\x00",
        GOOD[:-1] + b"\x02",
        struct.pack("<II", 0, 2),
        struct.pack("<II", 2, 0) + bytes(10),
        struct.pack("<II", 2**32 - 1, 2**32 - 1),
        struct.pack("<II", 300_001, 1),
        struct.pack("<IIiiB", 1, 1, -(2**31), 0, 0),
        struct.pack("<IIiiB", 1, 1, 0, -(2**31), 0),
    ],
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        Rows.parse(data)
