"""The owner's own CSV file, read strictly: what is not clearly a table is refused with what to change.

One header line, one delimiter (comma, semicolon, tab or bar, whichever the header has), UTF-8, every row as long as the
header, quotes as in RFC 4180. Nothing is guessed silently: a guess that is wrong for one row in a million would train
a wrong model and nobody would see it. Sizes come first, so no file can fill the memory by being one long line.
"""

from __future__ import annotations

import csv
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from freehold.errors import Invalid
from freehold.learning.card_text import LONGEST_NAME, require_plain
from freehold.learning.decimals import is_number
from freehold.learning.rows import MOST_COLUMNS, MOST_ROWS

DELIMITERS: Final = (",", ";", "\t", "|")
_LONGEST_LINE: Final = 2**24
_CELLS_AT_A_TIME: Final = 2**18
_MOST_CSV_COLUMNS: Final = MOST_COLUMNS + 100
"""A file may carry some columns that do not train: the target, the group, those that are left out."""
_MAGIC: Final = (
    (b"PK\x03\x04", "an Excel workbook or another zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"PAR1", "a Parquet file"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\xff\xfe", "text in UTF-16"),
    (b"\xfe\xff", "text in UTF-16"),
)
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some rows of a file as texts, the line of the file on which each row ends, and how much has been read by now."""

    rows: list[list[str]]
    lines: list[int]
    share: float
    """Of the file's bytes, 0 … 1."""


class CsvFile:
    """A CSV file whose header has been read; `chunks` reads the rows, once."""

    def __init__(self, path: Path) -> None:
        """Read the header; Invalid when the file is missing, empty, no text, or has no proper header."""
        self.path = path
        self._size = _size(path)
        first = _first_line(path)
        self.delimiter = _delimiter(first)
        try:
            header = next(self._reader(iter([first])))
        except csv.Error as error:
            raise _unreadable_line(1, error) from None
        self.names = _checked_names([name.strip() for name in header])

    def chunks(self) -> Iterator[Chunk]:
        """The rows, some at a time; Invalid at the first line that does not fit, too many rows, or none."""
        at_once = max(1, _CELLS_AT_A_TIME // len(self.names))
        rows: list[list[str]] = []
        lines: list[int] = []
        count = 0
        try:
            with self.path.open("rb") as file:
                reader = self._reader(_decoded(file))
                next(reader)
                for row in reader:
                    if not row or (len(row) == 1 and not row[0].strip()):
                        continue
                    if len(row) != len(self.names):
                        raise self._ragged(row, reader.line_num)
                    rows.append(row)
                    lines.append(reader.line_num)
                    count += 1
                    if count > MOST_ROWS:
                        raise Invalid(f"the file has more than {MOST_ROWS} rows", next="publish it in several datasets")
                    if len(rows) == at_once:
                        yield Chunk(rows=rows, lines=lines, share=file.tell() / self._size)
                        rows, lines = [], []
        except csv.Error as error:
            raise _unreadable_line(reader.line_num, error) from None
        except OSError as error:
            raise _unreadable(self.path, error) from None
        if rows:
            yield Chunk(rows=rows, lines=lines, share=1.0)
        if count == 0:
            raise Invalid("the file has a header but no rows", next="choose the file that holds the data")

    def _reader(self, lines: Iterator[str]) -> csv._reader:  # type: ignore[name-defined]
        # a space after the delimiter is not part of the cell, so a quote after it opens one
        return csv.reader(lines, delimiter=self.delimiter, strict=True, skipinitialspace=True)

    def _ragged(self, row: list[str], line: int) -> Invalid:
        return Invalid(
            f"line {line} has {len(row)} {'cell' if len(row) == 1 else 'cells'}, the header has {len(self.names)}",
            next="put quotes around cells that hold the delimiter, or complete the row",
        )


def _size(path: Path) -> int:
    """The bytes of a regular file; what is no file would make its reader wait, or give other rows the second time."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    if stat.S_ISDIR(status.st_mode):
        raise Invalid(f"{path} is a folder", next="name a CSV file")
    if not stat.S_ISREG(status.st_mode):
        raise Invalid(
            f"{path} is a pipe or a device, not a file",
            why="the table is read more than once",
            next="write it to a file, and name that",
        )
    return max(1, status.st_size)


def _first_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(4096)
            if not head.strip():
                raise Invalid(f"{path.name} is empty", next="choose the file that holds the data")
            for magic, kind in _MAGIC:
                if head.startswith(magic):
                    raise Invalid(f"{path.name} is {kind}, not a CSV", next="export the table as CSV in UTF-8")
            if b"\x00" in head:
                raise Invalid(f"{path.name} is a binary file, not a CSV", next="export the table as CSV in UTF-8")
            file.seek(0)
            for line in _decoded(file):
                if not line.strip():
                    raise Invalid("the first line is empty", next="put the names of the columns there")
                return line
    except OSError as error:
        raise _unreadable(path, error) from None
    raise Invalid(f"{path.name} is empty", next="choose the file that holds the data")


def _decoded(file: BinaryIO) -> Iterator[str]:
    """The lines of a file as text, each measured before it is decoded."""
    number = 0
    while line := file.readline(_LONGEST_LINE + 1):
        number += 1
        if len(line) > _LONGEST_LINE:
            raise Invalid(
                f"line {number} is longer than {_LONGEST_LINE} bytes",
                why="no table has such lines",
                next="save the file as CSV again, with lines that end in LF or CR LF",
            )
        if number == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if b"\x00" in line:
            raise Invalid(f"line {number} holds a zero byte: this is no text", next="export the table as CSV again")
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Invalid(
                f"line {number} is not UTF-8: byte 0x{line[error.start]:02X} at position {error.start + 1}",
                why="in any other encoding letters like é or ß could be taken for others",
                next="save the file as CSV in UTF-8",
            ) from None


def _delimiter(header: str) -> str:
    # what stands between quotes is part of a name
    outside = re.sub(r'"[^"]*"', "", header)
    counts = {delimiter: outside.count(delimiter) for delimiter in DELIMITERS}
    return max(DELIMITERS, key=lambda delimiter: counts[delimiter])


def _checked_names(names: list[str]) -> tuple[str, ...]:
    if len(names) > _MOST_CSV_COLUMNS:
        raise Invalid(
            f"the file has {len(names)} columns, at most {_MOST_CSV_COLUMNS} are read", next="leave columns out"
        )
    counted = [str(index) for index in range(len(names))]
    if names != counted and all(is_number(name) for name in names):
        raise Invalid("the first line holds numbers", next="put the names of the columns in the first line")
    seen: set[str] = set()
    for index, name in enumerate(names):
        if not name:
            raise Invalid(
                f"column {index + 1} has no name",
                next="give every column a name in the first line; row numbers that pandas wrote: to_csv(index=False)",
            )
        require_plain(name, f"column {index + 1}", LONGEST_NAME)
        if name in seen:
            raise Invalid(f"two columns are called {name!r}", next="rename one of them")
        seen.add(name)
    return tuple(names)


def _unreadable_line(line: int, error: csv.Error) -> Invalid:
    return Invalid(
        f"line {line}: {error}",
        why="the file is read as CSV of RFC 4180",
        next="save the file as CSV again, with quotes closed and lines that end in LF or CR LF",
    )


def _unreadable(path: Path, error: OSError | ValueError) -> Invalid:
    if isinstance(error, FileNotFoundError):
        return Invalid(f"there is no file {path}", next="check the name")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return Invalid(f"{path} cannot be read: {reason}", next="check the name and the file's rights")
