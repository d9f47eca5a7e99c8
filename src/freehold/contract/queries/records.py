"""One record, or a list of them by what their fields say."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

import msgspec

from freehold.contract import records, stored
from freehold.contract.queries.shown import an_id, shown, shown_job
from freehold.contract.view import View
from freehold.errors import Invalid
from freehold.ports.state_view import RecordedView, StateView
from freehold.protocol import assets
from freehold.protocol.assets import Ballot, TrainJob
from freehold.protocol.limits import LARGEST_INTEGER
from freehold.protocol.records import Record

LARGEST_LIST: Final = 1_000
LARGEST_HISTORY: Final = 100
"""Each version of a record costs the reading of a block."""


def get(view: StateView, *, kind: object, id: object) -> dict[str, Any] | None:
    """The record of a kind with an id, or None."""
    record = View(view.read).find(_kind(kind), an_id(id, "id"))
    return None if record is None else _shown(view, str(id), record)


def list_records(
    view: StateView, *, kind: object, where: object = None, after: object = None, limit: object = LARGEST_LIST
) -> list[dict[str, Any]]:
    """The records of a kind whose fields equal `where`, ascending from the id `after` on, at most `limit`.

    For couples, `where` may also name a `dataset`: that of any part.
    """
    asked = _fields(where)
    start = "" if after is None else an_id(after, "after")
    most = _within(limit, "limit", 1, LARGEST_LIST)
    found: list[dict[str, Any]] = []
    for id, record in _possible(view, _kind(kind), asked):
        plain = _shown(view, id, record) if id > start else {}
        if plain and all(_has(plain, name, value) for name, value in asked.items()):
            found.append(plain)
            if len(found) == most:
                break
    return found


def history(
    view: RecordedView, *, kind: object, id: object, after: object = 0, limit: object = LARGEST_HISTORY
) -> list[dict[str, Any]]:
    """What a record was after each block that wrote it, ascending from the height `after` on, at most `limit`.

    Each as height and time of the block, and the record as it was written (a job knows nothing of its ballot's end).
    """
    record, named = _kind(kind), an_id(id, "id")
    lowest = _within(after, "after", 0, LARGEST_INTEGER)
    most = _within(limit, "limit", 1, LARGEST_HISTORY)
    versions = islice(view.past(stored.key_of(record, named), lowest), most)
    return [
        {"height": each.height, "time": each.time, "record": shown(named, stored.decode(record, each.value))}
        for each in versions
    ]


def _within(value: object, name: str, smallest: int, largest: int) -> int:
    if type(value) is not int or not smallest <= value <= largest:
        raise Invalid(f"{name} must be an integer from {smallest} to {largest}")
    return value


def _kind(name: object) -> type[Record]:
    kind = assets.KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise Invalid(f"kind must be one of {', '.join(assets.KINDS)}")
    return kind


def _fields(where: object) -> Mapping[str, object]:
    if where is None:
        return {}
    if not isinstance(where, Mapping) or not all(isinstance(name, str) for name in where):
        raise Invalid("where must be an object of fields and values")
    return where


def _possible(view: StateView, kind: type[Record], where: Mapping[str, object]) -> Iterator[tuple[str, Record]]:
    """The records that may fit: one text field narrows the scan before anything is decoded."""
    for field in msgspec.structs.fields(kind):
        value = where.get(field.name)
        # the state of a job is shown through its ballot: what is written does not tell it
        if isinstance(value, str) and field.name != "state":
            return records.every_where(view, kind, field.name, {value})
    return records.every(view, kind)


def _shown(view: StateView, id: str, record: Record) -> dict[str, Any]:
    if isinstance(record, TrainJob):
        return shown_job(id, record, View(view.read).get(Ballot, record.ballot))
    return shown(id, record)


def _has(plain: Mapping[str, Any], name: str, value: object) -> bool:
    if name in plain:
        # to Python true equals 1 and 1.0 does too; no record holds either
        return type(plain[name]) is type(value) and bool(plain[name] == value)
    return any(part.get(name) == value for part in plain.get("parts", ()))
