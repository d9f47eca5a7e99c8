"""The folder that a demo leaves behind: it appears whole, replaces only an earlier one of ours, or does not appear."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from freehold.errors import Invalid, Unavailable
from freehold.learning.whole_folder import new_parents

SUMMARY: Final = "summary.json"
SCHEMA: Final = "freehold/demo/1"
_ROOM: Final = 32 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """By what a folder shows who made it: a JSON file in it, and its schema."""

    file: str
    schema: str
    maker: str


DEMO: Final = Mark(file=SUMMARY, schema=SCHEMA, maker="a demo")


@contextmanager
def output_folder(path: Path, mark: Mark = DEMO) -> Iterator[Path]:
    """A hidden folder beside `path` that takes its place when the with-block ends without trouble.

    Raises Invalid if something lies at `path` that bears another mark, Unavailable if the disk refuses.
    """
    path = path.absolute()
    require_replaceable(path, mark)
    with ExitStack() as stack:
        try:
            stack.enter_context(new_parents(path))
            hidden = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
            stack.callback(shutil.rmtree, hidden, ignore_errors=True)
            _require_room(path, shutil.disk_usage(hidden).free)
        except OSError as error:
            raise cannot_write(path, error) from None
        yield hidden
        hidden.chmod(0o755)
        require_replaceable(path, mark)
        _move(hidden, path)


def require_replaceable(path: Path, mark: Mark = DEMO) -> None:
    """Invalid if something lies at `path` that does not bear the mark: it may be somebody's work."""
    try:
        if not os.path.lexists(path) or (path.is_dir() and not any(path.iterdir())):
            return
    except OSError as error:
        raise cannot_write(path, error) from None
    try:
        schema = json.loads((path / mark.file).read_bytes()).get("schema")
    except (OSError, ValueError, AttributeError):
        schema = None
    if schema != mark.schema:
        raise Invalid(
            f"{path} exists and was not made by {mark.maker}.",
            code="out",
            next="name another folder with --out",
            now="nothing was started or changed",
        )


def _require_room(path: Path, free: int) -> None:
    """A disk that would be full in the end is told in the beginning, not after minutes of work."""
    if free < _ROOM:
        raise Unavailable(
            f"{path} cannot be written: {free // 2**20} MiB are free there.",
            code="out",
            why=f"what is made on the way and left behind needs room; {_ROOM // 2**20} MiB are enough for most",
            next="free space on that disk, or name a folder on another with --out",
            now="nothing was started",
            retry=False,
        )


def _move(hidden: Path, path: Path) -> None:
    old = hidden.with_name(hidden.name + ".old")
    try:
        if path.exists():
            path.rename(old)
        hidden.rename(path)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        # stopped between the two: the earlier folder is still the whole one
        if old.exists() and not path.exists():
            old.rename(path)
        shutil.rmtree(old, ignore_errors=True)


def cannot_write(path: Path, error: OSError) -> Unavailable:
    """What a person is told whose disk refuses the folder."""
    return Unavailable(
        f"{path} cannot be written: {error.strerror}.",
        code="out",
        next="free space on that disk, or name a folder on another with --out",
        now="nothing is left behind",
        retry=False,
    )
