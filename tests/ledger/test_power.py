"""G-2, power losses: of the newest writes some are cut, garbled or stale, and what is left is a whole prefix."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from tests.engines.embedded import embedded
from tests.engines.notebook import note

BLOCKS = 12
IMAGES = 80


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[bytes]]:
    """The files of a ledger as they lie on the disk while it runs, and the headers of its blocks."""
    folder, image = tmp_path_factory.mktemp("running"), tmp_path_factory.mktemp("image")
    with embedded(folder) as ledger:
        for number in range(BLOCKS):
            ledger.submit(note(f"n{number}", "x" * (50 + 700 * number % 4_000)))
        for name in ("ledger.sqlite", "ledger.sqlite-wal"):
            shutil.copy(folder / name, image / name)
        return image, [block.header for block in ledger.export(0, BLOCKS)]


def damaged(log: bytes, chance: random.Random) -> bytes:
    """The log as a power loss may leave it: cut, its tail zeros or noise, or a sector in the middle never written."""
    place = chance.randrange(len(log))
    match chance.randrange(4):
        case 0:
            return log[:place]
        case 1:
            return log[:place] + bytes(len(log) - place)
        case 2:
            return log[:place] + chance.randbytes(len(log) - place)
        case _:
            sector = place - place % 512
            return log[:sector] + bytes(512) + log[sector + 512 :]


def test_whatever_a_power_loss_leaves_of_the_newest_writes_is_a_whole_prefix(
    running: tuple[Path, list[bytes]], tmp_path: Path
) -> None:
    image, headers = running
    log = (image / "ledger.sqlite-wal").read_bytes()
    chance = random.Random(4)
    heights = set()
    for number in range(IMAGES):
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copy(image / "ledger.sqlite", folder)
        (folder / "ledger.sqlite-wal").write_bytes(damaged(log, chance))

        with embedded(folder) as ledger:
            found = [block.header for block in ledger.export(0, BLOCKS)]
            assert found == headers[: len(found)]
            heights.add(len(found))
            assert ledger.submit(note("afterwards", "text")).height == len(found) + 1

    assert len(heights) > 5, "the images must show many different moments"


def test_what_was_synced_is_all_there(running: tuple[Path, list[bytes]], tmp_path: Path) -> None:
    image, headers = running
    for name in ("ledger.sqlite", "ledger.sqlite-wal"):
        shutil.copy(image / name, tmp_path)

    with embedded(tmp_path) as ledger:
        assert [block.header for block in ledger.export(0, BLOCKS)] == headers


def test_every_commit_is_synced_before_it_is_answered(tmp_path: Path) -> None:
    with embedded(tmp_path) as ledger:
        connection = ledger._file._connection
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,), "FULL; NORMAL loses acknowledged blocks"
