"""One turn of an agent: look at the ledger, plan, act; then rest until something happens.

A step that fails rests, and only that step: a store that does not answer must not keep an agent from committing
to another job in time. How long it rests depends on the trouble. A ledger that could not be reached or a clock
that ran apart is tried again at once and then ever more slowly; `exists` and `state` mean that the world has
moved, and the next look will show how; any other refusal is a no that only time can change. Broken is never
caught: an invariant failed, and going on could do harm.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from freehold.errors import Broken, FreeholdError, Refused, Unavailable
from freehold.ports.ledger import Ledger

Step = Hashable
"""A frozen record of what to do; its text says it to a person."""

LONGEST_WAIT: Final = 20_000
"""An agent looks at the ledger at least this often (ms), should every event have been lost."""
_MOVED: Final = frozenset({"exists", "state", "clock"})
_FIRST_REST: Final = 25
_FIRST_REST_AFTER_NO: Final = 500
_LONGEST_REST: Final = 30_000


@dataclass(frozen=True, slots=True)
class Wait:
    """Not an act: the plan wants to look again at this time (ms), whether or not an event comes."""

    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an agent tells its owner: a step that is done, or the trouble that it met."""

    step: Step
    trouble: FreeholdError | None = None


Tell = Callable[[Told], None]


def tell_nobody(told: Told) -> None:
    """For agents that nobody watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What came of one turn: whether anything was done, and when to look again at the latest (ms)."""

    acted: bool
    look_again: int


class Plans(Protocol):
    """An agent as the loop sees it."""

    def look(self) -> Any:
        """Everything it knows: from the ledger and its journal."""
        ...

    def next_steps(self, known: Any, now: int) -> Iterable[Step]:
        """What to do next: pure."""
        ...

    def act(self, step: Step, known: Any) -> None:
        """Performs one step; may raise any trouble."""
        ...


class Pace:
    """Remembers which steps failed, and lets them rest; forgotten at a restart, which is harmless."""

    def __init__(self) -> None:
        self._rests: dict[Step, tuple[int, int]] = {}

    def rests(self, step: Step, now: int) -> bool:
        """Whether `step` failed lately."""
        return step in self._rests and now < self._rests[step][0]

    def failed(self, step: Step, trouble: FreeholdError, now: int) -> None:
        """Lets `step` rest, each time twice as long."""
        failures = self._rests.get(step, (0, 0))[1]
        soon = isinstance(trouble, Unavailable) and trouble.retry
        moved = isinstance(trouble, Refused) and trouble.code in _MOVED
        first = _FIRST_REST if soon or moved else _FIRST_REST_AFTER_NO
        rest = min(first << min(failures, 16), _LONGEST_REST)
        if isinstance(trouble, Unavailable) and trouble.retry_after is not None:
            rest = int(trouble.retry_after * 1000)
        self._rests[step] = (now + rest, failures + 1)

    def done(self, step: Step) -> None:
        """Forgets the failures of `step`."""
        self._rests.pop(step, None)

    def earliest(self, steps: Iterable[Step], default: int) -> int:
        """When the first of these resting steps may be tried again."""
        return min((self._rests[step][0] for step in steps if step in self._rests), default=default)


def turn(agent: Plans, pace: Pace, now: int, tell: Tell) -> Turn:
    """One turn of `agent` at the time `now` (ms). Raises nothing but Broken."""
    try:
        known = agent.look()
        steps = list(agent.next_steps(known, now))
    except Broken:
        raise
    except FreeholdError as trouble:
        pace.failed("look", trouble, now)
        tell(Told(step="look", trouble=trouble))
        return Turn(acted=False, look_again=pace.earliest(["look"], now + LONGEST_WAIT))
    pace.done("look")
    acted = False
    for step in steps:
        if isinstance(step, Wait) or pace.rests(step, now):
            continue
        try:
            agent.act(step, known)
        except Broken:
            raise
        except FreeholdError as trouble:
            pace.failed(step, trouble, now)
            tell(Told(step=step, trouble=trouble))
        else:
            acted = True
            pace.done(step)
            tell(Told(step=step))
    planned = min((step.until for step in steps if isinstance(step, Wait)), default=now + LONGEST_WAIT)
    return Turn(acted=acted, look_again=min(pace.earliest(steps, planned), planned, now + LONGEST_WAIT))


class Follower:
    """Wakes an agent when the ledger has news; it carries no knowledge, so a lost event costs time and nothing else."""

    def __init__(self, ledger: Ledger, sleep: Callable[[float], None], *, after: int = 0) -> None:
        self._ledger = ledger
        self._sleep = sleep
        self.cursor = after

    def wait(self, seconds: float, *, to: str | None) -> bool:
        """Returns at the next event (of one member, if `to` is given), or after `seconds`; whether there was one."""
        try:
            page = self._ledger.events(self.cursor, to=to, wait=max(0.0, seconds))
        except Unavailable as trouble:
            self._sleep(min(max(seconds, 0.0), 1.0 if trouble.retry_after is None else trouble.retry_after))
            return False
        self.cursor = max(self.cursor, page.cursor)
        return bool(page.events)

    def catch_up(self) -> None:
        """Passes over what happened so far: an agent that is about to look needs no waking for it."""
        while True:
            try:
                page = self._ledger.events(self.cursor)
            except Unavailable:
                return
            self.cursor = max(self.cursor, page.cursor)
            if not page.events:
                return


class Steps(Protocol):
    """An agent as whoever drives it sees it."""

    def step(self, now: int) -> Turn:
        """One turn at the time `now` (ms)."""
        ...


def run(agent: Steps, *, clock: Callable[[], int], wake: Callable[[float], None], until: Callable[[], bool]) -> None:
    """Drives `agent` until `until()` holds; `wake(seconds)` returns after that time or when the ledger has news."""
    while not until():
        done = agent.step(clock())
        if not done.acted:
            wake(max(0.0, (done.look_again - clock()) / 1000))
