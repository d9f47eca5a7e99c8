"""G-2, seen by clients: whatever is killed, there is one order of all actions that explains every answer to everybody.

`python -m tests.ledger clients --count 50` kills more nodes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engines.notebook import add
from tests.ledger.clients import play
from tests.ledger.linear import Read, Resolved, Sent, violations

A, B, C = (add("c", amount, nonce) for nonce, amount in enumerate((1, 2, 4)))


def sent(action: bytes, began: int, ended: int, position: int | None, outcome: str = "accepted") -> Sent:
    return Sent(action=action, began=began, ended=ended, outcome=outcome, position=position)  # type: ignore[arg-type]


HONEST = (
    sent(A, 10, 20, 0),
    sent(B, 12, 40, 1),
    sent(C, 30, 60, 2),
    Read(counter="c", amount=3, began=35, ended=50),
    Read(counter="", amount=3, began=55, ended=70),
    Resolved(action=C, position=None, began=25, ended=32),
    sent(A, 5, 45, None, "refused"),
)


def test_what_an_honest_ledger_tells_has_an_order() -> None:
    assert violations([A, B, C], HONEST) == []


@pytest.mark.parametrize(
    ("log", "said", "why"),
    [
        ([A, B], [], "acknowledged at 2 lies at None"),
        ([A, C, B], [], "acknowledged at 1 lies at 2"),
        ([A, B, C, C], [], "recorded twice"),
        ([A, B, C, add("c", 1, 9)], [], "sent by nobody"),
        ([A, B, C], [Read(counter="c", amount=1, began=45, ended=50)], "action 1 was seen before"),
        ([A, B, C], [Read(counter="c", amount=7, began=22, ended=28)], "action 2 was seen before"),
        ([A, B, C], [Read(counter="", amount=2, began=61, ended=65)], "action 2 was seen before"),
        ([A, B, C], [Resolved(action=A, position=None, began=21, ended=22)], "action 0 was seen before"),
        ([A, B, C], [Resolved(action=C, position=2, began=27, ended=29)], "action 2 was seen before"),
        ([A, B, C], [sent(A, 50, 60, 0)], "acknowledged to two"),
        ([A, B, C], [sent(add("c", 1, 9), 1, 9, None, "refused")], "refused as a repetition"),
        ([A, B, C], [sent(add("c", 1, 9), 1, 9, None, "unknown")], "nobody found out"),
        ([A, B, C, add("c", 1, 9)], [sent(add("c", 1, 9), 1, 9, None, "absent")], "sent by nobody"),
    ],
)
def test_a_planted_lie_is_found(log: list[bytes], said: list[Sent | Read | Resolved], why: str) -> None:
    assert any(why in found for found in violations(log, [*HONEST, *said]))


def test_a_later_action_that_lies_before_an_earlier_one_is_found() -> None:
    assert violations([A, B], [sent(A, 30, 40, 0), sent(B, 10, 20, 1)])
    assert not violations([A, B], [sent(A, 30, 40, 0), sent(B, 10, 35, 1)])


def test_clients_of_a_node_that_is_killed_see_one_order_and_lose_nothing(tmp_path: Path) -> None:
    played = play(tmp_path, seed=1, kills=4)

    assert violations(played.log, played.told) == []
    outcomes = Counter(each.outcome for each in played.told if isinstance(each, Sent))
    assert outcomes["accepted"] > 50
    assert outcomes["refused"] > 0
    assert outcomes["found"] + outcomes["absent"] > 0
    # The same history, had the ledger lost its newest acknowledged action, or told a client of it too early.
    newest = max((each for each in played.told if isinstance(each, Sent) and each.position), key=_position)
    assert violations(played.log[: newest.position], played.told)
    assert violations(played.log, [*played.told, replace(newest, outcome="found", began=0, ended=1)])


def _position(each: Sent) -> int:
    return each.position or 0
