"""Looking after a ledger's file: what a check finds, what a copy holds, and what a restored copy may not hide."""

from __future__ import annotations

import random
import sqlite3
import threading
from pathlib import Path

import pytest

from freehold.errors import FreeholdError, Invalid, Unavailable
from freehold.ledger.embedded.keeping import Checked, back_up, check, restore
from freehold.protocol import signatures
from tests.engines.embedded import SEED, embedded
from tests.engines.notebook import Notebook, add, note
from tests.ledger.test_faults import alter, written

OPERATOR = signatures.public_key(SEED)


def quietly(_: str, __: int, ___: int) -> None:
    """Nobody looks."""


def checked(file: Path, note: str | None = None) -> Checked:
    return check(file, Notebook(), note=note, told=quietly)


def test_a_whole_file_is_whole_whether_its_node_runs_or_not(tmp_path: Path) -> None:
    with embedded(tmp_path) as ledger:
        for nonce in range(5):
            ledger.submit(add("c", 1, nonce))
        running = checked(tmp_path / "ledger.sqlite", ledger.info().checkpoint)

    stopped = checked(tmp_path / "ledger.sqlite")

    assert running == stopped
    assert (running.height, running.size, running.operator) == (5, 5, OPERATOR.hex())


def test_progress_is_told_up_to_the_last_block(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    check(written(tmp_path), Notebook(), told=lambda *what: told.append(what))

    assert told == [("checked", height, 8) for height in range(1, 9)]


@pytest.mark.parametrize("column", ["height", "header", "signature", "actions", "results", "events", "writes"])
def test_a_changed_byte_of_any_column_is_found(tmp_path: Path, column: str) -> None:
    file = written(tmp_path)
    alter(file, column, 4)

    with pytest.raises(Invalid):
        checked(file)


def test_a_bit_flipped_anywhere_in_the_file_is_found_or_changes_nothing_that_counts(tmp_path: Path) -> None:
    whole = written(tmp_path)
    data, before = whole.read_bytes(), checked(whole)
    chance, found = random.Random(7), 0
    for _ in range(400):
        place = chance.randrange(len(data))
        altered = bytearray(data)
        altered[place] ^= 1 << chance.randrange(8)
        whole.write_bytes(altered)
        try:
            assert checked(whole) == before, f"byte {place}"
        except (Invalid, Unavailable):
            found += 1

    assert found > 100


def test_a_block_cut_off_is_found_by_a_checkpoint_that_somebody_kept(tmp_path: Path) -> None:
    file = written(tmp_path)
    with embedded(tmp_path) as ledger:
        kept = ledger.info().checkpoint
    with sqlite3.connect(file) as connection:
        connection.execute("DELETE FROM blocks WHERE height > 5")

    assert checked(file).height == 5
    with pytest.raises(Invalid, match="holds 5 actions, the checkpoint was signed over 8"):
        checked(file, kept)


def test_a_second_history_of_the_same_operator_is_found_by_a_checkpoint_of_the_first(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    with embedded(tmp_path / "one") as ledger:
        ledger.submit_all([note("a", "yes"), note("b", "text")])
        kept = ledger.info().checkpoint
    with embedded(tmp_path / "other") as ledger:
        ledger.submit_all([note("a", "no"), note("b", "text"), note("c", "text")])

    with pytest.raises(Invalid, match="not about this history"):
        checked(tmp_path / "other" / "ledger.sqlite", kept)


def test_a_backup_of_a_ledger_that_is_being_written_is_whole_and_of_one_moment(tmp_path: Path) -> None:
    with embedded(tmp_path) as ledger:
        ledger.submit_all([note(f"n{number}", "x" * 5_000) for number in range(200)])
        stop = threading.Event()

        def write() -> None:
            nonce = 0
            while not stop.is_set():
                ledger.submit(add("c", 1, nonce))
                nonce += 1

        writer = threading.Thread(target=write)
        writer.start()
        try:
            copies = [
                back_up(tmp_path / "ledger.sqlite", tmp_path / f"copy{i}", Notebook(), told=quietly) for i in "abc"
            ]
        finally:
            stop.set()
            writer.join()
        end = ledger.info()

    assert [copy.size for copy in copies] == sorted(copy.size for copy in copies)
    assert copies[-1].size <= end.size
    for i, copy in zip("abc", copies, strict=True):
        assert checked(tmp_path / f"copy{i}", end.checkpoint if copy.size == end.size else None) == copy
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_backup_replaces_nothing_and_a_bad_one_leaves_nothing(tmp_path: Path) -> None:
    file = written(tmp_path)
    (tmp_path / "copy").write_bytes(b"something else")
    with pytest.raises(Invalid, match="exists already"):
        back_up(file, tmp_path / "copy", Notebook(), told=quietly)
    assert (tmp_path / "copy").read_bytes() == b"something else"

    alter(file, "results", 3)
    with pytest.raises(Invalid):
        back_up(file, tmp_path / "bad", Notebook(), told=quietly)
    with pytest.raises(FreeholdError, match="cannot be written"):
        back_up(file, tmp_path / "absent" / "copy", Notebook(), told=quietly)
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".") or path.name == "bad"]


def test_a_restored_ledger_goes_on_where_the_copy_ended(tmp_path: Path) -> None:
    file = written(tmp_path)
    copy = tmp_path / "copy"
    back_up(file, copy, Notebook(), told=quietly)
    with embedded(tmp_path) as ledger:
        kept = ledger.info().checkpoint
    with pytest.raises(Invalid, match="exists already"):
        restore(copy, file, Notebook(), OPERATOR, note=None, told=quietly)
    file.unlink()

    restored = restore(copy, file, Notebook(), OPERATOR, note=kept, told=quietly)

    assert restored.size == 8
    with embedded(tmp_path) as ledger:
        assert ledger.submit(note("after", "text")).position == 8


def test_an_old_copy_is_not_restored_over_what_a_checkpoint_proves(tmp_path: Path) -> None:
    file = written(tmp_path)
    back_up(file, tmp_path / "copy", Notebook(), told=quietly)
    with embedded(tmp_path) as ledger:
        ledger.submit(note("after", "text"))
        kept = ledger.info().checkpoint
        cursor = ledger.events(0).cursor
    file.unlink()

    with pytest.raises(Invalid, match="the checkpoint was signed over 9"):
        restore(tmp_path / "copy", file, Notebook(), OPERATOR, note=kept, told=quietly)
    assert not file.exists()
    with pytest.raises(Invalid, match="another operator"):
        restore(tmp_path / "copy", file, Notebook(), b"\x01" * 32, note=None, told=quietly)

    restore(tmp_path / "copy", file, Notebook(), OPERATOR, note=None, told=quietly)
    with embedded(tmp_path) as ledger, pytest.raises(Invalid, match="cursor"):
        ledger.events(cursor)


def test_no_copy_is_restored_beside_the_log_of_the_ledger_that_is_gone(tmp_path: Path) -> None:
    file = written(tmp_path)
    back_up(file, tmp_path / "copy", Notebook(), told=quietly)
    file.unlink()
    (tmp_path / "ledger.sqlite-wal").write_bytes(b"of another life")

    with pytest.raises(Invalid, match="left of the ledger that is gone"):
        restore(tmp_path / "copy", file, Notebook(), OPERATOR, note=None, told=quietly)

    assert not file.exists()
