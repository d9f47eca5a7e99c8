"""Histories told again at other times: the claimed time alone decides, and only within the network's skew.

The first two tests replay what was accepted as it was signed, by a ledger whose clock differs. The third signs the same
actions again with other claimed times and in another order, so that deadlines are met in an order that the first
history did not know; product and second opinion must then agree about every refusal.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from freehold.errors import Refused as ProductRefused
from freehold.ledger.state import State
from tests.second_opinion.compared import Compared, function_of
from tests.second_opinion.crowd import verify
from tests.second_opinion.opinion import SecondOpinion
from tests.second_opinion.reader import parse

SEEDS = (6, 10, 12, 14, 15)
"""Crowds that come to train."""
MOVES = 500
SKEW = 250
DISTURBED = {"ApproveTC", "UpdateTJ", "CloseRound", "StartRound", "EndTC"}
"""Who joins or offers too late only leaves others without what they need: their refusals say nothing of deadlines."""
LATE = {"too-late", "too-early", "round-open", "clock"}
"""What only other times bring about in actions that were all accepted once."""


@pytest.fixture(scope="module")
def crowds() -> dict[int, Compared]:
    """Crowds that lived for a while."""
    lived = {}
    for seed in SEEDS:
        crowd = Compared(Random(seed), permissioned=bool(seed & 1), rich=bool(seed & 2), wide=bool(seed & 4))
        crowd.gathers()
        crowd.lives(MOVES)
        lived[seed] = crowd
    return lived


def claimed(action: bytes) -> int:
    """The time that an action claims."""
    time = parse(action[96:])["time"]
    assert isinstance(time, int)
    return time


def twin_of(crowd: Compared) -> Compared:
    """A market of the same network, keys and secrets, in which nothing has happened yet."""
    twin = Compared(Random(0), permissioned=crowd.permissioned, rich=False, wide=False)
    twin.network, twin.keys, twin.registrar = crowd.network, crowd.keys, crowd.registrar
    twin.opinion = SecondOpinion(crowd.network, verify)
    twin.contract = crowd.contract
    twin.state = State(crowd.contract.genesis())
    return twin


@pytest.mark.parametrize("seed", SEEDS)
def test_a_ledger_whose_clock_differs_within_the_skew_writes_the_same_records(
    crowds: dict[int, Compared], seed: int
) -> None:
    crowd, random = crowds[seed], Random(seed)
    state = State(crowd.contract.genesis())
    for action, _ in crowd.accepted:
        clock = claimed(action) + random.choice((-SKEW, -SKEW + 1, -1, 0, 1, SKEW - 1, SKEW))
        state.apply(crowd.contract.execute(state.read, action, clock).writes)

    assert dict(state.scan("")) == dict(crowd.state.scan(""))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_ledger_whose_clock_differs_by_more_records_nothing(crowds: dict[int, Compared], seed: int) -> None:
    crowd, random = crowds[seed], Random(seed)
    state = State(crowd.contract.genesis())
    for action, now in crowd.accepted:
        for clock in (
            claimed(action) - SKEW - 1,
            claimed(action) + SKEW + 1,
            claimed(action) + random.randrange(10**9) + SKEW + 1,
        ):
            with pytest.raises(ProductRefused) as caught:
                crowd.contract.execute(state.read, action, clock)
            assert caught.value.code == "clock"
        state.apply(crowd.contract.execute(state.read, action, now).writes)

    assert dict(state.scan("")) == dict(crowd.state.scan(""))


def test_the_same_actions_at_other_times_and_in_another_order_have_one_fate(crowds: dict[int, Compared]) -> None:
    refused: Counter[str] = Counter()
    accepted = 0
    for seed, crowd in crowds.items():
        twin, random, drift = twin_of(crowd), Random(seed), 0
        for action, now in reordered(crowd.accepted, random):
            shift = drift
            if function_of(action) in DISTURBED:
                drift += random.choice((0,) * 12 + (1, 501, 1_000, 3_000))
                shift = drift + random.choice((0,) * 6 + (-SKEW - 1, -SKEW, -1, 1, SKEW, SKEW + 1))
            twin.now = now + drift
            twin.send(twin.moved(action, shift))
        accepted += len(twin.accepted)
        refused.update(code for _, code in twin.refused.elements())

    assert accepted > 1_000
    assert set(refused) >= LATE, refused


def reordered(history: list[tuple[bytes, int]], random: Random) -> list[tuple[bytes, int]]:
    """The history with some neighbours, or near neighbours, in each other's place."""
    history = list(history)
    for place in range(len(history) - 4):
        if random.random() < 0.1 and function_of(history[place][0]) in DISTURBED:
            other = place + random.randrange(1, 4)
            history[place], history[other] = history[other], history[place]
    return history
