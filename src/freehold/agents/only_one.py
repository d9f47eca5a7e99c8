"""At most one process at a time: a lock that dies with its holder.

The lock is an open transaction on a small SQLite file. The operating system drops it when the process ends,
however it ends, so a `kill -9` leaves nothing behind that a person would have to remove; and it works on every
system that SQLite works on. Before the lock is held the process writes its number, which stays readable to
those who wait.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from freehold.errors import Unavailable


@contextmanager
def only_one(path: Path, what: str, *, wait: float = 0.0) -> Iterator[None]:
    """Holds the lock at `path` inside a with-block; Unavailable, naming its holder, after `wait` seconds."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=wait)
    try:
        try:
            connection.execute("CREATE TABLE IF NOT EXISTS holder (process INTEGER NOT NULL) STRICT")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM holder")
            connection.execute("INSERT INTO holder VALUES (?)", (os.getpid(),))
            connection.execute("COMMIT")
            # Between the two transactions another process may come first; then it is the holder, and we are not.
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            raise _taken(path, what) from None
        yield
    finally:
        connection.close()


def _taken(path: Path, what: str) -> Unavailable:
    holder = ""
    try:
        with closing(sqlite3.connect(path, timeout=0.0)) as reader:
            row = reader.execute("SELECT process FROM holder").fetchone()
            holder = f" as process {row[0]}" if row else ""
    except sqlite3.OperationalError:
        pass
    return Unavailable(
        f"{what} already runs{holder}.",
        why="two of them would decide the same things twice",
        next="stop the other one first, or let it do the work",
        now="nothing was done",
        retry=False,
    )
