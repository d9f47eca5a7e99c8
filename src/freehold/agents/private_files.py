"""Files that only their owner may read: written wholly or not at all, and refused when others could have read
them.

A file that was readable by others for a moment may have been read; so looser permissions are never mended
silently. They are refused with the command that closes them, and the person decides whether the key inside is
still a secret.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from freehold.errors import Invalid, Unavailable

_OPEN_WITHOUT_LINKS = getattr(os, "O_NOFOLLOW", 0)
_OPEN_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0)
"""A pipe to which nobody writes would be waited for."""
_HAS_OWNERS = hasattr(os, "geteuid")


def private_folder(path: Path) -> Path:
    """The folder at `path`, made with mode 0700 if absent; Invalid if others may enter it."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check(path.stat(), path, allowed=0o700)
    except OSError as error:
        raise Unavailable(f"The folder {path} cannot be used: {error.strerror}.", retry=False) from None
    return path


def write_private(path: Path, data: bytes) -> None:
    """Replaces the file at `path` (mode 0600) by `data`; after a crash either the old bytes are there or the new."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}.", retry=False) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
        _remember_name(path.parent)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise Unavailable(f"{path} cannot be written: {error.strerror}.", retry=False) from None


def read_private(path: Path, *, largest: int) -> bytes:
    """The bytes of the file at `path`; Invalid if it is a link, too large, or others may read or write it."""
    try:
        handle = os.open(path, os.O_RDONLY | _OPEN_WITHOUT_LINKS | _OPEN_WITHOUT_WAITING)
    except FileNotFoundError:
        raise Invalid(f"There is no file {path}.") from None
    except OSError as error:
        raise Invalid(f"{path} cannot be opened: {error.strerror}.") from None
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise Invalid(f"{path} is not a file.")
    with os.fdopen(handle, "rb") as file:
        _check(status, path, allowed=0o600)
        data = file.read(largest + 1)
    if len(data) > largest:
        raise Invalid(f"{path} is larger than {largest} bytes.")
    return data


def _check(status: os.stat_result, path: Path, *, allowed: int) -> None:
    if not _HAS_OWNERS:
        return
    if status.st_uid != os.geteuid():
        raise Invalid(f"{path} belongs to another user.", next=f"sudo chown {os.geteuid()} {path}")
    if stat.S_IMODE(status.st_mode) & ~allowed:
        raise Invalid(
            f"{path} is open to others.",
            why=f"its mode is {stat.S_IMODE(status.st_mode):04o}, at most {allowed:04o} keeps a secret",
            next=f"chmod {allowed:o} {path}",
        )


def _remember_name(folder: Path) -> None:
    """Makes the new name itself survive a power loss; some systems cannot open a folder and need no such thing."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
