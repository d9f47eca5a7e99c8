"""What an agent decided, written down before anybody hears of it.

A market punishes those who say two things: two commitments for one job, two escrows for one training, two bases
for one round. An agent that is killed and started again must therefore say the same thing again. So everything
that cannot be derived (nonces, secrets, shares, seeds, directions, whom it drew) is *decided*: made once,
stored durably, and only then sent. `decide` returns what was decided before, if anything was; else it makes it,
and returns it only after it has survived a power loss. There is no way to change a decision.

What may change (a delivery that is done, a word of explanation) is *noted*: forgetting a note repeats harmless
work, forgetting a decision would not be harmless.

One SQLite file per profile, WAL with `synchronous=FULL`. A running agent and a command of the same profile
write it together; each decision is one immediate transaction, so whoever comes second reads what the first one
decided.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self, TypeVar

import msgspec

from freehold.errors import Broken, Invalid, Unavailable

_APPLICATION: Final = 0x46484A4C
_VERSION: Final = 1
_WAIT_SECONDS: Final = 10.0
_TABLES: Final = (
    "CREATE TABLE decision (kind TEXT, subject TEXT, body BLOB NOT NULL, PRIMARY KEY (kind, subject)) STRICT",
    "CREATE TABLE note (kind TEXT, subject TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, subject)) STRICT",
)


class Decision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that is decided once; its class is its kind. Shows no field, since most of them are secret."""

    def __repr__(self) -> str:
        """Names the kind and nothing of the content."""
        return f"<{type(self).__name__}>"


D = TypeVar("D", bound=Decision)


class Journal(Protocol):
    """What an agent needs of its journal."""

    def decide(self, kind: type[D], subject: str, make: Callable[[], D]) -> D:
        """What was decided about `subject`; if nothing was, what `make` returns, which is durable from then on."""
        ...

    def decided(self, kind: type[D], subject: str) -> D | None:
        """What was decided about `subject`, or None."""
        ...

    def all_decided(self, kind: type[D]) -> dict[str, D]:
        """Every decision of one kind by subject, ascending."""
        ...

    def note(self, kind: str, subject: str, text: str) -> None:
        """Remembers `text` about `subject`, instead of what was noted before."""
        ...

    def noted(self, kind: str, subject: str) -> str | None:
        """What was noted about `subject`, or None."""
        ...


class JournalFile:
    """A journal in one SQLite file; made if absent, mode 0600."""

    def __init__(self, path: Path) -> None:
        """Opens the journal at `path`; Invalid if that file is something else, Unavailable if it cannot be used."""
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._file = sqlite3.connect(path, isolation_level=None, timeout=_WAIT_SECONDS)
            self._prepare(path)
        except OSError as error:
            raise Unavailable(f"The journal {path} cannot be opened: {error.strerror}.", retry=False) from None
        except sqlite3.DatabaseError as error:
            raise Invalid(f"{path} is not a journal: {error}.") from None

    def _prepare(self, path: Path) -> None:
        run = self._file.execute
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        run("BEGIN IMMEDIATE")
        application, version = run("PRAGMA application_id").fetchone()[0], run("PRAGMA user_version").fetchone()[0]
        if (application, version) == (0, 0) and not run("SELECT 1 FROM sqlite_schema").fetchone():
            for statement in _TABLES:
                run(statement)
            run(f"PRAGMA application_id = {_APPLICATION}")
            run(f"PRAGMA user_version = {_VERSION}")
        elif (application, version) != (_APPLICATION, _VERSION):
            run("ROLLBACK")
            raise Invalid(f"{path} is not a journal of this version of Freehold.")
        run("COMMIT")

    def decide(self, kind: type[D], subject: str, make: Callable[[], D]) -> D:
        """What was decided about `subject`; if nothing was, what `make` returns, which is durable from then on."""
        known = self.decided(kind, subject)
        if known is not None:
            return known
        # Made outside the transaction: it may take seconds, and another process may want to write meanwhile.
        made = make()
        self._write(
            "INSERT OR IGNORE INTO decision VALUES (?, ?, ?)", kind.__name__, subject, msgspec.json.encode(made)
        )
        # Another process may have decided between the two; then its decision is the one that holds for both.
        stored = self.decided(kind, subject)
        if stored is None:
            raise Broken(f"The journal lost a {kind.__name__} that it had just stored.")
        return stored

    def decided(self, kind: type[D], subject: str) -> D | None:
        """What was decided about `subject`, or None."""
        rows = self._read("SELECT body FROM decision WHERE kind = ? AND subject = ?", kind.__name__, subject)
        return _decode(kind, rows[0][0]) if rows else None

    def all_decided(self, kind: type[D]) -> dict[str, D]:
        """Every decision of one kind by subject, ascending."""
        rows = self._read("SELECT subject, body FROM decision WHERE kind = ? ORDER BY subject", kind.__name__)
        return {subject: _decode(kind, body) for subject, body in rows}

    def note(self, kind: str, subject: str, text: str) -> None:
        """Remembers `text` about `subject`, instead of what was noted before."""
        self._write("INSERT OR REPLACE INTO note VALUES (?, ?, ?)", kind, subject, text)

    def noted(self, kind: str, subject: str) -> str | None:
        """What was noted about `subject`, or None."""
        rows = self._read("SELECT body FROM note WHERE kind = ? AND subject = ?", kind, subject)
        return rows[0][0] if rows else None

    def _read(self, statement: str, *values: object) -> list[Any]:
        try:
            return self._file.execute(statement, values).fetchall()
        except sqlite3.OperationalError as error:
            raise Unavailable(f"The journal cannot be read: {error}.") from None
        except sqlite3.DatabaseError as error:
            raise Broken(f"The journal is damaged: {error}.", next="restore it from a backup") from None

    def _write(self, statement: str, *values: object) -> None:
        try:
            self._file.execute(statement, values)
        except sqlite3.OperationalError as error:
            raise Unavailable(f"The journal cannot be written: {error}.", now="nothing was sent") from None
        except sqlite3.DatabaseError as error:
            raise Broken(f"The journal is damaged: {error}.", next="restore it from a backup") from None

    def version(self) -> int:
        """A number that changes when another process has written: its wishes are waiting to be carried out."""
        return int(self._read("PRAGMA data_version")[0][0])

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _decode(kind: type[D], body: bytes) -> D:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise Broken(f"The journal holds a {kind.__name__} that cannot be read: {error}.") from None
