"""What a disk may hold after a power loss: every write that was not synced may be there, missing, or there in part.

A ledger's file is written through a file system of SQLite's (a VFS) that notes each write, sync and truncation, and
each acknowledgement. An image is drawn from that: up to some moment everything that was synced is on the disk; of what
was not, each sector of 512 bytes is there or not, whatever came before or after it. The product then opens the image.

A second loss may come while the first is being recovered from: then an image of an image is drawn in the same way.
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import apsw

from freehold.ledger import blocks
from freehold.ledger.embedded import file as block_file
from freehold.ledger.embedded.file import BlockFile, Row, Title
from freehold.ports.machine import Executed
from freehold.protocol import signatures
from freehold.protocol.network import network_id
from tests.engines.embedded import SEED
from tests.engines.notebook import NETWORK, note

SECTOR = 512
MAIN, LOG = "ledger.sqlite", "ledger.sqlite-wal"
TITLE = Title(network=NETWORK.encode(), operator=signatures.public_key(SEED))


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes at a place of a file."""

    file: str
    place: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    """The end of a file moves."""

    file: str
    size: int


@dataclass(frozen=True, slots=True)
class Delete:
    """A file is gone."""

    file: str


@dataclass(frozen=True, slots=True)
class Sync:
    """What was written to a file so far is on the disk."""

    file: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Somebody was told that the block at this height is there for good."""

    height: int


Step: TypeAlias = Write | Truncate | Delete | Sync | Acknowledged
Files: TypeAlias = dict[str, bytearray]


class NotingFileSystem(apsw.VFS):
    """A VFS that does what the machine's does, and notes it."""

    def __init__(self, steps: list[Step], name: str) -> None:
        self.steps = steps
        self.name = name
        super().__init__(name=name, base="")

    def xOpen(self, name: Any, flags: list[int]) -> NotingFile:
        """Opens a file whose changes are noted."""
        return NotingFile(name, flags, self.steps)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        """Deletes a file."""
        super().xDelete(filename, syncdir)
        self.steps.append(Delete(Path(filename).name))


class NotingFile(apsw.VFSFile):
    """One open file."""

    def __init__(self, name: Any, flags: list[int], steps: list[Step]) -> None:
        self.file = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "temporary").name
        self.steps = steps
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        """Writes."""
        super().xWrite(data, offset)
        self.steps.append(Write(self.file, offset, bytes(data)))

    def xTruncate(self, size: int) -> None:
        """Moves the end."""
        super().xTruncate(size)
        self.steps.append(Truncate(self.file, size))

    def xSync(self, flags: int) -> None:
        """Syncs."""
        super().xSync(flags)
        self.steps.append(Sync(self.file))


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What was written to the disk while some blocks were recorded."""

    steps: tuple[Step, ...]
    headers: tuple[bytes, ...]


def recorded(count: int, chance: random.Random, log_pages: int, synchronous: str = "FULL") -> Story:
    """Records so many blocks through the noting file system; the log is folded back every `log_pages` pages."""
    steps: list[Step] = []
    with tempfile.TemporaryDirectory(prefix="freehold-power-") as name:
        path = Path(name) / MAIN
        system = NotingFileSystem(steps, f"noting {name}")
        connection = _connect(path, system)
        connection.execute(f"PRAGMA synchronous = {synchronous}").fetchall()
        block_file._create(connection, TITLE)
        connection.execute(f"PRAGMA wal_autocheckpoint = {log_pages}")
        file = BlockFile(connection, TITLE, path, None)
        rows = _rows(count, chance)
        for row in rows:
            file.append(row)
            steps.append(Acknowledged(row.height))
        file.close()
        system.unregister()
    return Story(steps=tuple(steps), headers=tuple(row.header for row in rows))


def _connect(path: Path, system: NotingFileSystem) -> Any:
    """The connection that the product makes, through the noting file system."""
    connection = apsw.Connection(str(path), vfs=system.name)
    # A VFS written in Python has no shared memory; with an exclusive lock the log needs none. Its writes are the same.
    for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


def _rows(count: int, chance: random.Random) -> list[Row]:
    tip, rows = blocks.first_tip(network_id(NETWORK)), []
    for number in range(count):
        action = note(f"n{number}", "x" * chance.choice((10, 400, 3_000, 9_000)))
        effects = Executed(writes={f"note/n{number}": b"{}"}, result=b'{"id":"n"}', events=())
        contents = blocks.Contents.of([action], [effects])
        header, tip = blocks.next_block(tip, 1_000 + number, contents, contents.encode(), state=bytes(32))
        signature = blocks.sign_header(header, SEED)
        rows.append(Row(height=tip.height, header=header, signature=signature, body=contents.encode()))
    return rows


def image(steps: Sequence[Step], moment: int, chance: random.Random, before: Files | None = None) -> Files:
    """What the disk may hold if the power fails before the step number `moment`; `before` is what it held at first."""
    files: Files = {name: bytearray(data) for name, data in (before or {}).items()}
    synced = {step.file: place for place, step in enumerate(steps[:moment]) if isinstance(step, Sync)}
    likely = chance.choice((0.05, 0.5, 0.95))
    for place, step in enumerate(steps[:moment]):
        match step:
            case Write(file, at, data):
                whole = place < synced.get(file, -1)
                for start in range(0, len(data), SECTOR):
                    if whole or chance.random() < likely:
                        _put(files.setdefault(file, bytearray()), at + start, data[start : start + SECTOR])
            case Truncate(file, size):
                if place < synced.get(file, -1) or chance.random() < likely:
                    del files.setdefault(file, bytearray())[size:]
            case Delete(file):
                files.pop(file, None)
            case _:
                pass
    return files


def _put(data: bytearray, place: int, piece: bytes) -> None:
    if len(data) < place:
        data.extend(bytes(place - len(data)))
    data[place : place + len(piece)] = piece


def acknowledged(steps: Sequence[Step], moment: int) -> int:
    """The height that somebody was told of before that moment."""
    return max((step.height for step in steps[:moment] if isinstance(step, Acknowledged)), default=0)


def lay(files: Files, folder: Path) -> None:
    """Writes an image to a folder that is empty afterwards but for it."""
    for name in (MAIN, LOG, MAIN + "-shm"):
        (folder / name).unlink(missing_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def found(folder: Path) -> list[bytes]:
    """The headers of the blocks that the product finds, opening the file for writing as it does at a start."""
    file = BlockFile.open(folder / MAIN, TITLE)
    try:
        return [row.header for row in file.rows(0, 10_000)]
    finally:
        file.close()


def recovering(files: Files, folder: Path, number: int) -> list[Step]:
    """What is written to the disk while an image is being opened."""
    steps: list[Step] = []
    lay(files, folder)
    system = NotingFileSystem(steps, f"recovering {number}")
    connection = _connect(folder / MAIN, system)
    connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()
    system.unregister()
    return steps


def wrong(story: Story, files: Files, told: int, folder: Path) -> str:
    """What is wrong with an image once it is opened; empty if it is a whole prefix with all that was acknowledged."""
    lay(files, folder)
    if told == 0 and not _has_title(folder):
        return ""
    headers = found(folder)
    if headers != list(story.headers[: len(headers)]):
        return f"{len(headers)} blocks are no prefix of what was written"
    if len(headers) < told:
        return f"{told} blocks were acknowledged, {len(headers)} are there"
    return ""


def _has_title(folder: Path) -> bool:
    """Whether the founding of the file had become durable: before it nobody could have been told anything."""
    try:
        connection = sqlite3.connect(folder / MAIN)
        try:
            return connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'ledger'").fetchone() is not None
        finally:
            connection.close()
    except sqlite3.DatabaseError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many images were tried, and what was wrong with the first bad ones."""

    images: int
    second: int
    """Of them images of a loss during recovery."""
    moments: int
    """Different numbers of blocks that were found."""
    bad: tuple[str, ...]


def try_images(count: int, seed: int, synchronous: str = "FULL") -> Count:
    """Draws so many images and opens each; `synchronous` is how the ledger that is cut off had been opened."""
    chance = random.Random(seed)
    memory = Path("/dev/shm")
    place = memory if memory.is_dir() else None
    bad: list[str] = []
    second, heights = 0, set()
    story = recorded(12, chance, 8, synchronous)
    with tempfile.TemporaryDirectory(prefix="freehold-images-", dir=place) as name:
        folder = Path(name)
        for number in range(count):
            if number % 500 == 499:
                story = recorded(chance.randint(2, 16), chance, chance.choice((4, 8, 16, 1_000)), synchronous)
            moment = chance.randrange(len(story.steps) + 1)
            files, told = image(story.steps, moment, chance), acknowledged(story.steps, moment)
            if number % 5 == 4 and MAIN in files:
                again = recovering(files, folder, number)
                files = image(again, chance.randrange(len(again) + 1), chance, before=files)
                second += 1
            said = wrong(story, files, told, folder)
            heights.add(told)
            if said:
                bad.append(f"seed {seed}, image {number}: {said}")
    return Count(images=count, second=second, moments=len(heights), bad=tuple(bad[:10]))
