"""What every ledger promises its members, whichever it is: G-1, and that G-6 can be kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from freehold.errors import Invalid, Refused, Unavailable
from freehold.ledger.replay import Replay
from freehold.ports.ledger import Block, Ledger, RecordedEvent
from freehold.protocol.network import network_id
from tests.engines.engines import DURABLE, ENGINES, send
from tests.engines.notebook import ALICE, BOB, NETWORK, Notebook, add, note


def everything(ledger: Ledger, to: str | None = None) -> list[RecordedEvent]:
    """What a follower collects that acts on each event exactly once."""
    events: dict[int, RecordedEvent] = {}
    cursor = 0
    while True:
        page = ledger.events(cursor, to=to)
        assert [event.position for event in page.events] == sorted(event.position for event in page.events)
        events.update((event.position, event) for event in page.events)
        if page.cursor == cursor:
            return [events[position] for position in sorted(events)]
        cursor = page.cursor


def until_answered(ask: Callable[[], object]) -> None:
    """Asks until the answer is one."""
    for _ in range(200):
        with suppress(Unavailable):
            ask()
            return


def all_blocks(ledger: Ledger) -> list[Block]:
    """The whole chain, in portions."""
    blocks: list[Block] = []
    while some := ledger.export(len(blocks), 3):
        assert len(some) <= 3
        blocks += some
    return blocks


def test_an_accepted_action_is_seen_by_the_next_question(ledger: Ledger) -> None:
    accepted = send(ledger, note("one", "hello"))

    assert accepted.id == "one"
    assert accepted.position == 0
    assert [event.name for event in accepted.events] == ["note-written"]
    assert ledger.evaluate("notes", {}) == ["hello"]


def test_actions_take_effect_in_the_order_in_which_they_are_accepted(ledger: Ledger) -> None:
    accepted = [send(ledger, add("c", 1, nonce)) for nonce in range(20)]

    assert [each.position for each in accepted] == list(range(20))
    assert [each.height for each in accepted] == sorted(each.height for each in accepted)
    assert [each.time for each in accepted] == sorted(each.time for each in accepted)
    assert ledger.evaluate("counter", {"name": "c"}) == 20


def test_a_refused_action_leaves_no_trace(ledger: Ledger) -> None:
    send(ledger, note("one", "hello"))
    before = ledger.info(), everything(ledger), ledger.evaluate("state", {})

    for refused, code in ((note("one", "again"), "exists"), (b"nonsense", "malformed"), (b"", "malformed")):
        with pytest.raises(Refused) as caught:
            send(ledger, refused)
        assert caught.value.code == code
        assert ledger.resolve(refused) is None

    after = ledger.info(), everything(ledger), ledger.evaluate("state", {})
    assert (after[0].height, after[0].size, after[0].checkpoint) == (
        before[0].height,
        before[0].size,
        before[0].checkpoint,
    )
    assert after[1:] == before[1:]


def test_an_action_sent_twice_counts_once(ledger: Ledger) -> None:
    action = add("c", 5, nonce=1)
    first = send(ledger, action)

    with pytest.raises(Refused, match="exists"):
        until_answered(lambda: ledger.submit(action))

    assert ledger.resolve(action) == first
    assert ledger.evaluate("counter", {"name": "c"}) == 5


def test_what_became_of_an_action_can_be_asked_later(ledger: Ledger) -> None:
    actions = [note(f"n{i}", "text") for i in range(5)]
    accepted = [send(ledger, action) for action in actions]

    assert [ledger.resolve(action) for action in actions] == accepted
    assert ledger.resolve(note("never", "sent")) is None


def test_a_follower_misses_nothing_and_finds_its_place_again(ledger: Ledger) -> None:
    for i in range(10):
        send(ledger, note(f"n{i}", "text", to=ALICE if i % 2 else BOB))

    seen = everything(ledger)

    assert [event.subject for event in seen] == [f"n{i}" for i in range(10)]
    assert [event.position for event in seen] == list(range(1, 11))
    assert [event.subject for event in everything(ledger, to=BOB)] == ["n0", "n2", "n4", "n6", "n8"]
    rest = ledger.events(seen[6].position)
    assert {event.position for event in rest.events} >= {8, 9, 10}
    assert rest.cursor == 10


def test_a_follower_is_woken_by_the_event_that_it_waits_for(ledger: Ledger) -> None:
    woken: list[str] = []

    def wait() -> None:
        # A repeated page may come first, but the cursor never goes back.
        cursor = 0
        while not woken:
            page = ledger.events(cursor, to=BOB, wait=20.0)
            cursor = page.cursor
            woken.extend(event.subject for event in page.events)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.05)
    start = time.monotonic()
    send(ledger, note("for-alice", "text", to=ALICE))
    send(ledger, note("for-bob", "text", to=BOB))
    waiting.join(10)

    assert woken == ["for-bob"]
    assert time.monotonic() - start < 5


def test_waiting_for_nothing_ends_in_time(ledger: Ledger) -> None:
    start = time.monotonic()

    page = ledger.events(0, wait=0.2)

    assert page.events == ()
    assert 0.15 < time.monotonic() - start < 5


def test_a_follower_that_saw_more_than_there_is_learns_that_the_ledger_was_set_back(ledger: Ledger) -> None:
    send(ledger, note("one", "hello"))

    with pytest.raises(Invalid, match="cursor"):
        ledger.events(17)


def test_many_members_at_once_lose_nothing(ledger: Ledger) -> None:
    actions = [add("c", 1, nonce) for nonce in range(160)]

    with ThreadPoolExecutor(16) as pool:
        accepted = list(pool.map(lambda action: send(ledger, action), actions))

    assert sorted(each.position for each in accepted) == list(range(160))
    assert ledger.evaluate("counter", {"name": "c"}) == 160
    assert len(everything(ledger)) == 320
    by_position = sorted(accepted, key=lambda each: each.position)
    assert [each.height for each in by_position] == sorted(each.height for each in by_position)


def test_whoever_hears_of_an_event_finds_what_it_is_about(ledger: Ledger) -> None:
    failures: list[str] = []

    def follow() -> None:
        cursor, seen = 0, 0
        while seen < 40:
            page = ledger.events(cursor, wait=5.0)
            seen = max([seen, *(event.position for event in page.events)])
            cursor = page.cursor
            known = len(ledger.evaluate("notes", {}))
            if known < seen:
                failures.append(f"{seen} notes announced, {known} found")

    follower = threading.Thread(target=follow)
    follower.start()
    for i in range(40):
        send(ledger, note(f"n{i}", "text"))
    follower.join(20)

    assert not follower.is_alive()
    assert failures == []


def test_the_exported_blocks_replay_to_the_same_state(ledger: Ledger) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda nonce: send(ledger, add("c", nonce, nonce)), range(30)))
    send(ledger, note("one", "hello"))
    operator = ledger.info().operator

    replay = Replay(Notebook(), bytes.fromhex(operator) if operator else None)
    for block in all_blocks(ledger):
        replay.apply(block)

    assert {key: value.hex() for key, value in replay.state.scan("")} == ledger.evaluate("state", {})
    info = ledger.info()
    assert (replay.tip.height, replay.tip.log.size) == (info.height, info.size)


def test_a_ledger_names_its_network(ledger: Ledger) -> None:
    info = ledger.info()

    assert info.network == NETWORK.encode()
    assert (info.height, info.size) == (0, 0)
    assert network_id(NETWORK) in info.checkpoint or not info.checkpoint


def test_a_question_that_cannot_be_asked_is_named(ledger: Ledger) -> None:
    with pytest.raises(Invalid, match="no query"):
        ledger.evaluate("weather", {})


@pytest.mark.parametrize("engine", DURABLE)
def test_after_a_restart_everything_is_as_it_was(engine: str, tmp_path: Path) -> None:
    actions = [add("c", 1, nonce) for nonce in range(25)]
    with ENGINES[engine](tmp_path) as ledger:
        accepted = [send(ledger, action) for action in actions]
        before = ledger.info(), ledger.evaluate("state", {}), everything(ledger), all_blocks(ledger)

    with ENGINES[engine](tmp_path) as ledger:
        after = ledger.info(), ledger.evaluate("state", {}), everything(ledger), all_blocks(ledger)
        assert [ledger.resolve(action) for action in actions] == accepted
        more = send(ledger, add("c", 1, 99))

    assert after[1:] == before[1:]
    assert after[0].checkpoint == before[0].checkpoint
    assert more.position == 25
