"""What the application has committed, on disk: per block of CometBFT one transaction, all of it or nothing.

    chain     whose file this is
    commits   one row for each block of CometBFT: the root of the state after it
    ordered   one row for each transaction: its place, its digest, and why it was refused if it was
    blocks    one row for each block in which something was accepted: the block of `ledger.blocks`, whole

The application writes, in Commit alone; whoever follows reads from another process at the same time. A file that is
lost or older than the node's blocks is made up for by the node, which hands over every later block again.

A file may also begin with a snapshot of others (`restoration`): then all blocks up to it are there, of the commits only
its own, and of what was ordered nothing that came before.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freehold.errors import Broken, Invalid, Unavailable
from freehold.ledger.blocks import Body

FORMAT = "freehold/cometbft/1"

_SCHEMA = """
CREATE TABLE chain(
    one INTEGER PRIMARY KEY CHECK (one = 1), format TEXT NOT NULL, network BLOB NOT NULL
) STRICT;
CREATE TABLE commits(height INTEGER PRIMARY KEY, root BLOB NOT NULL) STRICT;
CREATE TABLE ordered(
    height INTEGER NOT NULL, place INTEGER NOT NULL, digest BLOB NOT NULL, refusal BLOB, PRIMARY KEY (height, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX ordered_digest ON ordered(digest);
CREATE TABLE blocks(
    height INTEGER PRIMARY KEY, header BLOB NOT NULL, actions BLOB NOT NULL, results BLOB NOT NULL,
    events BLOB NOT NULL, writes BLOB NOT NULL
) STRICT;
"""
_BLOCK = "height, header, actions, results, events, writes"
_PORTION = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBlock:
    """A block of accepted actions."""

    height: int
    header: bytes
    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """A transaction at its place."""

    height: int
    """Of CometBFT's block."""
    place: int
    digest: bytes
    refusal: bytes | None
    """Why it was refused, as `transport.trouble` writes it; None if it was accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What one block of CometBFT changed."""

    height: int
    root: bytes
    """Of the state tree afterwards."""
    ordered: Sequence[Ordered]
    block: StoredBlock | None
    """None if nothing was accepted."""


class CommitFile:
    """An open file. One thread writes; any thread reads."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._turn = threading.Lock()

    @classmethod
    def open(cls, path: Path, network: bytes) -> CommitFile:
        """Opens the file for writing, creating it if there is none; Invalid if it is another network's."""
        try:
            connection = _connect(path, "rwc")
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "fullfsync=ON"):
                connection.execute(f"PRAGMA {pragma}")
            if connection.execute("SELECT 1 FROM sqlite_schema").fetchone() is None:
                connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
            connection.execute("INSERT OR IGNORE INTO chain VALUES (1, ?, ?)", (FORMAT, network))
            _require_own(connection, path, network)
        except sqlite3.Error as error:
            raise _unreadable(path, error) from None
        return cls(connection, path)

    @classmethod
    def read(cls, path: Path, network: bytes) -> CommitFile:
        """Opens an existing file for reading alone; Unavailable if there is none so far."""
        if not path.is_file():
            raise Unavailable(f"the application has not begun its file {path} yet", retry_after=0.1)
        try:
            connection = _connect(path, "ro")
            _require_own(connection, path, network)
        except sqlite3.Error as error:
            raise _unreadable(path, error) from None
        return cls(connection, path)

    def last(self) -> tuple[int, bytes | None]:
        """The height of the newest block of CometBFT in the file and the root after it; 0 and None before the first."""
        found = self._rows("SELECT height, root FROM commits ORDER BY height DESC LIMIT 1")
        return found[0] if found else (0, None)

    def tip_at(self, commit: int) -> int | None:
        """How many blocks of accepted actions there were after CometBFT's block `commit`; None if it is not here."""
        # One statement sees one moment, and each block of CometBFT made at most one.
        query = (
            "SELECT (SELECT COALESCE(MAX(height), 0) FROM blocks) - (SELECT COUNT(DISTINCT height) FROM ordered "
            "WHERE height > ?1 AND refusal IS NULL) FROM commits WHERE height = ?1"
        )
        found = self._rows(query, commit)
        return int(found[0][0]) if found else None

    def reader(self) -> CommitFile:
        """The same file once more, for reading alone, so that a long question keeps no commit waiting."""
        try:
            return CommitFile(_connect(self._path, "ro"), self._path)
        except sqlite3.Error as error:
            raise _unreadable(self._path, error) from None

    def restoring(self) -> Restoring:
        """Begins to take over a snapshot; Broken if the file holds a history that the application executed itself."""
        if self._rows("SELECT COUNT(*) FROM commits")[0][0] > 1:
            raise Broken(
                f"a snapshot is offered, but {self._path} holds a history of its own",
                next="keep the file as evidence and remove it, or do not ask for a snapshot",
            )
        return Restoring(self._path)

    def append(self, committed: Committed) -> None:
        """Makes one block of CometBFT durable; Broken if it cannot be, since the application must not go on then."""
        with self._turn:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                self._write(committed)
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise Broken(
                    f"the application cannot write to {self._path}: {error}",
                    next="make room or mend the disk and start again: the node hands over what is missing",
                ) from None

    def blocks(self, after: int, limit: int) -> list[StoredBlock]:
        """At most `limit` blocks of accepted actions above the height `after`, ascending."""
        query = f"SELECT {_BLOCK} FROM blocks WHERE height > ? ORDER BY height LIMIT ?"  # noqa: S608
        return [_block(row) for row in self._rows(query, after, limit)]

    def commits(self, after: int) -> list[int]:
        """Some heights of CometBFT's blocks above `after`, ascending; empty at the end."""
        rows = self._rows("SELECT height FROM commits WHERE height > ? ORDER BY height LIMIT ?", after, _PORTION)
        return [height for (height,) in rows]

    def ordered(self, first: int, last: int) -> list[Ordered]:
        """The transactions of CometBFT's blocks from `first` to `last`, in their order."""
        query = "SELECT height, place, digest, refusal FROM ordered WHERE height BETWEEN ? AND ? ORDER BY height, place"
        return [_ordered(row) for row in self._rows(query, first, last)]

    def recorded(self) -> Iterator[bytes]:
        """The digests of all transactions that were accepted."""
        with self._turn:
            rows = self._connection.execute("SELECT digest FROM ordered WHERE refusal IS NULL")
            while some := rows.fetchmany(_PORTION):
                yield from (digest for (digest,) in some)

    def place(self, digest: bytes) -> Ordered | None:
        """Where a transaction was ordered and accepted, or last refused; None if it was not ordered so far."""
        query = (
            "SELECT height, place, digest, refusal FROM ordered WHERE digest = ? "
            "ORDER BY refusal IS NULL DESC, height DESC, place DESC LIMIT 1"
        )
        found = self._rows(query, digest)
        return _ordered(found[0]) if found else None

    def close(self) -> None:
        """Closes the file."""
        with self._turn:
            self._connection.close()

    def _write(self, committed: Committed) -> None:
        execute = self._connection.execute
        execute("INSERT INTO commits VALUES (?, ?)", (committed.height, committed.root))
        rows = [(each.height, each.place, each.digest, each.refusal) for each in committed.ordered]
        self._connection.executemany("INSERT INTO ordered VALUES (?, ?, ?, ?)", rows)
        if committed.block is not None:
            _insert(self._connection, committed.block)

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            with self._turn:
                return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise _unreadable(self._path, error) from None


class Restoring:
    """A snapshot on its way into the file: one transaction, so all of it is seen at once or nothing, crash or not.

    One thread. Whatever the file held is replaced, also at once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._connection: sqlite3.Connection | None = _connect(path, "rw")
            for statement in ("PRAGMA synchronous=FULL", "PRAGMA fullfsync=ON", "BEGIN IMMEDIATE"):
                self._connection.execute(statement)
            for table in ("commits", "ordered", "blocks"):
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608
        except sqlite3.Error as error:
            raise self._unwritable(error) from None

    def add(self, block: StoredBlock) -> None:
        """Writes the next block; Broken if that is not possible."""
        try:
            _insert(self._open(), block)
        except sqlite3.Error as error:
            raise self._unwritable(error) from None

    def finish(self, height: int, root: bytes) -> None:
        """Makes the snapshot durable and seen, as that of CometBFT's block at this height; Broken if it cannot be."""
        connection = self._open()
        try:
            connection.execute("INSERT INTO commits VALUES (?, ?)", (height, root))
            connection.execute("COMMIT")
            # The whole chain lies in the write-ahead log now: moved here and now, it holds up no commit later.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.Error as error:
            raise self._unwritable(error) from None
        self.discard()

    def discard(self) -> None:
        """Takes back what was not finished."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise Broken("a snapshot goes on that was finished or discarded")
        return self._connection

    def _unwritable(self, error: sqlite3.Error) -> Broken:
        return Broken(f"the application cannot write to {self._path}: {error}", next="make room and start again")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=5.0, isolation_level=None, check_same_thread=False)
    for pragma in ("trusted_schema=OFF", "cell_size_check=ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _require_own(connection: sqlite3.Connection, path: Path, network: bytes) -> None:
    if connection.execute("SELECT format, network FROM chain").fetchall() != [(FORMAT, network)]:
        raise Invalid(f"{path} belongs to another network, or is of another format than {FORMAT}")


def _unreadable(path: Path, error: sqlite3.Error) -> Unavailable:
    return Unavailable(f"the application's file {path} cannot be read: {error}", next="check the folder and its rights")


def _insert(connection: sqlite3.Connection, block: StoredBlock) -> None:
    body = block.body
    values = (block.height, block.header, body.actions, body.results, body.events, body.writes)
    connection.execute(f"INSERT INTO blocks({_BLOCK}) VALUES (?, ?, ?, ?, ?, ?)", values)  # noqa: S608


def _block(row: tuple[Any, ...]) -> StoredBlock:
    height, header, actions, results, events, writes = row
    body = Body(actions=actions, results=results, events=events, writes=writes)
    return StoredBlock(height=height, header=header, body=body)


def _ordered(row: tuple[Any, ...]) -> Ordered:
    height, place, digest, refusal = row
    return Ordered(height=height, place=place, digest=digest, refusal=refusal)
