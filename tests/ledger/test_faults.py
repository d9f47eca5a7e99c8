"""What a ledger does when the disk or somebody else misbehaves."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from freehold.errors import Broken, FreeholdError, Invalid, Refused, Unavailable
from freehold.ledger.embedded.file import BlockFile
from freehold.ledger.embedded.ledger import EmbeddedLedger
from freehold.ledger.memory import MemoryLedger
from freehold.protocol.identifiers import Nonce
from tests.engines.embedded import SEED, clock, embedded
from tests.engines.notebook import NETWORK, Notebook, add, fault, note


def written(folder: Path, actions: int = 8) -> Path:
    """A closed ledger file with some blocks."""
    with embedded(folder) as ledger:
        for i in range(actions):
            ledger.submit(note(f"n{i}", "text"))
    return folder / "ledger.sqlite"


def test_any_flipped_byte_of_a_block_is_found_at_the_next_start(tmp_path: Path) -> None:
    whole = written(tmp_path)
    columns = ("height", "header", "signature", "actions", "results", "events", "writes")
    for column in columns:
        for height in (1, 4, 8):
            copy = tmp_path / f"{column}-{height}"
            copy.mkdir()
            altered = copy / "ledger.sqlite"
            shutil.copy(whole, altered)
            alter(altered, column, height)

            with pytest.raises(Broken) as caught, embedded(copy):
                pass

            assert "changed or damaged" in caught.value.what
            assert "copy" in caught.value.next


def alter(file: Path, column: str, height: int) -> None:
    """Changes one byte of one column, past SQLite's own checks."""
    with sqlite3.connect(file) as connection:
        if column == "height":
            connection.execute("UPDATE blocks SET height = height + 100 WHERE height = ?", (height,))
            return
        (value,) = connection.execute(f"SELECT {column} FROM blocks WHERE height = ?", (height,)).fetchone()
        flipped = bytearray(value)
        flipped[len(flipped) // 2] ^= 1
        connection.execute(f"UPDATE blocks SET {column} = ? WHERE height = ?", (bytes(flipped), height))


def test_a_byte_flipped_anywhere_in_the_file_is_found_or_harmless(tmp_path: Path) -> None:
    whole = written(tmp_path).read_bytes()
    with embedded(tmp_path) as ledger:
        before = ledger.info().checkpoint, ledger.evaluate("state", {})
    found = 0
    for place in range(24, len(whole), 97):
        folder = tmp_path / str(place)
        folder.mkdir()
        altered = bytearray(whole)
        altered[place] ^= 0x10
        (folder / "ledger.sqlite").write_bytes(altered)
        try:
            with embedded(folder) as ledger:
                # A byte that no block uses (free space of a page): then everything is as it was.
                assert (ledger.info().checkpoint, ledger.evaluate("state", {})) == before
        except FreeholdError:
            found += 1
    assert found > 20


def test_a_block_cut_off_the_end_is_noticed_by_whoever_kept_a_checkpoint(tmp_path: Path) -> None:
    file = written(tmp_path)
    with embedded(tmp_path) as ledger:
        kept = ledger.events(0).cursor
    with sqlite3.connect(file) as connection:
        connection.execute("DELETE FROM blocks WHERE height > 5")

    with embedded(tmp_path) as ledger, pytest.raises(Invalid, match="cursor"):
        ledger.events(kept)


def test_a_second_node_on_the_same_file_is_turned_away(tmp_path: Path) -> None:
    with embedded(tmp_path) as ledger:
        with pytest.raises(Unavailable, match="another process has the ledger"), embedded(tmp_path):
            pass
        elsewhere = subprocess.run(
            [sys.executable, "-m", "tests.ledger.loaded", str(tmp_path)], capture_output=True, text=True, timeout=30
        )
        assert "another process has the ledger" in elsewhere.stderr
        assert ledger.submit(note("one", "still here")).position == 0

    with embedded(tmp_path) as ledger:
        assert ledger.evaluate("notes", {}) == ["still here"]


def test_a_second_node_that_comes_by_another_name_of_the_file_is_turned_away_too(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    with embedded(tmp_path / "first"):
        (tmp_path / "second" / "ledger.sqlite").symlink_to(tmp_path / "first" / "ledger.sqlite")
        with pytest.raises(Unavailable, match="another process has the ledger"), embedded(tmp_path / "second"):
            pass


def test_another_networks_ledger_or_another_operators_is_not_continued(tmp_path: Path) -> None:
    file = written(tmp_path)
    other = Notebook(msgspec.structs.replace(NETWORK, nonce=Nonce("09" * 32)))

    with pytest.raises(Invalid, match="another network"):
        EmbeddedLedger.open(file, other, SEED, clock)
    with pytest.raises(Invalid, match="another operator"):
        EmbeddedLedger.open(file, Notebook(), b"\x08" * 32, clock)

    with embedded(tmp_path) as ledger:
        assert ledger.info().height == 8


@pytest.mark.parametrize("junk", [b"", b"not a database at all, but long enough to be read as one" * 40])
def test_a_file_that_is_no_ledger_is_named_and_left_alone(junk: bytes, tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    file.write_bytes(junk)

    with pytest.raises(Invalid):
        BlockFile.read(file)

    assert file.read_bytes() == junk


def test_another_programs_database_is_not_taken_for_a_ledger(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE blocks(height, header)")
    connection.close()

    with pytest.raises(Invalid, match="not a ledger"), embedded(tmp_path):
        pass
    with pytest.raises(Unavailable, match="no ledger"):
        BlockFile.read(tmp_path / "absent.sqlite")


def test_a_full_disk_refuses_the_new_keeps_the_old_and_heals_without_a_restart(tmp_path: Path) -> None:
    with embedded(tmp_path) as ledger:
        ledger.submit(note("before", "text"))
        limit(ledger, pages=12)
        accepted, refused = until_full(ledger)
        assert isinstance(refused, Unavailable)
        assert "was not recorded" in refused.now
        assert "room" in refused.next

        before = ledger.info(), ledger.evaluate("state", {})
        assert before[0].size == 1 + accepted
        assert ledger.resolve(large(accepted)) is None
        assert len(ledger.export(0, 100)) == before[0].height

        limit(ledger, pages=1_000_000)
        assert ledger.submit(large(accepted)).position == 1 + accepted
        state = ledger.evaluate("state", {})

    with embedded(tmp_path) as ledger:
        assert ledger.evaluate("state", {}) == state


def large(number: int) -> bytes:
    return note(f"n{number}", "x" * 4_000)


def until_full(ledger: EmbeddedLedger) -> tuple[int, FreeholdError]:
    """How many large notes find room, and what the next one is told."""
    for number in range(100):
        (answer,) = ledger.submit_all([large(number)])
        if isinstance(answer, FreeholdError):
            return number, answer
    raise AssertionError("the disk was never full")


def limit(ledger: EmbeddedLedger, pages: int) -> None:
    """A disk with room for so many pages; SQLite fails exactly as on a full one."""
    ledger._file._connection.execute(f"PRAGMA max_page_count = {pages}")


def test_after_a_failed_write_of_unknown_outcome_nothing_more_is_written_and_reading_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded(tmp_path) as ledger:
        ledger.submit(note("before", "text"))
        monkeypatch.setattr(ledger._file, "_connection", FailingSync(ledger._file._connection))

        with pytest.raises(Broken) as caught:
            ledger.submit(note("lost", "text"))
        assert "outcome unknown" in caught.value.now
        monkeypatch.undo()
        with pytest.raises(Broken):
            ledger.submit(note("later", "text"))

        assert ledger.evaluate("notes", {}) == ["text"]
        assert [event.subject for event in ledger.events(0).events] == ["before"]

    with embedded(tmp_path) as ledger:
        assert ledger.submit(note("later", "text")).position == 1


class FailingSync:
    """A connection whose COMMIT meets a disk that fails to sync, as SQLite reports it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, *values: object) -> object:
        if statement == "COMMIT":
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error
        return self._connection.execute(statement, *values)  # type: ignore[arg-type]


def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be opened"), embedded(tmp_path / "absent"):
        pass


def test_a_fault_of_the_rules_hits_only_the_action_that_met_it(tmp_path: Path) -> None:
    with embedded(tmp_path) as ledger:
        answers = ledger.submit_all([note("one", "text"), fault("two"), note("three", "text")])

        assert isinstance(answers[1], Broken)
        assert "ZeroDivisionError" in answers[1].what
        assert ledger.evaluate("notes", {}) == ["text", "text"]
        assert ledger.info().size == 2


def test_the_time_of_a_ledger_never_falls(tmp_path: Path) -> None:
    times: list[int] = [5_000, 9_000, 1_000, 2_000, 9_500]
    feed: Callable[[], int] = iter(times).__next__
    ledger = EmbeddedLedger.open(tmp_path / "ledger.sqlite", Notebook(), SEED, feed)
    accepted = [ledger.submit(add("c", 1, nonce)) for nonce in range(5)]
    ledger.close()

    assert [each.time for each in accepted] == [5_000, 9_000, 9_000, 9_000, 9_500]


def test_who_waits_together_is_written_together(tmp_path: Path) -> None:
    with embedded(tmp_path) as ledger:
        answers = ledger.submit_all([add("c", 1, nonce) for nonce in range(50)])

        assert ledger.info().height == 1
        assert [getattr(answer, "position", None) for answer in answers] == list(range(50))


def test_an_action_beyond_the_limit_is_refused_before_anybody_reads_it(tmp_path: Path) -> None:
    with embedded(tmp_path) as ledger, pytest.raises(Refused, match="at most"):
        ledger.submit(b"x" * 12_289)


def test_a_closed_ledger_says_so(tmp_path: Path) -> None:
    with embedded(tmp_path) as ledger:
        pass

    with pytest.raises(Unavailable, match="closed") as caught:
        ledger.submit(note("late", "text"))
    assert caught.value.now == "nothing was sent"


def test_the_same_order_gives_the_same_history_on_every_engine(tmp_path: Path) -> None:
    reference = MemoryLedger(Notebook(), lambda: 1_000)
    ledger = EmbeddedLedger.open(tmp_path / "ledger.sqlite", Notebook(), SEED, lambda: 1_000)
    for i in range(12):
        for each in (reference, ledger):
            each.submit(add("c", i, i))
    ours, theirs = ledger.export(0, 100), reference.export(0, 100)
    ledger.close()

    assert [block.header for block in ours] == [block.header for block in theirs]
