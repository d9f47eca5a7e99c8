"""What was accepted, in order: the answers to `resolve` and `events` of every engine that runs in this process.

Followers wait here. An action enters only after it is durable, so nobody ever follows what could still be lost.
"""

from __future__ import annotations

import re
import threading
import time as wall
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from freehold.errors import Broken, Invalid
from freehold.ports.ledger import Accepted, EventPage, RecordedEvent
from freehold.protocol.digests import sha256
from freehold.protocol.events import Event

Events: TypeAlias = tuple[Event, ...]
"""Of one action."""

_RESULT = re.compile(rb'\{"id":"([ !#-\[\]-~]*)"\}')
"""A result in its canonical spelling, whose one string is plain ASCII without quotation mark and backslash."""

PAGE = 1_000
"""Events of one page."""


class History:
    """Accepted actions and their events, growing only; safe to use from many threads."""

    def __init__(self) -> None:
        self._accepted: list[Accepted] = []
        self._places: dict[bytes, int] = {}
        self._events: list[RecordedEvent] = []
        self._events_of: dict[str, list[RecordedEvent]] = {}
        self._changed = threading.Condition()
        self._closed = False

    def append(self, actions: Sequence[bytes], accepted: Sequence[Accepted]) -> None:
        """Takes over actions that became durable, in their order, and wakes whoever waits for events."""
        with self._changed:
            for action, each in zip(actions, accepted, strict=True):
                self._accepted.append(each)
                self._places[sha256(action)] = each.position
                self._record_events(each)
            self._changed.notify_all()

    def resolve(self, action_digest: bytes) -> Accepted | None:
        """The accepted action with this SHA-256, None if there is none so far."""
        place = self._places.get(action_digest)
        return None if place is None else self._accepted[place]

    def events(self, after: int, *, to: str | None, wait: float) -> EventPage:
        """The next events above the cursor `after`, waiting up to `wait` seconds for the first."""
        deadline = wall.monotonic() + wait
        with self._changed:
            while True:
                page = self._page(after, to)
                left = deadline - wall.monotonic()
                if page.events or left <= 0 or self._closed:
                    return page
                self._changed.wait(left)

    def close(self) -> None:
        """Sends everybody who waits away."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _record_events(self, accepted: Accepted) -> None:
        for event in accepted.events:
            recorded = RecordedEvent(
                position=len(self._events) + 1,
                height=accepted.height,
                time=accepted.time,
                name=event.name,
                subject=event.subject,
                to=event.to,
            )
            self._events.append(recorded)
            self._events_of.setdefault(event.to, []).append(recorded)

    def _page(self, after: int, to: str | None) -> EventPage:
        end = len(self._events)
        if not 0 <= after <= end:
            # A follower that has seen more than there is follows a ledger that was set back: it must notice.
            raise Invalid(
                f"the ledger holds {end} events, the cursor says {after}",
                why="the ledger is older than what this follower has seen: an old copy was restored, or it is another",
                next="compare its checkpoint with one that you kept before trusting it",
            )
        if to is None:
            some = self._events[after : after + PAGE]
        else:
            own = self._events_of.get(to, [])
            first = bisect_right(own, after, key=_position)
            some = own[first : first + PAGE]
        return EventPage(events=tuple(some), cursor=some[-1].position if len(some) == PAGE else end)


def _position(event: RecordedEvent) -> int:
    return event.position


def accepted_of(first: int, height: int, time: int, effects: Iterable[tuple[bytes, Events]]) -> list[Accepted]:
    """What members hear of the actions of one block, by the result and events of each; `first` is their first leaf."""
    return [
        Accepted(position=first + i, height=height, time=time, id=asset_id(result), events=events)
        for i, (result, events) in enumerate(effects)
    ]


def asset_id(result: bytes) -> str:
    """The id that a result names; Broken if the rules produced anything else."""
    named = _RESULT.fullmatch(result)
    if named is None:
        raise Broken("the rules gave a result without an id")
    return named[1].decode("ascii")
