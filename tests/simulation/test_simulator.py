"""The simulator itself: it repeats itself to the byte, gets trainings done, and finds trouble that is planted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from freehold.contract import rounds
from freehold.contract.call import Call
from tests.simulation import running
from tests.simulation.running import failure_of, run, shrunk, story
from tests.simulation.scenario import Faults, Scenario, drawn
from tests.simulation.stand_in import PlainWorkbench

ROOT = Path(__file__).parents[2]


def digest_of(seed: int, hash_seed: str) -> str:
    """The history of a seed in a process of its own."""
    program = f"from tests.simulation.running import run, drawn; print(run(drawn({seed})).digest)"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=ROOT, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_a_seed_tells_the_same_history_in_every_process_whatever_its_hash_seed() -> None:
    here = run(drawn(4)).digest

    assert here == run(drawn(4)).digest
    assert here == digest_of(4, "1") == digest_of(4, "2")
    assert here != run(drawn(5)).digest


def test_an_undisturbed_market_of_honest_people_trains_and_everybody_leaves_with_their_money() -> None:
    town = run(Scenario(seed=1, rounds=3))

    assert town.witness.accusations == []
    assert [couple.turn for couple in town.witness.whole.couples.values()] == [3]
    assert len(town.people["buyer"].home.decisions["Outcome"]) == 3
    assert all(account.free == 0 for account in town.witness.whole.accounts.values())


def test_everybody_may_die_again_and_again_and_the_training_still_comes_to_its_end() -> None:
    town = run(Scenario(seed=2, rounds=2, faults=Faults(crash=30, lost_after=30), quiet_after=60_000))

    assert town.witness.accusations == []
    assert sum(person.deaths for person in town.people.values()) > 5
    assert [couple.round for couple in town.witness.whole.couples.values()] == [2]
    assert ("finished", "model 1") in town.people["buyer"].home.notes


def test_rules_that_forget_deadlines_are_found_out_by_those_who_close_too_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    market = Scenario(seed=3, clouds=tuple((number, "hasty") for number in range(9)))
    assert failure_of(market) is None

    monkeypatch.setattr(Call, "after", lambda self, deadline: True)

    failure = failure_of(market)
    assert failure is not None
    assert failure.predicate == "S-10"


def test_rules_that_lose_money_at_the_end_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "pay", lambda *who, since: iter(()))

    # nobody says yes, so the whole escrow has to return
    failure = failure_of(Scenario(seed=3, hospital_lies=((0, "stalling"),)))
    assert failure is not None
    assert failure.predicate == "S-14 conserved"


def test_replicas_that_compute_by_chance_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = PlainWorkbench.answer
    monkeypatch.setattr(PlainWorkbench, "answer", lambda self, *asked: honest(self, *asked) + self._world.random(1))

    failure = failure_of(Scenario(seed=3))
    assert failure is not None
    assert failure.predicate == "S-1"


def test_a_failing_seed_tells_how_to_replay_it_and_is_shrunk_to_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    market = Scenario(
        seed=3,
        rounds=3,
        faults=Faults(lost_after=20, unwoken=20),
        clouds=(*((number, "hasty") for number in range(9)), (10, "silent")),
        outsider=True,
    )
    monkeypatch.setattr(Call, "after", lambda self, deadline: True)
    monkeypatch.setattr(running, "drawn", lambda seed: market)

    small = shrunk(market, "S-10")
    told = story(3)

    assert small.faults == Faults()
    assert len(small.clouds) < 5
    assert "python -m tests.simulation 3" in told
    assert "S-10" in told
