"""G-7: the rules of the market on four validators: one order of actions, one state, whichever engine records it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from freehold.contract.host import Contract
from freehold.errors import FreeholdError, Refused
from freehold.ledger.cometbft.admission import Admission
from freehold.ledger.cometbft.bundle import MARK
from freehold.ledger.cometbft.client import FILE
from freehold.ledger.cometbft.file import CommitFile
from freehold.ledger.cometbft.rpc import Rpc, Taken
from freehold.ledger.embedded.ledger import EmbeddedLedger
from freehold.ledger.frames import frame
from freehold.ledger.memory import MemoryLedger
from freehold.ledger.proofs.state_tree import StateTree
from freehold.ledger.replay import Replay
from freehold.node.validator import MarketIntroduction, program
from freehold.ports.ledger import Accepted, Block
from freehold.protocol.digests import sha256
from tests.engines.cometbft import Network
from tests.engines.cometbft import program as cometbft_program
from tests.engines.embedded import SEED, clock
from tests.market import Market

HOUR = 3_600_000
TERMS = {f"{name}_window": 4 * HOUR for name in ("answer", "close", "commit", "idle")} | {"hold": 20 * HOUR}


def a_story() -> tuple[Market, list[bytes]]:
    """A training of two rounds at this machine's time, and all that was said in it, with some of it said twice."""
    market = Market(seed="validators", now=clock(), skew=HOUR, grace=2 * HOUR)
    training = market.trains(subsets=4, replicas=3, rounds=2, **TERMS)
    training.starts_round().is_agreed()
    training.starts_round().is_agreed()
    training.ends()
    actions = [action for block in market.ledger.export(0, 10_000) for action in block.actions]
    return market, [*actions, actions[3], actions[-1]]


def state_of(ledger_blocks: Sequence[Block], contract: Contract, operator: bytes | None) -> bytes:
    """The digest of the state that the blocks of a ledger replay to."""
    replay = Replay(contract, operator)
    for block in ledger_blocks:
        replay.apply(block)
    return StateTree(dict(replay.state.scan(""))).root


def said(answers: Sequence[Accepted | FreeholdError]) -> list[object]:
    """What was accepted with which events, and what was refused for which reason."""
    return [
        (each.position, each.id, each.events) if isinstance(each, Accepted) else (type(each), each.code)
        for each in answers
    ]


@pytest.mark.processes
@pytest.mark.skipif(cometbft_program() is None, reason="CometBFT is not installed (make test-cometbft)")
def test_four_validators_make_of_a_market_what_one_engine_makes_of_it(tmp_path: Path) -> None:
    market, story = a_story()
    memory = MemoryLedger(market.contract, clock)
    embedded = EmbeddedLedger.open(tmp_path / "ledger.sqlite", market.contract, SEED, clock)
    network = Network(
        tmp_path / "network", 4, machine=lambda: market.contract, record=market.network, application=program
    )

    with network.running() as ledgers:
        answers = ledgers[0].submit_all(story)
        strange = MARK + frame([story[0], story[1]])
        (disguised,) = ledgers[1].submit_all([strange])
        deadline = time.monotonic() + 20
        while len({ledger.info().size for ledger in ledgers}) > 1:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        chains = [ledger.export(0, 10_000) for ledger in ledgers]
        totals = [ledger.evaluate("totals", {}) for ledger in ledgers]

    assert getattr(disguised, "code", None) == "malformed"
    expected = memory.submit_all(story)
    assert said(answers) == said(expected) == said(embedded.submit_all(story))
    assert [type(each) for each in expected[-2:]] == [Refused, Refused]
    assert chains[1:] == chains[:-1]
    assert totals == [memory.evaluate("totals", {})] * 4
    operator = bytes.fromhex(embedded.info().operator)
    roots = {
        state_of(chains[0], market.contract, None),
        state_of(memory.export(0, 10_000), market.contract, None),
        state_of(embedded.export(0, 10_000), market.contract, operator),
    }
    embedded.close()
    assert len(roots) == 1


@pytest.mark.processes
@pytest.mark.skipif(cometbft_program() is None, reason="CometBFT is not installed (make test-cometbft)")
def test_what_overtakes_another_on_its_way_between_validators_is_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = Market(seed="overtaking", now=clock(), skew=HOUR, grace=2 * HOUR)
    for _ in range(20):
        person = market.data_owner()
        market.treasury.does("Deposit", nonce=market.fresh(), payee=person.id, amount=5)
    actions = [action for block in market.ledger.export(0, 10_000) for action in block.actions]
    honest, sent = Rpc.broadcast, set[bytes]()

    def overtaking(rpc: Rpc, transactions: Sequence[bytes]) -> list[Taken]:
        """As it may come about between nodes: what is sent for the first time arrives the last one first."""
        turned = list(transactions)[::-1] if not sent.issuperset(transactions) else list(transactions)
        sent.update(transactions)
        taken = dict(zip(turned, honest(rpc, turned), strict=True))
        return [taken[each] for each in transactions]

    monkeypatch.setattr(Rpc, "broadcast", overtaking)
    network = Network(tmp_path, 1, machine=lambda: market.contract, record=market.network, application=program)
    with network.running() as (ledger,):
        answers = ledger.submit_all(actions)
        again = ledger.submit_all(actions[:1])

    assert [each for each in answers if not isinstance(each, Accepted)] == []
    assert [type(each) for each in again] == [Refused]


@pytest.mark.processes
@pytest.mark.skipif(cometbft_program() is None, reason="CometBFT is not installed (make test-cometbft)")
def test_what_is_turned_away_at_the_door_is_told_at_once_and_never_ordered(tmp_path: Path) -> None:
    market = Market(seed="door", now=clock(), skew=HOUR, grace=2 * HOUR)
    person = market.data_owner()
    (joins,) = [action for block in market.ledger.export(0, 10) for action in block.actions]
    withdrawal = person.signs("Withdraw", amount=1, nonce=market.fresh())
    forged = bytes([*withdrawal[:40], withdrawal[40] ^ 1, *withdrawal[41:]])
    network = Network(tmp_path, 1, machine=lambda: market.contract, record=market.network, application=program)

    with network.running() as (ledger,):
        start = time.monotonic()
        answers = ledger.submit_all([forged, withdrawal, b"x" * 20_000])
        seconds = time.monotonic() - start
        known = ledger.submit_all([joins, withdrawal])
        ordered = CommitFile.read(network.folders[0] / FILE, market.network.encode())
        places = [ordered.place(sha256(action)) for action in (forged, joins, withdrawal)]
        ordered.close()

    assert [each.code for each in answers if isinstance(each, Refused)] == ["malformed", "unknown", "malformed"]
    assert seconds < 2.5, "they were sent again before anybody said a word"
    assert isinstance(known[0], Accepted)
    assert getattr(known[1], "code", None) == "no-funds"
    assert [place is not None for place in places] == [False, True, True]


def test_members_and_newcomers_may_wait_and_strangers_and_forgers_may_not() -> None:
    market = Market(permissioned=True)
    introduction = MarketIntroduction(market.contract)
    member = market.data_owner()
    state = market.state()

    def refusal(action: bytes) -> str:
        with pytest.raises(Refused) as caught:
            Admission(introduction).admit(state.read, action)
        return caught.value.code

    newcomer = market.newcomer("mo")
    joins = newcomer.signs("CreateMO", **newcomer.keys, admission=newcomer.is_vouched_for())
    withdraws = newcomer.signs("Withdraw", amount=1, nonce=market.fresh())
    assert refusal(withdraws) == "unknown"
    assert refusal(newcomer.signs("CreateMO", **newcomer.keys)) == "not-admitted"
    admitted = Admission(introduction)
    admitted.admit(state.read, joins)
    admitted.admit(state.read, withdraws)
    admitted.admit(state.read, member.signs("Withdraw", amount=1, nonce=market.fresh()))
    admitted.admit(state.read, market.treasury.signs("Deposit", nonce=market.fresh(), payee=member.id, amount=5))
    known = introduction.sender(state.read, member.signs("Withdraw", amount=1, nonce=market.fresh()))
    assert (known.name, known.known) == (member.id, True)

    other = Market(seed="another")
    assert refusal(other.treasury.signs("Deposit", nonce=other.fresh(), payee=member.id, amount=5)) == "unknown"
    forged = bytearray(member.signs("Withdraw", amount=1, nonce=market.fresh()))
    forged[40] ^= 1
    assert refusal(bytes(forged)) == "malformed"
    assert refusal(b"") == "malformed"
