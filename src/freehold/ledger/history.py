"""What was accepted, in order: the answers to `resolve` and `events` of every engine that runs in this process.

Followers wait here. An action enters only after it is durable, so nobody ever follows what could still be lost.
"""

from __future__ import annotations

import re
import sys
import threading
import time as wall
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from freehold.errors import Broken, Invalid, Unavailable
from freehold.ledger.proofs.growing import GrowingLog
from freehold.ledger.proofs.log import entry, leaf_hash
from freehold.ports.ledger import Accepted, ActionProof, EventPage, RecordedEvent
from freehold.protocol.digests import sha256
from freehold.protocol.events import Event
from freehold.protocol.identifiers import MemberId

Events: TypeAlias = tuple[Event, ...]
"""Of one action."""

_RESULT = re.compile(rb'\{"id":"([ !#-\[\]-~]*)"\}')
"""A result in its canonical spelling, whose one string is plain ASCII without quotation mark and backslash."""

PAGE = 1_000
"""Events of one page."""


class History:
    """Accepted actions and their events, growing only; safe to use from many threads.

    It holds millions of both for years. So they lie in columns, and a record is made when somebody asks for it: less
    memory, and nothing that Python's collector of garbage would walk through again and again.
    """

    def __init__(self) -> None:
        self._places: dict[bytes, int] = {}
        self._ids: list[str] = []
        self._heights = array("Q")
        self._times = array("Q")
        self._ends = array("Q")
        """How many events there are once the action at this place is counted."""
        self._events: list[Event] = []
        self._events_of: dict[str, array[int]] = {}
        """The positions of a member's events."""
        self._log = GrowingLog()
        self._changed = threading.Condition()
        self._closed = False

    def append(self, actions: Sequence[bytes], accepted: Sequence[Accepted]) -> None:
        """Takes over actions that became durable, in their order, and wakes whoever waits for events."""
        with self._changed:
            for action, each in zip(actions, accepted, strict=True):
                self._places[sha256(action)] = each.position
                self._log.append(leaf_hash(entry(action, result_of(each.id))))
                self._ids.append(each.id)
                self._heights.append(each.height)
                self._times.append(each.time)
                for event in each.events:
                    self._take(event, each.id)
                self._ends.append(len(self._events))
            self._changed.notify_all()

    def resolve(self, action_digest: bytes) -> Accepted | None:
        """The accepted action with this SHA-256, None if there is none so far."""
        place = self._places.get(action_digest)
        # Its columns are filled one after the other, the last of them last.
        if place is None or place >= len(self._ends):
            return None
        first = self._ends[place - 1] if place else 0
        return Accepted(
            position=place,
            height=self._heights[place],
            time=self._times[place],
            id=self._ids[place],
            events=tuple(self._events[first : self._ends[place]]),
        )

    def prove_action(self, action_digest: bytes, checkpoint: str, size: int) -> ActionProof:
        """That the action with this SHA-256 is in the log of the checkpoint over `size` actions; Unavailable if not."""
        accepted = self.resolve(action_digest)
        if accepted is None or accepted.position >= size:
            raise Unavailable(
                "this action is not recorded", code="absent", next="ask again once it was accepted", retry=False
            )
        with self._changed:
            path = self._log.inclusion(accepted.position, size)
        return ActionProof(accepted=accepted, size=size, path=tuple(path), checkpoint=checkpoint)

    def prove_growth(self, old: int, new: int) -> tuple[bytes, ...]:
        """That the log of `new` actions begins with that of `old`; Invalid for sizes that it never had."""
        with self._changed:
            return tuple(self._log.consistency(old, new))

    def root(self, size: int) -> bytes:
        """The root over the first `size` actions; Invalid if there are not so many."""
        with self._changed:
            return self._log.root(size)

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

    def _take(self, event: Event, id: str) -> None:
        to = MemberId(sys.intern(event.to))
        subject = id if event.subject == id else event.subject
        self._events.append(Event(sys.intern(event.name), subject, to))
        self._events_of.setdefault(to, array("Q")).append(len(self._events))

    def _page(self, after: int, to: str | None) -> EventPage:
        end = len(self._events)
        if not 0 <= after <= end:
            # A follower that has seen more than there is follows a ledger that was set back: it must notice.
            raise Invalid(
                f"the ledger holds {end} events, the cursor says {after}",
                why="the ledger is older than what this follower has seen: an old copy was restored, or it is another",
                next="compare its checkpoint with one that you kept before trusting it",
            )
        some: Sequence[int] = range(after + 1, min(after + PAGE, end) + 1)
        if to is not None:
            own = self._events_of.get(to, array("Q"))
            first = bisect_right(own, after)
            some = own[first : first + PAGE]
        return EventPage(
            events=tuple(self._recorded(position) for position in some),
            cursor=some[-1] if len(some) == PAGE else end,
        )

    def _recorded(self, position: int) -> RecordedEvent:
        event = self._events[position - 1]
        place = bisect_left(self._ends, position)
        return RecordedEvent(
            position=position,
            height=self._heights[place],
            time=self._times[place],
            name=event.name,
            subject=event.subject,
            to=event.to,
        )


def accepted_of(first: int, height: int, time: int, effects: Iterable[tuple[bytes, Events]]) -> list[Accepted]:
    """What members hear of the actions of one block, by the result and events of each; `first` is their first leaf."""
    return [
        Accepted(position=first + i, height=height, time=time, id=asset_id(result), events=events)
        for i, (result, events) in enumerate(effects)
    ]


def result_of(id: str) -> bytes:
    """The result that names this id, in its one spelling."""
    return b'{"id":"' + id.encode("ascii") + b'"}'


def asset_id(result: bytes) -> str:
    """The id that a result names; Broken if the rules produced anything else."""
    named = _RESULT.fullmatch(result)
    if named is None:
        raise Broken("the rules gave a result without an id")
    return named[1].decode("ascii")
