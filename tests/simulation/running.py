"""Runs seeds, and shrinks the history of one that fails."""

from __future__ import annotations

from tests.simulation.endings import ends
from tests.simulation.scenario import Scenario, drawn, simpler
from tests.simulation.stand_in import plain_integers
from tests.simulation.town import Town
from tests.simulation.witness import Accusation


def run(scenario: Scenario) -> Town:
    """One whole market; `town.witness.accusations` is empty if every predicate holds."""
    with plain_integers():
        town = Town(scenario)
        town.lives()
        if not town.witness.accusations:
            ends(town)
    return town


def failure_of(scenario: Scenario) -> Accusation | None:
    """The first predicate that does not hold in this market, or None."""
    found = run(scenario).witness.accusations
    return found[0] if found else None


def shrunk(scenario: Scenario, predicate: str, *, attempts: int = 200) -> Scenario:
    """The scenario with as few troubles as still break the same predicate."""
    smaller = True
    while smaller and attempts > 0:
        smaller = False
        for candidate in simpler(scenario):
            attempts -= 1
            failure = failure_of(candidate)
            if failure is not None and failure.predicate == predicate:
                scenario, smaller = candidate, True
                break
            if attempts <= 0:
                break
    return scenario


def story(seed: int) -> str:
    """What a person needs who looks at a failing seed: how to replay it, what broke, and the shortest way there."""
    failure = failure_of(drawn(seed))
    if failure is None:
        return ""
    scenario = shrunk(drawn(seed), failure.predicate)
    town = run(scenario)
    return "\n".join(
        (
            f"seed {seed} breaks {failure.predicate}: {failure.what}",
            f"replay it with: python -m tests.simulation {seed}",
            f"shrunk to: {scenario}",
            *town.history,
        )
    )


def stories(seeds: range) -> list[str]:
    """The story of every seed that breaks something."""
    return [story(seed) for seed in seeds if run(drawn(seed)).witness.accusations]
