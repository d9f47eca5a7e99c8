"""Records in the state: read by their type, yet exactly the canonical bytes of the protocol."""

import pytest

from freehold.contract import stored
from freehold.errors import Broken
from freehold.protocol import assets
from freehold.protocol.assets import Account, Payout, TrainJob
from freehold.protocol.identifiers import MemberId
from tests.contract.crowd import Crowd


def test_every_record_of_a_history_lies_there_as_the_protocol_spells_it() -> None:
    kinds = set()
    for seed in range(6):
        crowd = Crowd(seed)
        crowd.lives(150)
        for key, data in crowd.machine.state.scan(""):
            kind, _, _ = key.partition("/")
            kinds.add(kind)
            record = assets.decode(kind, data)
            assert stored.decode(assets.KINDS[kind], data) == record
            assert stored.encode(record) == assets.encode(record) == data

    # Members are no operators: theirs are in tests/vectors/operators.json.
    assert kinds == set(assets.KINDS) - {"operators", "proposal"}


@pytest.mark.parametrize("amount", [-1, -(2**53), 2**53, 10**16, 2**63])
def test_a_rule_that_made_an_impossible_number_is_stopped(amount: int) -> None:
    with pytest.raises(Broken):
        stored.encode(Account(free=amount))


@pytest.mark.parametrize("amount", [0, 1, 2**53 - 1])
def test_a_possible_number_is_written(amount: int) -> None:
    payout = Payout(payee=MemberId("ab" * 32), amount=amount, cause="cd" * 32, since=amount, state="due")
    assert stored.encode(payout) == assets.encode(payout)


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b'{"free":1.5}', b'{"free":1,"more":2}', b'{"free":"1"}'])
def test_a_damaged_state_is_noticed(data: bytes) -> None:
    with pytest.raises(Broken):
        stored.decode(Account, data)


def test_a_key_names_the_kind_and_the_id() -> None:
    assert stored.key_of(TrainJob, "ab" * 32) == "job/" + "ab" * 32
    assert stored.kind_of(Account) == "account"
