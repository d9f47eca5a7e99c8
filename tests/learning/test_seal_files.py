"""Files that SEAL reads and writes: nothing is left behind, nothing lies where others can open it."""

from __future__ import annotations

import os
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import tenseal.sealapi as library
import zstandard

from freehold.errors import Broken
from freehold.learning.ciphers import seal_files
from freehold.learning.ciphers.seal import SealCipher
from freehold.learning.ciphers.seal_files import plaintext_words, saved
from tests.learning.test_ciphers import some, uniform


class Stored:
    """An object of the library that was saved as `data`."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def save(self, path: str) -> None:
        Path(path).write_bytes(self._data)


class Folder:
    """Where the files lie on a system without anonymous memory."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(os, "memfd_create", raising=False)
        monkeypatch.setattr(seal_files, "_MEMORY", str(path))
        self.path = path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    return Folder(tmp_path, monkeypatch)


def test_without_anonymous_memory_the_words_are_the_same_and_nothing_stays(seal: SealCipher, folder: Folder) -> None:
    mask = np.stack([uniform(b"a"), uniform(b"b")])

    assert (some(SealCipher()).divided(mask) == some(seal).divided(mask)).all()
    assert list(folder.path.iterdir()) == []


def test_files_on_a_disk_lie_in_a_folder_of_one_person(folder: Folder) -> None:
    class Nosy:
        def save(self, path: str) -> None:
            self.mode = Path(path).parent.stat().st_mode & 0o777
            Path(path).write_bytes(b"seen")

    nosy = Nosy()

    assert saved(nosy) == b"seen"
    assert nosy.mode == 0o700
    assert list(folder.path.iterdir()) == []


@pytest.mark.parametrize("anonymous", [True, False])
def test_nothing_stays_when_the_library_fails(anonymous: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not anonymous:
        Folder(tmp_path, monkeypatch)
    elif not hasattr(os, "memfd_create"):
        pytest.skip("this system has no anonymous memory")
    before = open_files(), set(os.listdir(tempfile.gettempdir()))

    class Failing:
        def save(self, path: str) -> None:
            Path(path).write_bytes(b"half")
            raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        saved(Failing())

    assert (open_files(), set(os.listdir(tempfile.gettempdir()))) == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("compression", [0, 1, 2])
def test_whatever_compression_the_library_was_built_with_is_read(compression: int) -> None:
    data = saved(library.Plaintext("5x^3 + 2"))
    body = seal_files._body(data)
    packed = (body, zlib.compress(body), zstandard.compress(body))[compression]
    header = data[:5] + bytes([compression]) + data[6:8] + (16 + len(packed)).to_bytes(8, "little")

    assert plaintext_words(Stored(header + packed), 6).tolist() == [2, 0, 0, 5, 0, 0]


@pytest.mark.parametrize("change", [{0: 0}, {2: 17}, {5: 9}, {8: 1}])
def test_a_file_of_an_unknown_form_stops_the_work(change: dict[int, int]) -> None:
    data = bytearray(saved(library.Plaintext("5x^3 + 2")))
    for at, value in change.items():
        data[at] = value

    with pytest.raises(Broken):
        plaintext_words(Stored(bytes(data)), 6)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
