"""The invariants can fail: each of them notices the state that it is there to notice."""

from collections.abc import Callable
from typing import Any

import pytest

from freehold.contract import records, stored
from freehold.contract.invariants import INVARIANTS, violations
from freehold.ledger.state import State
from freehold.protocol.assets import (
    Account,
    Ballot,
    Budget,
    CloudInstance,
    Dataset,
    DataSubset,
    Finding,
    Payout,
    TrainCouple,
    TrainJob,
    with_changes,
)
from freehold.protocol.records import Record
from tests.market import Market


@pytest.fixture(scope="module")
def state() -> State:
    """A market in which a round was settled, a liar burned, a ballot void, and a round runs."""
    market = Market()
    training = market.trains(subsets=4, group_min=2)
    ballot = training.starts_round().ballots[0]
    for replica, result in zip(ballot.replicas, (b"right", b"right", b"wrong"), strict=True):
        replica.commits(result)
    ballot.closes_with(b"right")
    ballot.is_ruled(b"right")
    market.waits_until_after(training.record["close_until"])
    training.starts_round().is_agreed()
    training.starts_round().ballots[1].is_agreed()
    return market.state()


def tampered(state: State, kind: type[Record], fits: Callable[[Any], bool], changes: dict[str, Any]) -> State:
    """The state with one record changed by a hand from outside, the first that fits."""
    copy = State(dict(state.scan("")))
    id, record = next((id, record) for id, record in records.every(state, kind) if fits(record))
    copy.apply({stored.key_of(kind, id): stored.encode(with_changes(record, **changes))})
    return copy


def any_record(record: Record) -> bool:
    """Whatever comes first."""
    return True


def in_state(name: str) -> Callable[[Any], bool]:
    """A record that is in this state."""
    return lambda record: bool(record.state == name)


TAMPERING: list[tuple[str, type[Record], Callable[[Any], bool], Callable[[Any], dict[str, Any]]]] = [
    ("S-6", DataSubset, any_record, lambda subset: {"slots": subset.slots + subset.slots[:1]}),
    ("S-6", DataSubset, any_record, lambda subset: {"slots": subset.slots[1:]}),
    ("S-6", CloudInstance, in_state("retired"), lambda _: {"state": "verified"}),
    ("S-7", Ballot, any_record, lambda ballot: {"jobs": ballot.jobs[:1]}),
    ("S-7", Ballot, any_record, lambda _: {"n": 4}),
    ("S-7", TrainJob, any_record, lambda _: {"co": "ab" * 32}),
    ("S-8 groups", Dataset, any_record, lambda dataset: {"groups": dataset.groups[::-1]}),
    ("S-8 groups", Dataset, any_record, lambda _: {"groups": None}),
    ("S-8 rounds, S-9, S-16", TrainCouple, any_record, lambda couple: {"turn": couple.turn + 1}),
    ("S-8 rounds, S-9, S-16", TrainCouple, any_record, lambda couple: {"rounds": couple.round - 1}),
    ("S-8 rounds, S-9, S-16", TrainCouple, any_record, lambda _: {"seed": "ab" * 32}),
    ("S-8 rounds, S-9, S-16", TrainCouple, any_record, lambda _: {"seed": None}),
    ("S-8 rounds, S-9, S-16", Ballot, in_state("open"), lambda _: {"base": "ab" * 32}),
    ("S-8 rounds, S-9, S-16", TrainCouple, any_record, lambda _: {"state": "ended"}),
    ("S-8 budgets", Budget, any_record, lambda budget: {"granted": budget.granted + 1}),
    ("S-10, S-11", TrainJob, in_state("rejected"), lambda _: {"state": "accepted"}),
    ("S-10, S-11", TrainJob, in_state("accepted"), lambda _: {"nonce": "ab" * 32}),
    ("S-10, S-11", Ballot, in_state("decided"), lambda _: {"digest": "ab" * 32}),
    ("S-10, S-11", Ballot, in_state("open"), lambda _: {"digest": "ab" * 32}),
    ("S-12, S-13", Ballot, lambda ballot: ballot.ruling is not None, lambda _: {"ruling": None}),
    ("S-12, S-13", Finding, any_record, lambda _: {"co": "ab" * 32}),
    ("S-14 conserved", Account, any_record, lambda account: {"free": account.free + 1}),
    ("S-14 paid once", Ballot, in_state("void"), lambda _: {"left": 100}),
    ("S-14 paid once", Ballot, in_state("open"), lambda ballot: {"left": ballot.left - 1}),
    ("S-14 paid once", TrainJob, in_state("accepted"), lambda _: {"state": "open"}),
    ("S-15", Payout, in_state("due"), lambda _: {"state": "burned"}),
    ("S-15", CloudInstance, in_state("retired"), lambda _: {"stake": 5}),
]


@pytest.mark.parametrize(("invariant", "kind", "fits", "change"), TAMPERING)
def test_a_state_that_no_rule_makes_is_noticed(
    state: State,
    invariant: str,
    kind: type[Record],
    fits: Callable[[Any], bool],
    change: Callable[[Any], dict[str, Any]],
) -> None:
    before = next(record for _, record in records.every(state, kind) if fits(record))
    found = {violation.invariant for violation in violations(tampered(state, kind, fits, change(before)))}

    assert invariant in found


def test_a_true_state_violates_nothing(state: State) -> None:
    assert violations(state) == []


def test_a_negative_amount_is_noticed_where_the_bytes_let_it_in(state: State) -> None:
    copy = State(dict(state.scan("")))
    copy.apply({f"budget/{'ab' * 32}": b'{"granted":-1}'})

    assert "S-14 not negative" in {violation.invariant for violation in violations(copy)}


def test_every_invariant_was_tried() -> None:
    assert {invariant for invariant, *_ in TAMPERING} | {"S-14 not negative"} == set(INVARIANTS)
