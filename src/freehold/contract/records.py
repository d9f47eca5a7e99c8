"""Scanning the state by kind: for queries and audits alone; a rule reads points."""

import re
from collections.abc import Collection, Iterator
from typing import TypeVar

from freehold.contract import stored
from freehold.ports.state_view import StateView
from freehold.protocol.records import Record

R = TypeVar("R", bound=Record)


def every(view: StateView, kind: type[R]) -> Iterator[tuple[str, R]]:
    """All records of a kind with their ids, ascending."""
    for id, data in _scan(view, kind):
        yield id, stored.decode(kind, data)


def every_where(view: StateView, kind: type[R], field: str, values: Collection[str]) -> Iterator[tuple[str, R]]:
    """The records of a kind whose text field holds one of the values, ascending by id.

    Nearly all records of a scan are somebody else's, so the values are looked for in the canonical bytes before
    anything is decoded.
    """
    written = re.compile(f'"{field}":"([^"]*)"'.encode())
    wanted = {value.encode() for value in values}
    for id, data in _scan(view, kind):
        if not wanted.isdisjoint(written.findall(data)):
            record = stored.decode(kind, data)
            if getattr(record, field) in values:
                yield id, record


def _scan(view: StateView, kind: type[R]) -> Iterator[tuple[str, bytes]]:
    prefix = stored.key_of(kind, "")
    for key, data in view.scan(prefix):
        yield key[len(prefix) :], data
