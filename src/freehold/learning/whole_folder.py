"""A folder that appears whole or not at all.

Everything is written into a hidden folder beside it, synced to the disk, and then renamed in one step. Whatever ends
the writing before (a full disk, an error, Ctrl-C) removes the hidden folder; what a crash leaves is removed by the
next attempt, and is never taken for the real one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from freehold.errors import Invalid, Unavailable


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """The hidden folder (mode 0700) to write into; it becomes `path` when the with-block ends without an error.

    Invalid if `path` exists and is not an empty folder; Unavailable if the disk refuses, and then nothing is left.
    """
    path = path.absolute()
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise Invalid(f"{path} exists already", next="name another folder, or remove this one")
    hidden = path.parent / f".{path.name}.unfinished"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(hidden, ignore_errors=True)
        hidden.mkdir(mode=0o700)
        yield hidden
        _sync(hidden)
        hidden.rename(path)
        _sync(path.parent)
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written: {error.strerror or error}",
            next="free space on the disk, or name a folder that you may write to",
            now="nothing was written",
            retry=False,
        ) from None
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


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
