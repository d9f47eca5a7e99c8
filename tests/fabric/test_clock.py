"""The ledger's clock on Fabric: every action runs at its block's time, and no envelope can be kept for later."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("grpc", reason="gRPC is not installed (pip install freehold[fabric])")

from freehold.errors import Broken, Refused, Unavailable
from freehold.ledger.blocks import parse_header
from freehold.ledger.fabric.client import FabricLedger
from freehold.ledger.fabric.clock import AGE_LARGEST, AWAY_LARGEST, STEP_LEAST, TICK, TICK_FIRST
from freehold.ledger.fabric.envelope import Endorsed, propose
from freehold.ledger.fabric.patience import Patience
from freehold.ledger.fabric.sending import CONFLICTS_LARGEST
from freehold.ledger.fabric.transactions import READ_CONFLICT, VALID
from freehold.ledger.protobuf import bytes_field
from freehold.ledger.replay import Replay
from freehold.ports.ledger import Accepted
from freehold.ports.machine import Executed, Machine
from freehold.ports.state_view import Read
from tests.engines.notebook import Notebook, note
from tests.fabric.channel import PLACE, Channel, identity, read_write_set, transaction
from tests.fabric.organisations import endorsers
from tests.fabric.test_sending import IMPATIENT, WHO, peer_of, until

OLD = int(1_000 * Patience().clock) + 1


class Time:
    """The clock of every machine, which goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@contextmanager
def ledger_of(
    channel: Channel,
    folder: Path,
    time: Callable[[], int],
    machine: Machine | None = None,
    patience: Patience = IMPATIENT,
) -> Iterator[FabricLedger]:
    channel.open()
    ledger = FabricLedger(peer_of(channel), folder / "fabric.sqlite", machine or Notebook(), time, patience)
    try:
        yield ledger
    finally:
        ledger.close()


def held(channel: Channel, action: bytes) -> Endorsed:
    """An envelope that was endorsed, and is kept for later."""
    return channel.endorse_now(WHO, propose(WHO, PLACE, [b"execute", action], channel.clock()))


def times(ledger: FabricLedger) -> list[int]:
    """Of the blocks; they are run again, each action at its block's time, and come to the same."""
    replay = Replay(Notebook(), None)
    exported = ledger.export(0, 1_000)
    for block in exported:
        replay.apply(block)
    assert {key: value.hex() for key, value in replay.state.scan("")} == ledger.evaluate("state", {})
    return [parse_header(block.header).time for block in exported]


def test_an_envelope_that_is_kept_dies_at_the_next_tick(tmp_path: Path, time: Time) -> None:
    channel = Channel(Notebook(), time)
    channel.tick()
    kept = held(channel, note("kept", "a"))

    with ledger_of(channel, tmp_path, time) as ledger:
        ledger.submit(note("one", "a"))
        for _ in range(2):
            time.now += STEP_LEAST
            channel.tick()
        channel.order(kept)
        ledger.submit(note("two", "b"))

        assert channel.codes[kept.transaction] == READ_CONFLICT
        assert ledger.resolve(note("kept", "a")) is None
        assert times(ledger) == [time.now - 2 * STEP_LEAST, time.now]


def test_an_envelope_that_is_kept_while_nobody_ticks_runs_at_the_time_of_its_block(tmp_path: Path, time: Time) -> None:
    channel = Channel(Notebook(), time)
    channel.tick()
    ticked = time.now
    kept = held(channel, note("kept", "a"))
    time.now += 3_600_000

    with ledger_of(channel, tmp_path, time) as ledger:
        channel.order(kept)
        until(lambda: ledger.info().size == 1)
        later = ledger.submit(note("two", "b"))

        assert channel.codes[kept.transaction] == VALID
        assert times(ledger) == [ticked, later.time]
        assert later.time == time.now


def test_a_tick_in_the_middle_of_a_block_begins_another_time(tmp_path: Path, time: Time) -> None:
    channel = Channel(Notebook(), time)
    with ledger_of(channel, tmp_path, time) as ledger:
        ledger.submit(note("zero", "z"))
        channel.automatic, channel.ticks_wait = False, True
        early = held(channel, note("one", "a"))
        channel.order(early)
        time.now += STEP_LEAST
        channel.tick()
        late = held(channel, note("two", "b"))
        channel.order(late)
        channel.cut()
        after = ledger.enqueue([note("three", "c")])
        until(lambda: "submit" in channel.log[4:])
        channel.cut()

        assert [channel.codes[each.transaction] for each in (early, late)] == [VALID, READ_CONFLICT]
        assert [each.time for each in after.result(5) if isinstance(each, Accepted)] == [time.now]
        assert times(ledger) == [time.now - STEP_LEAST] * 2 + [time.now]


def test_a_node_ticks_when_it_has_something_to_send_and_the_clock_is_old(tmp_path: Path, time: Time) -> None:
    channel = Channel(Notebook(), time)
    with ledger_of(channel, tmp_path, time) as ledger:
        assert (channel.newest(), channel.ticks) == (0, {})
        first = ledger.submit(note("one", "a"))
        time.now += OLD - 1
        second = ledger.submit(note("two", "b"))
        assert len(channel.ticks) == 1
        time.now += 1
        third = ledger.submit(note("three", "c"))
        assert len(channel.ticks) == 2
        blocks = channel.newest()
        time.now += 3_600_000
        ledger.evaluate("notes", {})

        assert channel.newest() == blocks
        assert [first.time, second.time, third.time] == [time.now - 3_600_000 - OLD] * 2 + [time.now - 3_600_000]


def test_whatever_waits_together_waits_for_one_tick(tmp_path: Path, time: Time) -> None:
    channel = Channel(Notebook(), time, automatic=False, ticks_wait=True)
    with ledger_of(channel, tmp_path, time) as ledger:
        future = ledger.enqueue([note(f"n{number}", "x") for number in range(20)])
        until(lambda: len(channel.waiting()) >= 1)
        threading.Event().wait(0.05)
        channel.cut()
        until(lambda: len(channel.waiting()) == 20)
        channel.cut()

        assert [each.height for each in future.result(5) if isinstance(each, Accepted)] == [1] * 20
        assert list(channel.ticks.values()) == [VALID]
        assert set(channel.codes.values()) == {VALID}


def test_two_nodes_that_tick_at_once_do_each_other_no_harm(tmp_path: Path, time: Time) -> None:
    channel = Channel(Notebook(), time, automatic=False, ticks_wait=True)
    other = channel.endorse_now(WHO, propose(WHO, PLACE, [TICK.encode()], time.now - 3))
    with ledger_of(channel, tmp_path, time) as ledger:
        channel.order(other)
        future = ledger.enqueue([note("one", "a")])
        until(lambda: len(channel.waiting()) >= 2)
        channel.cut()
        until(lambda: "submit" in channel.log)
        channel.cut()

        (accepted,) = future.result(5)
        assert isinstance(accepted, Accepted)
        assert sorted(channel.ticks.values()) == [VALID, READ_CONFLICT]
        assert (channel.log.count("endorse"), accepted.time) == (1, time.now - 3)


def test_a_clock_that_another_node_set_ahead_is_taken_and_never_falls(tmp_path: Path, time: Time) -> None:
    channel = Channel(Notebook(), time)
    with ledger_of(channel, tmp_path, time) as ledger:
        first = ledger.submit(note("one", "a"))
        ahead = time.now + AWAY_LARGEST
        channel.order(channel.endorse_now(WHO, propose(WHO, PLACE, [TICK.encode()], ahead)))
        for number in range(10):
            ledger.submit(note(f"n{number}", "x"))
            time.now += STEP_LEAST

        assert times(ledger) == sorted(times(ledger))
        assert (first.time, times(ledger)[1]) == (ahead - AWAY_LARGEST, ahead)
        assert ledger.info().time == time.now


def test_what_a_tick_makes_fail_is_not_counted_however_often_it_happens(tmp_path: Path, time: Time) -> None:
    channel = Channel(Notebook(), time, automatic=False)
    rounds = 2 * CONFLICTS_LARGEST
    with ledger_of(channel, tmp_path, time) as ledger:
        future = ledger.enqueue([note("one", "a")])
        for number in range(rounds):
            until(lambda number=number: len(channel.waiting()) == 1)  # type: ignore[misc]
            time.now += STEP_LEAST
            channel.tick()
            channel.cut()
        until(lambda: len(channel.waiting()) == 1)
        channel.cut()

        (accepted,) = future.result(5)
        assert isinstance(accepted, Accepted)
        assert sorted(channel.codes.values()) == [VALID] + [READ_CONFLICT] * rounds
        assert accepted.time == time.now


def test_no_member_hears_of_ticks_and_a_wrong_clock_is_named(tmp_path: Path, time: Time) -> None:
    channel = Channel(Notebook(), lambda: time.now + 2 * AGE_LARGEST)
    patience = replace(IMPATIENT, outcome=0.5)
    with ledger_of(channel, tmp_path, time, patience=patience) as ledger, pytest.raises(Unavailable) as caught:
        ledger.submit(note("one", "a"))

    assert caught.value.code != TICK_FIRST
    assert caught.value.now == "nothing was sent"
    assert "from this operator's clock" in caught.value.why


class Opening(Notebook):
    """Takes no note before a moment."""

    def __init__(self, moment: int) -> None:
        super().__init__()
        self._moment = moment

    def execute(self, read: Read, action: bytes, time: int) -> Executed:
        if time < self._moment:
            raise Refused("too-early")
        return super().execute(read, action, time)


def test_a_refusal_that_only_the_age_of_the_clock_causes_is_none(tmp_path: Path, time: Time) -> None:
    machine = Opening(time.now + 1_500)
    channel = Channel(machine, time)
    channel.tick()
    with ledger_of(channel, tmp_path, time, machine) as ledger:
        with pytest.raises(Refused, match="too-early"):
            ledger.submit(note("one", "a"))
        assert len(channel.ticks) == 1
        time.now += 1_500
        accepted = ledger.submit(note("two", "b"))

        assert (accepted.time, len(channel.ticks)) == (time.now, 2)


def test_a_node_that_starts_again_remembers_what_the_clock_said(tmp_path: Path, time: Time) -> None:
    channel = Channel(Notebook(), time)
    with ledger_of(channel, tmp_path, time) as ledger:
        first = ledger.submit(note("one", "a"))
    with ledger_of(channel, tmp_path, time) as ledger:
        second = ledger.submit(note("two", "b"))

        assert (second.time, len(channel.ticks)) == (first.time, 1)


def lies(channel: Channel, kept: Endorsed) -> Sequence[bytes]:
    """Envelopes that a lying peer says are valid."""
    proposal = propose(identity(), PLACE, [b"execute", note("forged", "a")], channel.clock())
    payload = transaction(proposal, read_write_set({"note/forged": b"{}"}), b"{}", by=endorsers()[:1])
    return [bytes_field(1, payload), kept.envelope]


@pytest.mark.parametrize("which", [0, 1], ids=["endorsed by one", "kept too long"])
def test_a_peer_that_calls_valid_what_is_not_is_believed_nothing_more(which: int, tmp_path: Path, time: Time) -> None:
    channel = Channel(Notebook(), time)
    channel.tick()
    kept = held(channel, note("kept", "a"))
    lost = threading.Event()
    with ledger_of(channel, tmp_path, time) as ledger:
        ledger.when_lost(lost.set)
        time.now += STEP_LEAST
        channel.tick()
        ledger.submit(note("one", "a"))
        assert not lost.is_set()
        channel.insert(lies(channel, kept)[which])

        assert lost.wait(5)
        assert isinstance(ledger.trouble, Broken)
        assert ledger.evaluate("notes", {}) == ["a"]
        again = threading.Event()
        ledger.when_lost(again.set)
        assert again.is_set()


def test_a_node_tells_how_far_the_orderers_are_ahead_of_it(tmp_path: Path, time: Time) -> None:
    channel = Channel(Notebook(), time)
    with ledger_of(channel, tmp_path, time) as ledger:
        ledger.submit(note("one", "a"))
        assert ledger.behind() == 0
        channel.ahead = 3
        assert ledger.behind() == 3
