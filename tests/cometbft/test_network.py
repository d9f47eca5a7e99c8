"""Real networks: pairs of processes that are killed, stopped and started while members act."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from freehold.errors import FreeholdError, Refused, Unavailable
from freehold.ledger import blocks
from freehold.ledger.cometbft.client import FILE, CometLedger
from freehold.ledger.embedded.ledger import EmbeddedLedger
from freehold.ledger.memory import MemoryLedger
from freehold.ledger.proofs.state_tree import StateProof, StateTree, holds
from freehold.ports.ledger import Accepted, Engine
from freehold.protocol.digests import sha256
from tests.engines.cometbft import Network, program
from tests.engines.embedded import SEED
from tests.engines.engines import send
from tests.engines.notebook import Notebook, add, note

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(program() is None, reason="CometBFT is not installed (make test-cometbft)"),
]

APPLICATION, NODE = 0, 1


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Waits for something to become true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.02)


def root(ledger: Engine) -> bytes:
    """The digest of a ledger's state."""
    return StateTree({key: bytes.fromhex(value) for key, value in ledger.evaluate("state", {}).items()}).root


def level(ledgers: list[CometLedger]) -> None:
    """Waits until all have come equally far."""
    until(lambda: len({ledger.info().size for ledger in ledgers}) == 1)


@pytest.mark.parametrize("victims", [(APPLICATION,), (NODE,), (APPLICATION, NODE)], ids=["application", "node", "both"])
def test_what_was_acknowledged_survives_kills_under_load(victims: tuple[int, ...], tmp_path: Path) -> None:
    chance = random.Random(len(victims) + victims[0])
    stop = threading.Event()
    acknowledged: list[tuple[bytes, Accepted]] = []

    def act(ledger: CometLedger, member: int) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            action = add(f"c{member}", 1, number)
            acknowledged.append((action, ledger.submit(action)))

    with Network(tmp_path, 1).running() as (ledger,), ThreadPoolExecutor(4) as pool:
        members = [pool.submit(act, ledger, member) for member in range(4)]
        for _ in range(3):
            before, starts = len(acknowledged), ledger.pair.starts
            until(lambda before=before: len(acknowledged) > before + 10)  # type: ignore[misc]
            time.sleep(chance.random() * 0.1)
            alive = ledger.pair.processes
            for victim in victims:
                os.kill(alive[victim], signal.SIGKILL)
            until(lambda starts=starts: ledger.pair.starts > starts)  # type: ignore[misc]
        before = len(acknowledged)
        until(lambda: len(acknowledged) > before + 10)
        stop.set()
        for each in members:
            each.result()
        told = {each.position: (each.height, each.id) for _, each in acknowledged}
        state = root(ledger)
        assert [ledger.resolve(action) for action, _ in acknowledged] == [each for _, each in acknowledged]

    with Network(tmp_path, 1).running() as (again,):
        assert [again.resolve(action) for action, _ in acknowledged] == [each for _, each in acknowledged]
        assert sorted(told) == list(range(again.info().size))
        assert root(again) == state


def test_members_of_a_validator_that_is_killed_lose_nothing_and_all_four_agree(tmp_path: Path) -> None:
    actions = [add(f"c{number % 4}", 1, number) for number in range(120)]
    with Network(tmp_path, 4).running() as ledgers:
        first, *others = ledgers
        with ThreadPoolExecutor(6) as pool:
            answers = [pool.submit(send, first, action) for action in actions]
            for victim in (APPLICATION, NODE):
                starts = first.pair.starts
                os.kill(first.pair.processes[victim], signal.SIGKILL)
                until(lambda starts=starts: first.pair.starts > starts)  # type: ignore[misc]
                until(lambda: len(first.pair.processes) == 2)
            accepted = [answer.result() for answer in answers]
        level(ledgers)

        assert sorted(each.position for each in accepted) == list(range(120))
        for ledger in others:
            assert [ledger.resolve(action) for action in actions] == accepted
        assert len({root(ledger) for ledger in ledgers}) == 1
        assert [ledger.export(0, 1_000) for ledger in others] == [first.export(0, 1_000)] * 3


def test_one_of_four_may_be_down_and_catches_up(tmp_path: Path) -> None:
    network = Network(tmp_path, 4)
    with network.running() as ledgers:
        first = [send(ledgers[0], note(f"a{number}", "text")) for number in range(5)]
        level(ledgers)
        ledgers[3].close()
        rest = ledgers[:3]
        second = [send(rest[number % 3], note(f"b{number}", "text")) for number in range(9)]
        assert [each.position for each in first + second] == list(range(14))
        level(rest)

        back = network.start(3)
        try:
            level([*rest, back])
            send(back, note("from the one that was away", "text"))
            level([*rest, back])
            assert len({root(ledger) for ledger in (*rest, back)}) == 1
            assert [len(ledger.events(0).events) for ledger in (*rest, back)] == [15] * 4
        finally:
            back.close()


def test_the_same_action_through_every_validator_at_once_counts_once(tmp_path: Path) -> None:
    with Network(tmp_path, 4).running() as ledgers:
        actions = [add("c", 1, number) for number in range(20)]

        def everywhere(action: bytes) -> list[Accepted | FreeholdError]:
            futures = [ledger.enqueue([action]) for ledger in ledgers]
            return [future.result()[0] for future in futures]

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(everywhere, actions))

        for answer in answers:
            assert len({each for each in answer if isinstance(each, Accepted)}) == 1
            assert all(isinstance(each, Accepted | Refused) for each in answer)
        level(ledgers)
        assert {ledger.evaluate("counter", {"name": "c"}) for ledger in ledgers} == {20}


def test_an_application_that_lost_its_file_is_given_every_block_again(tmp_path: Path) -> None:
    network = Network(tmp_path, 1)
    actions = [add("c", number, number) for number in range(40)]
    with network.running() as (ledger,):
        accepted = [each for each in ledger.submit_all(actions) if isinstance(each, Accepted)]
        before = ledger.export(0, 100), root(ledger)
    for lost in network.folders[0].glob(f"{FILE}*"):
        lost.unlink()

    with network.running() as (again,):
        until(lambda: again.info().size == len(actions))
        assert [again.resolve(action) for action in actions] == accepted
        assert (again.export(0, 100), root(again)) == before


def test_one_order_gives_one_digest_on_every_engine(tmp_path: Path) -> None:
    story = [
        note("one", "hello"),
        note("one", "again"),
        *(add("c", 3, number % 40) for number in range(60)),
        b"nonsense",
    ]
    with Network(tmp_path / "network", 4).running() as ledgers:
        decided = ledgers[0].submit_all(story)
        level(ledgers)
        roots = {root(ledger) for ledger in ledgers}
        chain = ledgers[0].export(0, 1_000)
        events = [event.subject for event in ledgers[1].events(0).events]
        times = [ledgers[2].resolve(action) for block in chain for action in block.actions]

    moments = iter([each.time for each in times if each is not None])
    order = [action for block in chain for action in block.actions]
    now = [0]
    embedded = EmbeddedLedger.open(tmp_path / "ledger.sqlite", Notebook(), SEED, lambda: now[0])
    memory = MemoryLedger(Notebook(), lambda: now[0])
    for action, moment in zip(order, moments, strict=True):
        now[0] = moment
        for engine in (embedded, memory):
            engine.submit(action)
    for engine in (embedded, memory):
        roots.add(root(engine))
        assert [event.subject for event in engine.events(0).events] == events
        for action, outcome in zip(story, decided, strict=True):
            if isinstance(outcome, Refused):
                with pytest.raises(Refused) as refused:
                    engine.submit(action)
                assert refused.value.code == outcome.code
    embedded.close()

    assert len(roots) == 1
    assert len(order) == 41
    assert [type(each).__name__ for each in decided].count("Accepted") >= 41


def test_while_too_few_validators_take_part_nothing_is_decided_and_nothing_is_lost(tmp_path: Path) -> None:
    network = Network(tmp_path, 4)
    with network.running() as ledgers:
        send(ledgers[0], note("before", "text"))
        level(ledgers)
        for ledger in ledgers[2:]:
            ledger.close()
        waiting = ledgers[0].enqueue([note("meanwhile", "text")])
        time.sleep(2)
        assert not waiting.done()
        assert ledgers[0].evaluate("notes", {}) == ["text"]

        back = network.start(2)
        try:
            (answer,) = waiting.result(30)
            assert isinstance(answer, Accepted)
        finally:
            back.close()


def test_what_a_record_holds_and_that_an_action_is_recorded_can_be_proven(tmp_path: Path) -> None:
    with Network(tmp_path, 1).running() as (ledger,):
        with pytest.raises(Unavailable, match="no block"):
            ledger.prove_record("note/one")
        actions = [note("one", "hello"), note("two", "there"), note("three", "you")]
        ledger.submit_all(actions)

        held, absent = ledger.prove_record("note/one"), ledger.prove_record("note/four")
        recorded = ledger.prove_action(sha256(actions[1]))
        grown = ledger.prove_growth(1, 3)
        state = root(ledger)
        header = blocks.parse_header(held.header)

    assert header.state == state.hex()
    assert holds(StateProof(bucket=held.bucket, siblings=held.siblings), "note/one", held.value, state)
    assert held.value is not None
    assert holds(StateProof(bucket=absent.bucket, siblings=absent.siblings), "note/four", None, state)
    assert (recorded.size, recorded.accepted.position) == (header.size, 1) == (3, 1)
    assert grown


def test_a_stopped_ledger_takes_nothing_and_ends_its_processes(tmp_path: Path) -> None:
    network = Network(tmp_path, 1)
    ledger = network.start(0)
    processes = ledger.pair.processes
    ledger.close()

    with pytest.raises(Unavailable, match="closed"):
        ledger.submit(note("late", "text"))
    assert len(processes) == 2
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
