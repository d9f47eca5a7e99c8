"""A folder that appears whole or not at all.

Everything is written into a hidden folder beside it, synced to the disk, and then renamed in one step. Whatever ends
the writing before (a full disk, an error, Ctrl-C) removes the hidden folder; what a crash leaves is removed by the
next attempt, and is never taken for the real one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from freehold.errors import Invalid, Unavailable


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """The hidden folder (mode 0700) to write into; it becomes `path` when the with-block ends without an error.

    Invalid if `path` exists and is not an empty folder; Unavailable if the disk refuses, and then nothing is left.
    """
    path = path.absolute()
    require_free(path)
    hidden = path.parent / f".{path.name}.unfinished"
    try:
        with new_parents(path):
            shutil.rmtree(hidden, ignore_errors=True)
            hidden.mkdir(mode=0o700)
            try:
                yield hidden
                _sync(hidden)
                hidden.rename(path)
            finally:
                shutil.rmtree(hidden, ignore_errors=True)
            _sync(path.parent)
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written: {error.strerror or error}",
            next="free space on the disk, or name a folder that you may write to",
            now="nothing was written",
            retry=False,
        ) from None


def require_free(path: Path) -> None:
    """Check that nothing lies at `path` but an empty folder; Invalid otherwise, Unavailable if nobody can look."""
    try:
        if not os.path.lexists(path) or (path.is_dir() and not any(path.iterdir())):
            return
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be read: {error.strerror or error}",
            next="name a folder that you may write to",
            now="nothing was written",
            retry=False,
        ) from None
    raise Invalid(f"{path} exists already", next="name another folder, or remove this one", now="nothing was written")


@contextmanager
def new_parents(path: Path) -> Iterator[None]:
    """The folders above `path`, made where they are missing; those made are gone again after trouble."""
    missing = []
    for folder in path.parents:
        if folder.exists():
            break
        missing.append(folder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for folder in missing:
            # whoever has written there in the meantime keeps it
            with suppress(OSError):
                folder.rmdir()
        raise


def write_file(path: Path, data: bytes) -> None:
    """Write a new file (mode 0600) and sync it to the disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Make the names in a folder survive a power loss; systems that cannot open a folder need no such thing."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
