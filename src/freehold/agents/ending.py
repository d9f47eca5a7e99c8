"""Ending a training: one call for refusing, cancelling, stopping and expiring, the same for everybody who may.

The model owner and the data owner of any part may end a training in every state, once no round is open; anybody
else may once it is overdue. What is missing is only time, so whoever decided to end it waits for that time and
then says so once. A training that somebody else ended meanwhile needs nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from freehold.agents.journal import Decision
from freehold.agents.loop import Wait
from freehold.agents.reading import TrainingSeen
from freehold.protocol.identifiers import CoupleId


class EndedTraining(Decision, frozen=True, kw_only=True):
    """That a training is to end; which one is its subject."""


@dataclass(frozen=True, slots=True)
class EndTraining:
    """End a training, as a party to it or, once it is overdue, as anybody."""

    couple: CoupleId

    def __str__(self) -> str:
        return f"ends training {self.couple[:8]}"


def settled_from(training: TrainingSeen, grace: int) -> int:
    """From when on (ms) the last round is no hindrance: 0 if each of its ballots is decided, or none was started."""
    couple = training.couple.record
    if couple.round == 0 or couple.close_until is None:
        return 0
    decided = all(vote.ballot.record.state == "decided" for vote in training.of_round(couple.round))
    return 0 if decided else couple.close_until + grace + 1


def overdue_from(training: TrainingSeen, grace: int) -> int:
    """From when on (ms) anybody may end it, if its last round is no hindrance."""
    return training.couple.record.due + grace + 1


def ending(training: TrainingSeen, grace: int, now: int, *, party: bool) -> Iterator[EndTraining | Wait]:
    """Ends a training that its owner wants ended as soon as the rules let `party` or a stranger do it."""
    if training.couple.record.state == "ended":
        return
    at = settled_from(training, grace)
    if not party:
        at = max(at, overdue_from(training, grace))
    yield EndTraining(CoupleId(training.couple.id)) if now >= at else Wait(at)
