"""Files that other versions wrote: the first format is gone on with, and a newer one is named and left alone."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from freehold.errors import Invalid
from freehold.ledger.embedded.file import FORMAT, BlockFile
from freehold.ledger.embedded.keeping import check
from tests.engines.embedded import embedded
from tests.engines.notebook import Notebook, note
from tests.ledger.fixtures.make import ADDED, NOTES, make
from tests.ledger.test_faults import written

FIRST = Path(__file__).parent / "fixtures" / "ledger-1.sqlite"
ROOT = "243984f38334fc393052b4827769e9dd397a4173d0e9e2d974c48fa914d06d13"
"""Of the log of all actions in the file, as the version that made it said."""


def test_a_ledger_of_the_first_format_is_whole_and_goes_on(tmp_path: Path) -> None:
    copy = tmp_path / "ledger.sqlite"
    shutil.copy(FIRST, copy)

    checked = check(copy, Notebook(), told=lambda _, __, ___: None)
    assert (checked.height, checked.size, checked.root) == (NOTES + 1, NOTES + ADDED, ROOT)

    with embedded(tmp_path) as ledger:
        assert ledger.evaluate("notes", {}) == [f"text {number}" for number in range(NOTES)]
        assert ledger.evaluate("counter", {"name": "c"}) == 5 * ADDED
        assert ledger.submit(note("after", "text")).position == NOTES + ADDED
    assert check(copy, Notebook(), told=lambda _, __, ___: None).size == NOTES + ADDED + 1


def test_this_version_writes_the_blocks_that_the_first_one_wrote(tmp_path: Path) -> None:
    make(tmp_path / "ledger.sqlite")
    ours, theirs = BlockFile.read(tmp_path / "ledger.sqlite"), BlockFile.read(FIRST)
    try:
        assert list(ours.rows(0, 100)) == list(theirs.rows(0, 100))
    finally:
        ours.close()
        theirs.close()


@pytest.mark.parametrize("tables", ["ours", "others"])
def test_a_newer_format_is_named_and_nothing_of_it_is_changed(tables: str, tmp_path: Path) -> None:
    file = written(tmp_path)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE ledger SET format = 'freehold/ledger/2'")
        if tables == "others":
            connection.execute("ALTER TABLE blocks ADD COLUMN more BLOB")
    connection.close()
    before = file.read_bytes()

    for attempt in (lambda: BlockFile.read(file), lambda: embedded(tmp_path).__enter__()):
        with pytest.raises(Invalid, match=f"format freehold/ledger/2, this version of Freehold reads {FORMAT}") as said:
            attempt()
        assert "install" in said.value.next
    assert file.read_bytes() == before
