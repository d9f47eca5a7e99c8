"""Objects in a folder of this machine.

An object appears under its name wholly or not at all: it is written beside its place and renamed. It is on disk when
`put` returns. A write under a name that exists replaces it, which changes nothing, or mends what a failing disk did.
Bytes are hashed before they get their name and again whenever they are read.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Protocol

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore

from freehold.errors import Invalid, Unavailable
from freehold.objects.names import OBJECT_LARGEST, check, check_bytes, digest_of

PIECE = 2**20
"""Bytes that are held in memory at a time while an object streams."""


class Readable(Protocol):
    """A file, or whatever else is read in pieces."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


class FolderStore:
    """Satisfies `ports.object_store.ObjectStore`; safe to use from many threads and processes."""

    def __init__(self, folder: Path, *, largest: int = OBJECT_LARGEST) -> None:
        """Uses `folder`, made if it is not there; no object has more than `largest` bytes."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unavailable(folder, error) from None
        self._folder = folder
        self._largest = largest
        self._store = LocalStore(folder)

    def put(self, name: str, data: bytes | Readable) -> None:
        """Stores the bytes under their name, wholly or not at all.

        Raises Invalid (name, size or digest does not fit) or Unavailable (the disk does not take it).
        """
        digest_of(name)
        if isinstance(data, bytes):
            self._check_size(len(data))
            check_bytes(name, data)
            self._write(name, data)
            return
        # What is read twice may differ: it is read once, hashed on the way, and what was hashed is what gets the name.
        with self.arriving(name) as arriving:
            while piece := data.read(PIECE):
                arriving.write(piece)
            arriving.finish()

    @contextmanager
    def arriving(self, name: str) -> Iterator[Arriving]:
        """An object that comes in pieces: it is there once it is finished, and nothing of it if it never is.

        Raises Invalid (the name) or Unavailable (the disk does not take it).
        """
        digest_of(name)
        # On the disk of the objects, not on the system's: that one may be small, or memory.
        with tempfile.SpooledTemporaryFile(max_size=PIECE, dir=str(self._folder)) as file:
            yield Arriving(self, name, file)

    def get(self, name: str, *, largest: int) -> bytes:
        """The bytes, at most `largest` of them and hashing to their name; Unavailable if there is no such object."""
        size, pieces = self.stream(name)
        if size > largest:
            raise Invalid(f"object {name} has {size} bytes, at most {largest} are read")
        return b"".join(pieces)

    def stream(self, name: str) -> tuple[int, Iterator[bytes]]:
        """The object's size and its bytes in pieces; the last piece comes only if all of them hash to the name."""
        digest_of(name)
        try:
            found = obstore.get(self._store, name)
        except FileNotFoundError:
            raise _absent(name) from None
        except (BaseError, OSError) as error:
            raise _unavailable(self._folder, error) from None
        return found.meta["size"], _checked(name, (bytes(piece) for piece in found.stream(min_chunk_size=PIECE)))

    def exists(self, name: str) -> bool:
        """Whether an object lies under this name."""
        return self.size(name) is not None

    def size(self, name: str) -> int | None:
        """How many bytes lie under this name; None if there is no such object."""
        digest_of(name)
        place = self._folder / name
        try:
            return place.stat().st_size if place.is_file() else None
        except OSError as error:
            raise _unavailable(self._folder, error) from None

    def _check_size(self, size: int) -> None:
        if size > self._largest:
            raise Invalid(f"an object has at most {self._largest} bytes")

    def _write(self, name: str, data: bytes | IO[bytes]) -> None:
        with self._on_disk():
            obstore.put(self._store, name, data)
            _sync(self._folder, name)

    @contextmanager
    def _on_disk(self) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            raise _unavailable(self._folder, error) from None


class Arriving:
    """An object on its way into a folder, without a name until all of it has come and hashes to that name."""

    def __init__(self, store: FolderStore, name: str, file: IO[bytes]) -> None:
        self._store = store
        self._name = name
        self._file = file
        self._digest = sha256()
        self._size = 0

    def write(self, piece: bytes) -> None:
        """Takes the next piece; Invalid once it is too much, Unavailable if the disk does not take it."""
        self._size += len(piece)
        self._store._check_size(self._size)
        self._digest.update(piece)
        with self._store._on_disk():
            self._file.write(piece)

    def finish(self) -> None:
        """Gives what has come its name; Invalid if it is not what the name promises."""
        check(self._name, self._digest.hexdigest())
        with self._store._on_disk():
            self._file.seek(0)
        self._store._write(self._name, self._file)


def _checked(name: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Passes the pieces on, one behind: the last is held back until all have been hashed."""
    digest, held = sha256(), b""
    try:
        for piece in pieces:
            if held:
                yield held
            digest.update(piece)
            held = piece
    except (BaseError, OSError) as error:
        raise Unavailable(f"object {name} cannot be read: {error}") from None
    check(name, digest.hexdigest())
    yield held


def _sync(folder: Path, name: str) -> None:
    """Brings the object and the folders that name it to the disk."""
    place = folder / name
    with place.open("rb") as written:
        os.fsync(written.fileno())
    if os.name == "nt":
        return
    while place != folder:
        place = place.parent
        entry = os.open(place, os.O_RDONLY)
        try:
            os.fsync(entry)
        finally:
            os.close(entry)


def _absent(name: str) -> Unavailable:
    return Unavailable(
        f"there is no object {name} in this store",
        code="absent",
        next="ask again: whoever has it may not have brought it yet",
    )


def _unavailable(folder: Path, error: Exception) -> Unavailable:
    what = str(error).splitlines()[0] if str(error) else type(error).__name__
    return Unavailable(
        f"the folder of objects {folder} cannot be used: {what}",
        next="check its rights and the room on its disk",
        now="no object was changed",
    )
