"""G-7: the rules of the market on every engine: the same story gives the same history, to the last byte."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import pytest

from freehold.ledger.embedded.ledger import EmbeddedLedger
from freehold.ledger.memory import MemoryLedger
from freehold.ledger.remote import RemoteLedger
from freehold.ledger.replay import Replay
from freehold.node.server import serving
from freehold.objects.folder import FolderStore
from freehold.ports.ledger import Block, Engine
from freehold.ports.machine import Machine
from tests.engines.embedded import SEED
from tests.market import Market

Factory = Callable[[Machine, Callable[[], int]], Engine]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def embedded_in(folder: Path, stack: ExitStack) -> Factory:
    def opened(machine: Machine, clock: Callable[[], int]) -> Engine:
        ledger = EmbeddedLedger.open(folder / "ledger.sqlite", machine, SEED, clock)
        stack.callback(ledger.close)
        return ledger

    return opened


def remote_in(folder: Path, stack: ExitStack) -> Factory:
    def opened(machine: Machine, clock: Callable[[], int]) -> Engine:
        engine = embedded_in(folder, stack)(machine, clock)
        ledger = RemoteLedger(stack.enter_context(serving(engine, FolderStore(folder / "objects"))))
        stack.callback(ledger.close)
        # The people of the market send one action at a time, which is all that a remote ledger takes.
        return cast("Engine", ledger)

    return opened


def a_story(engine: Factory) -> Market:
    """A training of two rounds; in the second somebody copies and somebody is silent."""
    market = Market(engine=engine, seed="engines")
    training = market.trains(subsets=4, replicas=3, rounds=2)
    training.starts_round().is_agreed()
    second = training.starts_round()
    worker, copier, _ = second.ballot(subset=0).replicas
    worker.commits(b"result")
    copier.commits_bytes_of(worker)
    for subset in (1, 2, 3):
        second.ballot(subset).is_agreed()
    market.waits_until_after(second.ballot(subset=0).record["close_until"])
    training.ends()
    return market


def headers(market: Market) -> list[bytes]:
    blocks: list[Block] = []
    while some := market.ledger.export(len(blocks), 50):
        blocks += some
    return [block.header for block in blocks]


def test_a_market_on_one_file_or_behind_a_node_has_the_history_of_the_reference(
    tmp_path: Path, stack: ExitStack
) -> None:
    (tmp_path / "near").mkdir()
    (tmp_path / "far").mkdir()

    reference = a_story(MemoryLedger)
    near, far = a_story(embedded_in(tmp_path / "near", stack)), a_story(remote_in(tmp_path / "far", stack))

    assert headers(near) == headers(far) == headers(reference)
    assert near.money_is_conserved()
    for market in (near, far):
        assert market.ledger.evaluate("totals", {}) == reference.ledger.evaluate("totals", {})
        assert market.records("job") == reference.records("job")
        for kind in ("couple", "ballot", "payout", "deposits", "account"):
            for record in reference.records(kind):
                question = {"kind": kind, "id": record["id"]}
                told = reference.ledger.evaluate("history", question)
                assert market.ledger.evaluate("history", question) == told
                assert told[-1]["record"] == reference.record(kind, record["id"])


def test_the_history_of_a_record_survives_a_restart_and_tells_a_block_of_many_actions_once(tmp_path: Path) -> None:
    now = [0]
    with ExitStack() as first:
        market = Market(engine=embedded_in(tmp_path, first), seed="history")
        person = market.data_owner()
        credits = [
            market.treasury.signs("Deposit", nonce=market.fresh(), payee=person.id, amount=amount) for amount in (1, 2)
        ]
        market.ledger.submit_all(credits)
        now[0] = market.now
        question = {"kind": "deposits", "id": market.id}
        told = market.ledger.evaluate("history", question)
    with ExitStack() as second:
        ledger = embedded_in(tmp_path, second)(market.contract, lambda: now[0])

        assert ledger.evaluate("history", question) == told

    assert told == [{"height": 2, "time": market.now, "record": {"id": market.id, "amount": 3}}]


def test_a_stranger_replays_a_market_under_its_rules(tmp_path: Path, stack: ExitStack) -> None:
    market = a_story(embedded_in(tmp_path, stack))
    info = market.ledger.info()

    replay = Replay(market.contract, bytes.fromhex(info.operator))
    for block in market.ledger.export(0, info.height):
        replay.apply(block)

    assert (replay.tip.height, replay.tip.log.size) == (info.height, info.size)


def test_every_recorded_action_sent_again_is_refused_and_changes_nothing(tmp_path: Path, stack: ExitStack) -> None:
    market = a_story(embedded_in(tmp_path, stack))
    before = market.ledger.info().checkpoint
    actions = [action for block in market.ledger.export(0, 1_000) for action in block.actions]

    again = market.ledger.submit_all(actions)

    assert {type(each).__name__ for each in again} == {"Refused"}
    assert market.ledger.info().checkpoint == before
