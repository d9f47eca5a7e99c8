"""The blocks on disk: one row for each block in one SQLite file, and nothing else that matters.

The file is in WAL mode with `synchronous=FULL`: SQLite syncs the log before COMMIT returns, and at the next start it
takes a transaction from the log only if all its frames carry the right checksums. So a row is wholly there or wholly
absent whatever happened to the machine, and there for good once `append` returned. (With `NORMAL` acknowledged blocks
are lost: measured, `docs/decisions`.)

Only one process may write. Whoever opens the file for writing holds an exclusive lock on a second, empty database
beside it, `<file>-lock`, until it ends, by whatever death: the operating system takes the lock back. Readers (an audit
of a running ledger) need no lock.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from freehold.errors import Broken, FreeholdError, Invalid, Unavailable
from freehold.ledger.blocks import Body

_FAMILY = "freehold/ledger/"
FORMAT = f"{_FAMILY}1"

_SCHEMA = (
    """CREATE TABLE ledger(
    one INTEGER PRIMARY KEY CHECK (one = 1), format TEXT NOT NULL, network BLOB NOT NULL, operator BLOB NOT NULL
) STRICT""",
    """CREATE TABLE blocks(
    height INTEGER PRIMARY KEY, header BLOB NOT NULL, signature BLOB NOT NULL, actions BLOB NOT NULL,
    results BLOB NOT NULL, events BLOB NOT NULL, writes BLOB NOT NULL
) STRICT""",
)
_COLUMNS = "height, header, signature, actions, results, events, writes"
_LARGEST_VALUE = 128 * 2**20
"""Bytes of one column that are read: a block is far smaller, a forged file may claim more."""
_PASSING = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN}
"""Primary result codes after which SQLite has rolled back and the same call may succeed later."""
_TROUBLE = (sqlite3.Error, UnicodeDecodeError)
"""What reading a file raises: SQLite quotes it in its messages, and what it quotes need not be UTF-8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One stored block."""

    height: int
    header: bytes
    signature: bytes
    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """Whose blocks a file holds."""

    network: bytes
    """The canonical network record."""
    operator: bytes
    """The operator's public key, 32 bytes."""


class BlockFile:
    """An open file of blocks. One thread appends; any thread reads."""

    def __init__(
        self, connection: sqlite3.Connection, title: Title, path: Path, lock: sqlite3.Connection | None
    ) -> None:
        self.title = title
        self._connection = connection
        self._path = path
        self._lock = lock
        self._turn = threading.Lock()

    @classmethod
    def open(cls, path: Path, title: Title) -> BlockFile:
        """Opens the file for writing, creating it if there is none; Invalid if it is another network's or operator's.

        Raises Unavailable if another process has it open or the disk does not allow it, Invalid if it is no ledger.
        """
        # Beside the file itself, whatever link led to it: SQLite puts its log there too.
        lock = _take_lock(path.resolve())
        try:
            connection = _connect(path, "rwc")
            found = _create(connection, title) if _is_empty(connection) else _read_title(connection, path)
            if found != title:
                raise Invalid(f"{path} belongs to another network or another operator's key")
            # At every start, not only at the first: whoever created the file may have been killed before this line.
            # Without it a power loss could take the file's name away, and with it everything acknowledged since.
            sync_folder(path.resolve().parent)
        except (FreeholdError, OSError, *_TROUBLE) as error:
            lock.close()
            raise _explained(error, path) from None
        return cls(connection, title, path, lock)

    @classmethod
    def read(cls, path: Path) -> BlockFile:
        """Opens an existing file for reading alone; Invalid if it is no ledger, Unavailable if there is none."""
        if not path.is_file():
            raise Unavailable(f"there is no ledger at {path}", retry=False)
        try:
            connection = _connect(path, "ro")
            return cls(connection, _read_title(connection, path), path, None)
        except _TROUBLE as error:
            raise _explained(error, path) from None

    def append(self, row: Row) -> None:
        """Makes one block durable: when this returns, the row survives a power loss.

        Raises Unavailable if nothing was recorded and it may work later (disk full, read-only), Broken if what the
        disk holds is no longer known.
        """
        body = row.body
        values = (row.height, row.header, row.signature, body.actions, body.results, body.events, body.writes)
        with self._turn:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.execute(f"INSERT INTO blocks({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", values)  # noqa: S608
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise _write_trouble(error, self._path) from None

    def rows(self, after: int, limit: int) -> Iterator[Row]:
        """At most `limit` blocks above the height `after`, ascending; Invalid where the file cannot be read."""
        query = f"SELECT {_COLUMNS} FROM blocks WHERE height > ? ORDER BY height LIMIT ?"  # noqa: S608
        for _ in range(limit):
            try:
                with self._turn:
                    found = self._connection.execute(query, (after, 1)).fetchone()
            except _TROUBLE as error:
                raise _explained(error, self._path) from None
            if found is None:
                return
            yield _row(found)
            after = found[0]

    def newest(self) -> int:
        """The height of the newest block; 0 without any."""
        return int(self._ask("SELECT coalesce(max(height), 0) FROM blocks")[0])

    def require_whole_pages(self) -> None:
        """Invalid if SQLite finds anything wrong with the pages of the file."""
        (found,) = self._ask("PRAGMA integrity_check(1)")
        if found != "ok":
            raise _explained(sqlite3.DatabaseError(str(found)), self._path)

    def copy(self, target: Path, told: Callable[[int, int], None]) -> None:
        """Copies the file as it is now to a new one, whatever is written meanwhile; it is on the disk at the end.

        `told` is told pages that are copied, and all pages. Unavailable if there is no room.
        """
        try:
            with self._turn, closing(sqlite3.connect(target, isolation_level=None)) as copy:
                # What the copy shows is the moment of this read: it holds whatever a node appends in another process.
                self._connection.execute("BEGIN")
                self._connection.execute("SELECT 1 FROM ledger").fetchone()
                try:
                    self._connection.backup(copy, pages=512, progress=lambda _, left, pages: told(pages - left, pages))
                finally:
                    self._connection.execute("ROLLBACK")
        except _TROUBLE as error:
            raise _explained(error, target) from None
        with target.open("rb") as file:
            os.fsync(file.fileno())

    def _ask(self, query: str) -> tuple[Any, ...]:
        try:
            with self._turn:
                found: tuple[Any, ...] = self._connection.execute(query).fetchone()
        except _TROUBLE as error:
            raise _explained(error, self._path) from None
        return found

    def close(self) -> None:
        """Folds the log back into the file, so that one file remains, and lets the lock go."""
        with self._turn:
            self._connection.close()
            if self._lock is not None:
                self._lock.close()


def _row(found: tuple[Any, ...]) -> Row:
    height, header, signature, actions, results, events, writes = found
    # The tables are strict, but a damaged page may hold a value of another kind.
    if not all(type(part) is bytes for part in found[1:]):
        raise Invalid(f"block {height} of the file is damaged")
    body = Body(actions=actions, results=results, events=events, writes=writes)
    return Row(height=height, header=header, signature=signature, body=body)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    if mode == "ro" and not path.with_name(path.name + "-wal").exists():
        # Nobody has it open: without this, SQLite wants to create its log beside a file that we may only read.
        uri += "&immutable=1"
    connection = sqlite3.connect(uri, uri=True, timeout=5.0, isolation_level=None, check_same_thread=False)
    # a damaged page, or a stranger, may hold text that is not UTF-8
    connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_VALUE)
    # A file from a stranger must not run anything of its own: no functions in its schema, no cell read unchecked.
    for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0"):
        connection.execute(f"PRAGMA {pragma}")
    if mode != "ro":
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "fullfsync=ON", "checkpoint_fullfsync=ON"):
            connection.execute(f"PRAGMA {pragma}")
    return connection


def _is_empty(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_schema").fetchone() is None


def _create(connection: sqlite3.Connection, title: Title) -> Title:
    """Writes the tables and the title in one transaction: a file has all of it or is still empty."""
    connection.execute("BEGIN IMMEDIATE")
    for statement in _SCHEMA:
        connection.execute(statement)
    connection.execute("INSERT INTO ledger VALUES (1, ?, ?, ?)", (FORMAT, title.network, title.operator))
    connection.execute("COMMIT")
    return title


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder survive a power loss: a new file's name lies there, and nobody else syncs it."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_title(connection: sqlite3.Connection, path: Path) -> Title:
    _refuse_other_format(connection, path)
    schema = {text for (text,) in connection.execute("SELECT sql FROM sqlite_schema LIMIT 9")}
    if schema != set(_SCHEMA):
        raise Invalid(f"{path} is an SQLite file, but not a ledger of Freehold")
    found = connection.execute("SELECT format, network, operator FROM ledger LIMIT 2").fetchall()
    if len(found) != 1 or found[0][0] != FORMAT:
        raise Invalid(f"{path} is a ledger of another format than {FORMAT}")
    if not all(type(part) is bytes for part in found[0][1:]):
        raise Invalid(f"the first page of {path} is damaged")
    return Title(network=found[0][1], operator=found[0][2])


def _refuse_other_format(connection: sqlite3.Connection, path: Path) -> None:
    """Invalid for a ledger of another format, whose tables need not be ours: it is named, not called a stranger's."""
    columns = {name for (name,) in connection.execute("SELECT name FROM pragma_table_info('ledger') LIMIT 99")}
    if "format" not in columns:
        return
    found = connection.execute("SELECT format FROM ledger LIMIT 1").fetchone()
    if found is None or not isinstance(found[0], str) or not found[0].startswith(_FAMILY) or found[0] == FORMAT:
        return
    raise Invalid(
        f"{path} is a ledger of the format {_printable(found[0][:40])}, this version of Freehold reads {FORMAT}",
        why="a newer version wrote it; read by older rules it would be misread",
        next="install the version that wrote it, or a newer one",
        now="nothing was changed",
    )


def _take_lock(path: Path) -> sqlite3.Connection:
    lock = None
    try:
        lock = sqlite3.connect(f"{path}-lock", timeout=0.0, isolation_level=None, check_same_thread=False)
        # Nothing is ever written to it, so it needs no journal beside it either.
        lock.execute("PRAGMA journal_mode=MEMORY")
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        if lock is not None:
            lock.close()
        if _primary(error) == sqlite3.SQLITE_BUSY:
            raise Unavailable(
                f"another process has the ledger {path} open",
                why="two nodes that write one file would fork it",
                next="stop the other node, or give this one a folder of its own",
                now="nothing was changed",
                retry=False,
            ) from None
        raise _explained(error, path) from None
    return lock


def _write_trouble(error: sqlite3.Error, path: Path) -> FreeholdError:
    """What a failed write means. Full or read-only: SQLite rolled back, no commit frame reached the log. Anything else
    (an input or output error, above all a failed sync) leaves open whether the row is on disk."""
    if _primary(error) in _PASSING:
        return Unavailable(
            f"the ledger cannot write to {path}: {error}",
            next="make room on the disk or make it writable; nothing needs to be restarted",
            now="the action was not recorded; the ledger still answers questions",
            retry_after=1.0,
        )
    return Broken(
        f"the ledger failed to write to {path}: {error}",
        why="after a failed write nobody knows what the disk holds, so nothing more is written",
        next="check the disk, then start the node again: it reads back what is there",
        now="sent, outcome unknown; the ledger still answers questions",
    )


def _explained(error: Exception, path: Path) -> FreeholdError:
    if isinstance(error, FreeholdError):
        return error
    if isinstance(error, OSError) or (isinstance(error, sqlite3.Error) and _primary(error) in _PASSING):
        return Unavailable(f"the ledger {path} cannot be opened: {error}", next="check the folder, its rights and room")
    said = "its text is not Unicode" if isinstance(error, UnicodeDecodeError) else str(error)
    return Invalid(f"{path} cannot be read as a ledger: {_printable(said[:200])}", next="restore it from a copy")


def _printable(said: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in said)


def _primary(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
