"""The wanted columns of a CSV file as they were read, before anybody decides what they mean."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from freehold.errors import Invalid
from freehold.learning.column_reader import ColumnReader, RawColumn
from freehold.learning.csv_file import CsvFile
from freehold.learning.decimals import read_columns


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    """Columns by name, in the file's order, and how many rows the file has."""

    columns: dict[str, RawColumn]
    rows: int


def read_raw(
    path: Path,
    *,
    wanted: Collection[str] | None = None,
    coded: Collection[str] = (),
    optional: Collection[str] = (),
    told: Callable[[float], None] = lambda share: None,
) -> RawTable:
    """The columns `wanted` (all, if None), `coded` and `optional` of the file; a code for every text of those `coded`.

    `told` hears which share of the file has been read. Invalid when the file is no proper CSV, or lacks one of these
    columns that is not optional.
    """
    file = CsvFile(path)
    for name in [*(wanted or ()), *coded]:
        require_column(name, file.names)
    named = {*(wanted or ()), *coded, *optional}
    chosen = [index for index, name in enumerate(file.names) if wanted is None or name in named]
    readers = {index: ColumnReader(all_texts=file.names[index] in coded) for index in chosen}
    count = 0
    for chunk in file.chunks():
        count += len(chunk.rows)
        columns = list(zip(*chunk.rows, strict=True))
        texts = [columns[index] for index in readers]
        for reader, cells, read in zip(readers.values(), texts, read_columns(texts), strict=True):
            reader.add(cells, read, chunk.lines)
        told(chunk.share)
    return RawTable(columns={file.names[index]: reader.finish() for index, reader in readers.items()}, rows=count)


def require_column(name: str, names: Sequence[str]) -> None:
    """Check that `name` is among `names`; Invalid with the nearest one otherwise."""
    if name in names:
        return
    folded = {known.casefold(): known for known in names}
    near = get_close_matches(name.strip().casefold(), folded, n=1, cutoff=0.5)
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    advice = f"did you mean {folded[near[0]]!r}?" if near else f"the columns are {shown}"
    raise Invalid(f"there is no column {name!r}", next=advice)
