"""What concurrent clients were told, and whether one ledger, used by one client at a time, could have told it.

The log is one order of all actions, so there is no order to search for: only a time for each of its entries, later than
that of the entry before, at which it took effect. What clients were told bounds these times:

- an action that was acknowledged took effect after it was sent and before the answer came;
- what a question saw had taken effect before its answer came, what it did not see took effect after it was asked.

Times that keep all bounds exist exactly if no entry had to take effect before an instant at which it, or one before it
in the log, had not been able to. That is linearizability. Beside it the log must be complete: all that was acknowledged
at its place, nothing twice, nothing that nobody sent, nothing that its sender was told is not there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from freehold.protocol import canonical
from freehold.protocol.limits import ACTION_LARGEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An action that a client sent, until it knew what became of it. Times are of one clock that all clients share."""

    action: bytes
    began: int
    ended: int
    outcome: Literal["accepted", "found", "refused", "absent", "unknown"]
    """The answer came; it was lost and asking found the action, or found that it is not there; or nobody knows."""
    position: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A question: the amount of a counter, or, with no name, how many actions there are."""

    counter: str
    amount: int
    began: int
    ended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A question what became of an action; None: it is not recorded so far."""

    action: bytes
    position: int | None
    began: int
    ended: int


Told: TypeAlias = Sent | Read | Resolved


def violations(log: Sequence[bytes], told: Sequence[Told]) -> list[str]:
    """What no honest ledger with this log could have told; empty if it is linearizable and complete."""
    return [*_incomplete(log, told), *_out_of_time(log, told)]


def _incomplete(log: Sequence[bytes], told: Sequence[Told]) -> Iterator[str]:
    places = {action: place for place, action in enumerate(log)}
    if len(places) < len(log):
        yield f"{len(log) - len(places)} actions are recorded twice"
    sent = [each for each in told if isinstance(each, Sent)]
    possible = {each.action for each in sent if each.outcome != "absent"}
    for place in range(len(log)):
        if log[place] not in possible:
            yield f"action {place} was sent by nobody who does not know better"
    answered = Counter(each.action for each in sent if each.outcome == "accepted")
    for each in told:
        if isinstance(each, Read):
            continue
        place_of = places.get(each.action)
        if each.position is not None and place_of != each.position:
            yield f"what was acknowledged at {each.position} lies at {place_of}"
        if isinstance(each, Sent):
            if each.outcome == "unknown":
                yield "nobody found out what became of an action"
            if each.outcome == "refused" and place_of is None:
                yield "an action was refused as a repetition of one that is not recorded"
            if each.outcome == "accepted" and answered[each.action] > 1:
                yield f"action {place_of} was acknowledged to two who sent it"


def _out_of_time(log: Sequence[bytes], told: Sequence[Told]) -> Iterator[str]:
    bounds = _Bounds(log)
    for each in told:
        bounds.add(each)
    earliest, why = 0, -1
    for place in range(len(log)):
        if bounds.after[place] > earliest:
            earliest, why = bounds.after[place], place
        if earliest >= bounds.before[place]:
            yield f"action {place} was seen before action {why} of the log, its equal or elder, could have happened"


class _Bounds:
    """For each entry of a log the instants after which and before which it took effect."""

    def __init__(self, log: Sequence[bytes]) -> None:
        self._places = {action: place for place, action in enumerate(log)}
        self.after = [0] * len(log)
        self.before = [2**63] * len(log)
        self._amounts: dict[str, list[tuple[int, int]]] = {"": [(place, place + 1) for place in range(len(log))]}
        for place, action in enumerate(log):
            said = canonical.decode(action, largest=ACTION_LARGEST)
            grown = self._amounts.setdefault(said["name"], [])
            grown.append((place, said["amount"] + (grown[-1][1] if grown else 0)))

    def add(self, told: Told) -> None:
        """Takes one thing into account that somebody was told."""
        match told:
            case Sent(outcome="absent" | "unknown"):
                pass
            case Sent():
                # Whoever sends what another one sent before is refused, or finds it: it was there by the answer.
                self._by(self._places.get(told.action), told.ended)
                if told.outcome == "accepted":
                    self._not_until(self._places.get(told.action), told.began)
            case Resolved(position=None):
                self._not_until(self._places.get(told.action), told.began)
            case Resolved():
                self._by(self._places.get(told.action), told.ended)
            case Read():
                self._read(told)

    def _read(self, read: Read) -> None:
        grown = self._amounts.get(read.counter, [])
        seen = [place for place, amount in grown if amount <= read.amount]
        if seen:
            self._by(seen[-1], read.ended)
        if len(seen) < len(grown):
            self._not_until(grown[len(seen)][0], read.began)

    def _by(self, place: int | None, instant: int) -> None:
        if place is not None:
            self.before[place] = min(self.before[place], instant)

    def _not_until(self, place: int | None, instant: int) -> None:
        if place is not None:
            self.after[place] = max(self.after[place], instant)
