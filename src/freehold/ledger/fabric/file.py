"""The blocks that were made of Fabric's, on disk, and how far Fabric's have been read: both in one transaction.

    chain     whose file this is: network, channel and chaincode
    reading   the number of Fabric's next block, the digest of the one before it, and what the ledger's clock said then
    blocks    one row for each block of `ledger.blocks`, whole

So a node that stops at any moment goes on where it stopped: no block is made twice, and none is left out. The peer
keeps Fabric's blocks, synced, so what a power loss takes from this file is made again; the file itself need not wait
for the disk.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from freehold.errors import Broken, Invalid, Unavailable
from freehold.ledger.blocks import Body
from freehold.ledger.fabric.clock import Clock
from freehold.ledger.fabric.envelope import Place

FORMAT: Final = "freehold/fabric/2"

_SCHEMA = """
CREATE TABLE chain(
    one INTEGER PRIMARY KEY CHECK (one = 1), format TEXT NOT NULL, network BLOB NOT NULL,
    channel TEXT NOT NULL, chaincode TEXT NOT NULL
) STRICT;
CREATE TABLE reading(
    one INTEGER PRIMARY KEY CHECK (one = 1), next INTEGER NOT NULL, digest BLOB NOT NULL,
    time INTEGER NOT NULL, tick_block INTEGER, tick_place INTEGER
) STRICT;
CREATE TABLE blocks(
    height INTEGER PRIMARY KEY, header BLOB NOT NULL, actions BLOB NOT NULL, results BLOB NOT NULL,
    events BLOB NOT NULL, writes BLOB NOT NULL
) STRICT;
INSERT INTO reading VALUES (1, 0, x'', 0, NULL, NULL);
"""
_BLOCK = "height, header, actions, results, events, writes"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBlock:
    """A block of accepted actions."""

    height: int
    header: bytes
    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far Fabric's blocks have been read."""

    next: int
    digest: bytes
    """Of the block before it; empty before the first."""
    clock: Clock
    """As the block before it left it."""


class BlockFile:
    """An open file of one process; safe to use from many threads."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._turn = threading.Lock()

    @classmethod
    def open(cls, path: Path, network: bytes, place: Place) -> BlockFile:
        """Opens the file, creating it if there is none; Invalid if it is another ledger's, Unavailable if in use."""
        connection: sqlite3.Connection | None = None
        try:
            connection = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
            # A second process would make the same blocks a second time.
            for pragma in (
                "locking_mode=EXCLUSIVE",
                "trusted_schema=OFF",
                "cell_size_check=ON",
                "journal_mode=WAL",
                "synchronous=NORMAL",
            ):
                connection.execute(f"PRAGMA {pragma}")
            if connection.execute("SELECT 1 FROM sqlite_schema").fetchone() is None:
                connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
            own = (FORMAT, network, place.channel, place.chaincode)
            connection.execute("INSERT OR IGNORE INTO chain VALUES (1, ?, ?, ?, ?)", own)
            found = connection.execute("SELECT format, network, channel, chaincode FROM chain").fetchall()
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            raise _unreadable(path, error) from None
        if found != [own]:
            connection.close()
            raise Invalid(f"{path} belongs to another network or channel, or is of another format than {FORMAT}")
        return cls(connection, path)

    def cursor(self) -> Cursor:
        """From where to go on."""
        ((following, digest, time, *version),) = self._rows(
            "SELECT next, digest, time, tick_block, tick_place FROM reading"
        )
        clock = Clock(time, None if None in version else (version[0], version[1]))
        return Cursor(next=following, digest=digest, clock=clock)

    def append(self, made: Sequence[StoredBlock], cursor: Cursor) -> None:
        """Keeps what was made of one block of Fabric, and that it was read; Broken if it cannot be kept."""
        rows = [
            (each.height, each.header, each.body.actions, each.body.results, each.body.events, each.body.writes)
            for each in made
        ]
        read = (cursor.next, cursor.digest, cursor.clock.time, *(cursor.clock.version or (None, None)))
        with self._turn:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany(f"INSERT INTO blocks({_BLOCK}) VALUES (?, ?, ?, ?, ?, ?)", rows)  # noqa: S608
                self._connection.execute(
                    "UPDATE reading SET next = ?, digest = ?, time = ?, tick_block = ?, tick_place = ?", read
                )
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise Broken(
                    f"the ledger cannot write to {self._path}: {error}",
                    next="make room or mend the disk and start again: the peer hands over what is missing",
                ) from None

    def blocks(self, after: int, limit: int) -> list[StoredBlock]:
        """At most `limit` blocks above the height `after`, ascending."""
        query = f"SELECT {_BLOCK} FROM blocks WHERE height > ? ORDER BY height LIMIT ?"  # noqa: S608
        return [_block(row) for row in self._rows(query, after, limit)]

    def close(self) -> None:
        """Closes the file."""
        with self._turn:
            self._connection.close()

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            with self._turn:
                return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise _unreadable(self._path, error) from None


def _unreadable(path: Path, error: sqlite3.Error) -> Unavailable:
    return Unavailable(f"the ledger's file {path} cannot be read: {error}", next="check the folder and its rights")


def _block(row: tuple[Any, ...]) -> StoredBlock:
    height, header, actions, results, events, writes = row
    body = Body(actions=actions, results=results, events=events, writes=writes)
    return StoredBlock(height=height, header=header, body=body)
