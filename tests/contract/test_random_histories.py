"""Random histories: whatever a crowd does, money is conserved and every invariant holds after each action."""

from collections import Counter

import pytest

from freehold.contract.books import books_of
from freehold.contract.invariants import violations
from freehold.errors import Refused
from freehold.ledger.state import State
from freehold.protocol import actions, events
from freehold.protocol.envelope import open_action
from tests.contract.crowd import Crowd

HISTORIES = 150
MOVES = 70


def look(state: State) -> None:
    """Nothing may be wrong with the state after an action."""
    assert violations(state) == []


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_whatever_a_crowd_does_every_invariant_holds_and_no_money_is_stuck(seed: int) -> None:
    crowd = Crowd(seed)
    crowd.machine.look = look
    crowd.lives(MOVES)
    crowd.goes_home()

    books = books_of(crowd.machine.state)
    assert (books.balances, books.fees, books.left, books.stakes, books.due) == (0, 0, 0, 0, 0)
    assert books.accounts == books.deposited - books.withdrawn - books.burned


@pytest.mark.parametrize("seed", range(4))
def test_every_recorded_action_sent_again_is_refused(seed: int) -> None:
    crowd = Crowd(seed)
    crowd.lives(200)

    contract, state = crowd.market.contract, crowd.machine.state
    for action, time in crowd.machine.accepted:
        with pytest.raises(Refused) as caught:
            contract.execute(state.read, action, time)
        assert caught.value.code in ("exists", "state", "not-yours"), open_action(action).function


def test_the_crowd_does_everything_that_can_be_done() -> None:
    done: Counter[str] = Counter()
    told: Counter[str] = Counter()
    for seed in range(12):
        crowd = Crowd(seed)
        crowd.lives(150)
        done.update(open_action(action, signature_checked=True).function for action, _ in crowd.machine.accepted)
        told += crowd.machine.events

    # Members are no operators: what those can do is in tests/second_opinion.
    assert set(done) == set(actions.FUNCTIONS) - {"ProposeOperator", "ApproveOperator"}
    assert set(told) == set(events.NAMES) - {events.OPERATOR_PROPOSED, events.OPERATORS_CHANGED}
    assert sum(done.values()) > 2_000
