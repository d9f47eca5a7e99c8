"""The state as one call sees it: typed records by point reads, with the call's own steps on top."""

from collections.abc import Iterable, Sequence
from typing import TypeVar, cast

from freehold.contract import stored
from freehold.contract.effects import Put, Step, refused
from freehold.errors import Refused
from freehold.ports.state_view import Read
from freehold.protocol.records import Record

R = TypeVar("R", bound=Record)
Id = TypeVar("Id", bound=str)


class View:
    """Reads records by kind and id, each key at most once, and sees what the call itself has decided so far."""

    __slots__ = ("_read", "_seen")

    def __init__(self, read: Read, seen: dict[str, Record | None] | None = None) -> None:
        self._read = read
        self._seen: dict[str, Record | None] = {} if seen is None else seen

    def find(self, kind: type[R], id: str) -> R | None:
        """The record, or None if there is none."""
        key = stored.key_of(kind, id)
        if key not in self._seen:
            (data,) = self._read((key,))
            self._seen[key] = None if data is None else stored.decode(kind, data)
        return cast("R | None", self._seen[key])

    def find_all(self, kind: type[R], ids: Sequence[str]) -> list[R | None]:
        """The records in the order of the ids, None where there is none: one read of the ledger for all of them."""
        keys = [stored.key_of(kind, each) for each in ids]
        unread = [key for key in keys if key not in self._seen]
        for key, data in zip(unread, self._read(unread) if unread else (), strict=True):
            self._seen[key] = None if data is None else stored.decode(kind, data)
        return [cast("R | None", self._seen[key]) for key in keys]

    def get(self, kind: type[R], id: str) -> R:
        """The record; refuses `unknown` if there is none."""
        record = self.find(kind, id)
        if record is None:
            raise _unknown(kind, id)
        return record

    def every(self, kind: type[R], ids: Sequence[Id]) -> dict[Id, R]:
        """The records under their ids, in the given order; refuses `unknown` if one is missing."""
        records: dict[Id, R] = {}
        for each, record in zip(ids, self.find_all(kind, ids), strict=True):
            if record is None:
                raise _unknown(kind, each)
            records[each] = record
        return records

    def seeing(self, steps: Iterable[Step]) -> "View":
        """The same view after these steps, for what the call decides next."""
        seen = dict(self._seen)
        for step in steps:
            if isinstance(step, Put):
                seen[stored.key_of(type(step.record), step.id)] = step.record
        return View(self._read, seen)


def _unknown(kind: type[Record], id: str) -> Refused:
    return refused("unknown", f"There is no {stored.kind_of(kind)} {id}.")
