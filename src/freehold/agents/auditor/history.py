"""A replayed history: every action with what it wrote, and the state that all of them together left behind."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar, cast

from freehold.ledger.state import State
from freehold.protocol import assets
from freehold.protocol.envelope import Envelope
from freehold.protocol.events import Event
from freehold.protocol.identifiers import Digest, NetworkId
from freehold.protocol.network import NetworkRecord
from freehold.protocol.records import Record

R = TypeVar("R", bound=Record)

_KIND_OF: Final[Mapping[type[Record], str]] = {record: kind for kind, record in assets.KINDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One accepted action and what it did."""

    position: int
    """Its leaf in the log, from 0."""
    height: int
    """Its block, from 1."""
    time: int
    """The ledger's own time at which it was executed, in milliseconds."""
    digest: Digest
    """SHA-256 of the action: its name in evidence."""
    action: Envelope
    id: str
    """The asset that it created or moved."""
    writes: Mapping[str, bytes]
    events: tuple[Event, ...]


@dataclass(slots=True, kw_only=True)
class History:
    """All entries of one market in order, and the records as they stand at the end."""

    network: NetworkRecord
    network_id: NetworkId
    entries: list[Entry] = field(default_factory=list)
    state: State
    _writers: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))

    def append(self, entry: Entry) -> None:
        """Takes over one more entry."""
        self.entries.append(entry)
        self.state.apply(entry.writes)
        for key in entry.writes:
            self._writers[key].append(entry)

    def find(self, kind: type[R], id: str) -> R | None:
        """The record as it stands at the end, None if there is none."""
        name = _KIND_OF[kind]
        data = self.state.read([assets.key(name, id)])[0]
        return None if data is None else cast(R, assets.decode(name, data))

    def get(self, kind: type[R], id: str) -> R:
        """The record as it stands at the end; a record that a replayed one names is always there."""
        record = self.find(kind, id)
        if record is None:
            raise KeyError(f"{_KIND_OF[kind]}/{id}")
        return record

    def every(self, kind: type[R]) -> Iterator[tuple[str, R]]:
        """All records of a kind with their ids, ascending."""
        name = _KIND_OF[kind]
        for key, data in self.state.scan(f"{name}/"):
            yield key.removeprefix(f"{name}/"), cast(R, assets.decode(name, data))

    def writers(self, kind: type[R], id: str) -> list[Entry]:
        """The entries that wrote a record, in order: its history."""
        return self._writers.get(assets.key(_KIND_OF[kind], id), [])

    def creator(self, kind: type[R], id: str) -> Entry:
        """The entry that wrote a record first."""
        return self.writers(kind, id)[0]

    def wrote(self, kind: type[R], id: str, function: str) -> Entry | None:
        """The first entry of this function among a record's history."""
        return next((entry for entry in self.writers(kind, id) if entry.action.function == function), None)
