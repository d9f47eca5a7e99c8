"""Carrying out what a command decided: by itself, or by the agent of the same profile that already runs.

A command writes its wish into the profile's journal. One process at a time acts for a profile. If an `up` of the
profile runs, it finds the wish there, and the command only watches the ledger; if none does, the command is that
process itself until its wish has come true.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from freehold.cli.exits import StillRunning
from freehold.cli.times import duration
from freehold.errors import Unavailable

if TYPE_CHECKING:
    from freehold.agents.loop import Steps, Turn
    from freehold.node.profiles import OpenProfile

LOOK_EVERY = 0.2
"""Seconds between two looks at what another process does."""


class _Hurried:
    """An agent that does not sleep past a deadline."""

    def __init__(self, agent: "Steps", deadline: int) -> None:
        self._agent = agent
        self._deadline = deadline

    def step(self, now: int) -> "Turn":
        """One turn of the agent."""
        turn = self._agent.step(now)
        return replace(turn, look_again=min(turn.look_again, self._deadline))


def carry_out(
    profile: "OpenProfile",
    agent: "Steps",
    *,
    to: str,
    done: Callable[[], bool],
    wait: str | None,
    goes_on: str,
) -> None:
    """Drives `agent`, woken by events of the member `to`, until `done()`; StillRunning with `goes_on` after `wait`."""
    clock = profile.world.clock
    deadline = None if wait is None else clock() + duration(wait, "--wait")

    def reached() -> bool:
        if _answers(done):
            return True
        if deadline is not None and clock() >= deadline:
            raise StillRunning("The time to wait is over.", next="freehold status", now=goes_on)
        return False

    with ExitStack() as stack:
        try:
            stack.enter_context(profile.only_one())
        except Unavailable:
            while not reached():
                time.sleep(LOOK_EVERY)
            return
        profile.drive(agent if deadline is None else _Hurried(agent, deadline), to=to, until=reached)


def _answers(done: Callable[[], bool]) -> bool:
    """Whether it is done; a ledger that does not answer at the moment is no reason to give up."""
    try:
        return done()
    except Unavailable as trouble:
        if not trouble.retry:
            raise
        return False
