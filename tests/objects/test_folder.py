"""Objects in a folder: what a hostile name, a wrong digest or a failing disk can do to them."""

from __future__ import annotations

import errno
import io
import os
import tempfile
import threading
from hashlib import sha256
from pathlib import Path

import pytest

from freehold.errors import Invalid, Unavailable
from freehold.objects.folder import PIECE, FolderStore

DATA = b"sealed bytes"
NAME = sha256(DATA).hexdigest()
RESULT = f"results/{'0a' * 32}/{NAME}"
HOSTILE = (
    "",
    "..",
    f"../{NAME}",
    f"/{NAME}",
    f"{NAME}/",
    f"results/../{NAME}",
    f"results/{'0a' * 32}/../{NAME}",
    f"results//{NAME}",
    f"other/{'0a' * 32}/{NAME}",
    f"results/{'0a' * 31}/{NAME}",
    NAME.upper(),
    NAME[:-1],
    f"{NAME}0",
    f"{NAME}\n",
    f"{NAME}\x00",
    f"{NAME}#1",
    f"C:\\{NAME}",
    f"results\\{'0a' * 32}\\{NAME}",
    "".join(chr(0xFF10 + int(c)) if c.isdigit() else c for c in NAME),
    "%2e%2e/" + NAME,
)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "objects")


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", [NAME, RESULT])
def test_what_was_put_is_there_for_everybody(name: str, store: FolderStore, tmp_path: Path) -> None:
    store.put(name, DATA)

    assert store.exists(name)
    assert store.get(name, largest=100) == DATA
    assert FolderStore(tmp_path / "objects").get(name, largest=100) == DATA


def test_a_file_is_stored_as_the_same_bytes_would_be(store: FolderStore) -> None:
    data = bytes(range(256)) * (3 * PIECE // 256) + b"rest"
    name = sha256(data).hexdigest()

    store.put(name, io.BytesIO(data))

    assert store.get(name, largest=len(data)) == data
    size, pieces = store.stream(name)
    assert size == len(data)
    assert b"".join(pieces) == data


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_reaches_nothing(name: str, store: FolderStore, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(DATA)

    for attempt in (
        lambda: store.put(name, DATA),
        lambda: store.put(name, io.BytesIO(DATA)),
        lambda: store.get(name, largest=100),
        lambda: store.exists(name),
    ):
        with pytest.raises(Invalid, match="no name"):
            attempt()

    assert files(tmp_path) == {NAME}


def test_bytes_that_are_not_what_their_name_says_get_no_name(store: FolderStore, tmp_path: Path) -> None:
    for data in (b"other", io.BytesIO(b"other"), b"", io.BytesIO(b"")):
        with pytest.raises(Invalid, match="not what the name"):
            store.put(NAME, data)

    assert files(tmp_path) == set()
    assert not store.exists(NAME)


def test_the_same_name_twice_is_fine_and_mends_what_the_disk_damaged(store: FolderStore, tmp_path: Path) -> None:
    store.put(NAME, DATA)
    store.put(NAME, DATA)
    (tmp_path / "objects" / NAME).write_bytes(b"damaged")
    with pytest.raises(Invalid, match="not what the name"):
        store.get(NAME, largest=100)

    store.put(NAME, DATA)

    assert store.get(NAME, largest=100) == DATA
    assert files(tmp_path / "objects") == {NAME}


def test_a_damaged_object_never_streams_to_its_end(store: FolderStore, tmp_path: Path) -> None:
    (tmp_path / "objects" / NAME).write_bytes(b"damaged")
    _, pieces = store.stream(NAME)

    with pytest.raises(Invalid, match="not what the name"):
        list(pieces)


def test_a_reader_of_a_damaged_object_never_gets_its_last_piece(store: FolderStore, tmp_path: Path) -> None:
    (tmp_path / "objects" / NAME).write_bytes(b"damaged")
    size, pieces = store.stream(NAME)
    got: list[bytes] = []

    with pytest.raises(Invalid, match="not what the name"):
        got.extend(pieces)

    # who was promised `size` bytes and counts them knows that something is missing, whatever it does with an error
    assert sum(map(len, got)) < size


@pytest.mark.skipif(os.name == "nt", reason="folders are not synced there")
@pytest.mark.parametrize("name", [NAME, RESULT])
def test_an_object_and_the_folders_that_name_it_are_synced_before_anybody_is_told(
    name: str, store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[int, int]] = []
    sync = os.fsync

    def and_remember(handle: int) -> None:
        sync(handle)
        synced.append(os.fstat(handle)[1:3])

    monkeypatch.setattr(os, "fsync", and_remember)

    store.put(name, DATA)

    place = tmp_path / "objects" / name
    folders = [folder for folder in place.parents if folder.is_relative_to(tmp_path / "objects")]
    assert synced == [each.stat()[1:3] for each in (place, *folders)]


def test_an_object_beyond_the_limit_is_neither_stored_nor_read(tmp_path: Path) -> None:
    small = FolderStore(tmp_path / "objects", largest=8)
    for data in (DATA, io.BytesIO(DATA)):
        with pytest.raises(Invalid, match="at most 8"):
            small.put(NAME, data)
    assert files(tmp_path) == set()

    FolderStore(tmp_path / "objects").put(NAME, DATA)
    with pytest.raises(Invalid, match="at most 11"):
        small.get(NAME, largest=11)


def test_an_absent_object_is_unavailable_and_may_come(store: FolderStore) -> None:
    with pytest.raises(Unavailable, match="no object") as caught:
        store.get(NAME, largest=100)

    assert caught.value.code == "absent"
    assert caught.value.retry


def test_readers_never_see_half_an_object_while_it_is_written(store: FolderStore) -> None:
    data = b"x" * (4 * PIECE)
    name = sha256(data).hexdigest()
    seen: list[int] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            if store.exists(name):
                seen.append(len(store.get(name, largest=len(data))))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(8):
        store.put(name, data)
    stop.set()
    reader.join(10)

    assert set(seen) <= {len(data)}


def test_a_source_that_fails_in_the_middle_leaves_nothing(store: FolderStore, tmp_path: Path) -> None:
    class Torn(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise ConnectionResetError
            return super().read(4)

    with pytest.raises(ConnectionResetError):
        store.put(NAME, Torn(DATA))

    assert files(tmp_path) == set()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(Unavailable, match="cannot be used"):
        FolderStore(tmp_path / "file" / "objects")


class FullDisk(tempfile.SpooledTemporaryFile[bytes]):
    """A file on a disk without room."""

    def write(self, data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_is_full_is_named_whatever_way_the_bytes_come(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.SpooledTemporaryFile", FullDisk)

    with pytest.raises(Unavailable, match="No space left") as caught:
        store.put(NAME, io.BytesIO(DATA))

    assert caught.value.now == "no object was changed"
    assert files(tmp_path) == set()


def test_bytes_on_their_way_lie_on_the_disk_of_the_objects_and_have_no_name(store: FolderStore, tmp_path: Path) -> None:
    data = b"x" * (3 * PIECE)
    name = sha256(data).hexdigest()

    with store.arriving(name) as arriving:
        for start in range(0, len(data), PIECE):
            arriving.write(data[start : start + PIECE])
            assert not store.exists(name)
            assert files(tmp_path) == set()
        arriving.finish()

    assert store.size(name) == len(data)
    assert files(tmp_path / "objects") == {name}


def test_an_object_that_is_not_finished_never_was(store: FolderStore, tmp_path: Path) -> None:
    with store.arriving(NAME) as arriving:
        arriving.write(DATA)

    assert store.size(NAME) is None
    assert files(tmp_path) == set()
