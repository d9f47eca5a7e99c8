"""People without a part in the market: who sends what others signed, and who only lends a name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from freehold.agents.loop import Turn
from freehold.bench.facts import Detected, recorded, refused
from freehold.bench.market import Market


@dataclass(frozen=True, slots=True)
class Idle:
    """Somebody who does nothing of their own accord."""

    def step(self, now: int) -> Turn:
        """Nothing."""
        return Turn(acted=False, look_again=now + 60_000)


class Repeating:
    """Somebody without a member's keys, who sends what others sent as soon as it is recorded, changed or as it is."""

    def __init__(self, market: Market, changes: Callable[[bytes], bytes]) -> None:
        self._market = market
        self._changes = changes
        self._height = 0
        self._refused: list[Detected] = []

    def step(self, now: int) -> Turn:
        """Sends everything that was recorded since the last turn."""
        for action in recorded(self._market, after=self._height):
            self._refused.append(refused(self._market, partial(self._market.ledger.submit, self._changes(action))))
        self._height = self._market.ledger.info().height
        return Turn(acted=False, look_again=now + 60_000)

    def found(self) -> Detected:
        """When the first was refused, or None if any was taken."""
        return self._refused[0] if None not in self._refused else None


def outsider_sends(market: Market, changes: Callable[[bytes], bytes]) -> Repeating:
    """From now on an outsider sends what `changes` makes of every recorded action."""
    agent = Repeating(market, changes)
    market.comes("outsider", "outsider", None, lambda _: Idle()).becomes(agent)
    return agent
