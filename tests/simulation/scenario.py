"""What a seed decides before anything happens: who comes, who lies and how, and what goes wrong how often.

A scenario is plain data, so it can be made simpler: without one kind of fault, with one liar turned honest, with fewer
rounds. That is how the history of a failing seed is shrunk.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Final

CLOUD_LIES: Final = ("copying", "lazy", "noisy", "silent", "withholding", "fleeing", "hasty")
DATA_LIES: Final = ("stalling", "withdrawing", "biased", "two-faced")
MODEL_LIES: Final = ("starving", "ghostly", "vanishing", "impatient", "repeating")


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How often things go wrong, each in a thousand chances, until it becomes quiet."""

    lost_before: int = 0
    """An action that never arrives."""
    lost_after: int = 0
    """An action that arrives, though its sender is told nothing."""
    late: int = 0
    """An action that arrives some time later, behind others."""
    twice: int = 0
    """An action that arrives once more later."""
    unread: int = 0
    """A question to the ledger without an answer."""
    unwoken: int = 0
    """An event that its reader is not told of in time."""
    absent: int = 0
    """An object that the store does not find, or does not take."""
    corrupted: int = 0
    """An object of which the store hands out other bytes."""
    full: int = 0
    """A decision or note that the disk does not take."""
    crash: int = 0
    """A process that dies at an effect, before or after it."""
    never_back: int = 0
    """Of those who died, who never comes back."""
    partition: int = 0
    """A turn at which somebody is cut off from everything for a while."""
    apart: int = 0
    """Whose clock jumps apart by more than `skew` at some moment, until it becomes quiet."""
    slow: int = 0
    """Who takes seconds for every turn, for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One market and its troubles."""

    seed: int
    hospitals: int = 1
    spares: int = 1
    rounds: int = 2
    group_min: int = 4
    trainings: int = 1
    stake: int = 0
    """Above zero there is a referee."""
    quiet_after: int = 20_000
    """Milliseconds from the start until nothing goes wrong any more but by people's will."""
    faults: Faults = field(default_factory=Faults)
    clouds: tuple[tuple[int, str], ...] = ()
    """Number of a cloud owner, and its way to lie."""
    hospital_lies: tuple[tuple[int, str], ...] = ()
    buyer_lies: str = ""
    outsider: bool = False
    """Somebody who sends recorded and altered actions of others."""

    @property
    def cloud_owners(self) -> int:
        """How many there are; each holds one slot of one subset."""
        return 12 * self.hospitals + self.spares


def drawn(seed: int) -> Scenario:
    """The scenario of a seed: about one in four is honest and undisturbed in one respect or the other."""
    chance = random.Random(seed)
    hospitals = 2 if chance.random() < 0.08 else 1
    spares = chance.randint(1, 5)
    clouds = 12 * hospitals + spares
    calm = chance.random() < 0.25
    liars = 0 if chance.random() < 0.3 else chance.randint(1, 5)
    return Scenario(
        seed=seed,
        hospitals=hospitals,
        spares=spares,
        rounds=chance.randint(1, 3),
        group_min=chance.choice((2, 4)),
        trainings=2 if chance.random() < 0.1 else 1,
        stake=chance.choice((0, 0, 5_000)),
        quiet_after=chance.choice((5_000, 20_000, 40_000)),
        faults=Faults() if calm else _faults(chance),
        clouds=tuple(sorted((number, chance.choice(CLOUD_LIES)) for number in chance.sample(range(clouds), liars))),
        hospital_lies=((0, chance.choice(DATA_LIES)),) if chance.random() < 0.15 else (),
        buyer_lies=chance.choice(MODEL_LIES) if chance.random() < 0.25 else "",
        outsider=chance.random() < 0.3,
    )


def _faults(chance: random.Random) -> Faults:
    """Some kinds of fault, each at a rate of its own."""
    most = {"never_back": 300, "apart": 200, "slow": 150, "partition": 40, "crash": 60}
    rates = {
        each.name: chance.randint(1, most.get(each.name, 80)) if chance.random() < 0.5 else 0 for each in fields(Faults)
    }
    return Faults(**rates)


def simpler(scenario: Scenario) -> Iterator[Scenario]:
    """Every scenario that has one trouble less."""
    for each in fields(Faults):
        if getattr(scenario.faults, each.name):
            yield replace(scenario, faults=replace(scenario.faults, **{each.name: 0}))
    for liar in scenario.clouds:
        yield replace(scenario, clouds=tuple(other for other in scenario.clouds if other != liar))
    for change in (
        {"hospital_lies": ()},
        {"buyer_lies": ""},
        {"outsider": False},
        {"trainings": 1},
        {"rounds": scenario.rounds - 1 or 1},
        {"spares": 0},
        {"stake": 0},
        {"hospitals": 1},
    ):
        candidate = replace(scenario, **change)
        if candidate != scenario and all(number < candidate.cloud_owners for number, _ in candidate.clouds):
            yield candidate
