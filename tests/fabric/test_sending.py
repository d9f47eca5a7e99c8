"""What a Fabric network may do to an action on its way, and that each is recorded once or not at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("grpc", reason="gRPC is not installed (pip install freehold[fabric])")

from freehold.errors import Broken, Invalid, Refused, Unavailable
from freehold.ledger.fabric.client import FabricLedger, Peer
from freehold.ledger.fabric.envelope import Place, propose
from freehold.ledger.fabric.patience import Patience
from freehold.ledger.fabric.sending import CONFLICTS_LARGEST
from freehold.ledger.replay import Replay
from freehold.ports.ledger import Accepted
from tests.engines.embedded import clock
from tests.engines.notebook import Notebook, add, fault, note
from tests.fabric.channel import PLACE, Channel, FakeGateway, identity
from tests.fabric.organisations import authorities

WHO = identity()
IMPATIENT = Patience(start=0.3, outcome=5.0, block=0.1, disagreement=0.2, soon=0.01, conflict=0.001)


def peer_of(channel: Channel) -> Peer:
    return Peer(
        identity=WHO,
        place=PLACE,
        authorities=authorities(),
        blocks=channel,
        gateway=lambda: FakeGateway(channel, WHO),
    )


@contextmanager
def ledger_of(channel: Channel, folder: Path, patience: Patience = IMPATIENT) -> Iterator[FabricLedger]:
    channel.open()
    peer = peer_of(channel)
    ledger = FabricLedger(peer, folder / "fabric.sqlite", Notebook(), clock, patience)
    try:
        yield ledger
    finally:
        ledger.close()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_an_action_that_loses_a_conflict_is_proposed_again(tmp_path: Path) -> None:
    channel = Channel(Notebook(), conflicts=CONFLICTS_LARGEST)

    with ledger_of(channel, tmp_path) as ledger:
        accepted = ledger.submit(note("one", "a"))

        assert (accepted.position, ledger.info().size) == (0, 1)
        assert channel.log.count("endorse") == CONFLICTS_LARGEST + 1
        assert [event.name for event in ledger.events(0).events] == ["note-written"]


def test_an_action_that_loses_every_conflict_was_not_recorded_and_may_be_sent_again(tmp_path: Path) -> None:
    channel = Channel(Notebook(), conflicts=CONFLICTS_LARGEST + 1)

    with ledger_of(channel, tmp_path) as ledger:
        with pytest.raises(Unavailable, match="others changed") as caught:
            ledger.submit(note("one", "a"))
        assert (caught.value.retry, caught.value.now) == (True, "nothing was recorded")
        assert ledger.resolve(note("one", "a")) is None
        assert ledger.submit(note("one", "a")).position == 0


def test_an_answer_that_is_lost_changes_nothing(tmp_path: Path) -> None:
    channel = Channel(Notebook(), lost_answers=1)

    with ledger_of(channel, tmp_path) as ledger:
        assert ledger.submit(note("one", "a")).position == 0
        assert channel.log.count("endorse") == 1
        assert ledger.info().size == 1


def test_an_envelope_that_is_lost_is_sent_again_as_it_is(tmp_path: Path) -> None:
    channel = Channel(Notebook(), lost_envelopes=2)

    with ledger_of(channel, tmp_path) as ledger:
        assert ledger.submit(note("one", "a")).position == 0
        assert channel.log[:6] == ["endorse", "submit", "status", "submit", "status", "submit"]
        assert channel.log.count("endorse") == ledger.info().size == 1


def test_an_envelope_that_is_ordered_twice_counts_once(tmp_path: Path) -> None:
    channel = Channel(Notebook(), automatic=False)

    with ledger_of(channel, tmp_path) as ledger:
        future = ledger.enqueue([note("one", "a")])
        until(lambda: channel.log.count("submit") >= 3)
        channel.cut()
        (accepted,) = future.result(5)

        assert isinstance(accepted, Accepted)
        assert ledger.info().size == len(ledger.events(0).events) == 1
        assert len(channel.codes) == 1


def test_when_nobody_decides_the_outcome_is_unknown_and_is_told_later(tmp_path: Path) -> None:
    channel = Channel(Notebook(), automatic=False)

    with ledger_of(channel, tmp_path, Patience(outcome=0.3, block=0.05)) as ledger:
        with pytest.raises(Unavailable) as caught:
            ledger.submit(note("one", "a"))
        assert caught.value.now == "sent, outcome unknown"
        channel.automatic = True
        channel.cut()
        until(lambda: ledger.resolve(note("one", "a")) is not None)
        with pytest.raises(Refused, match="exists"):
            ledger.submit(note("one", "a"))
        assert ledger.info().size == 1


def test_two_envelopes_of_one_action_are_never_both_valid(tmp_path: Path) -> None:
    channel = Channel(Notebook(), automatic=False)
    action = note("one", "a")
    channel.tick()
    both = [channel.endorse_now(WHO, propose(WHO, PLACE, [b"execute", action], clock())) for _ in range(2)]
    for envelope in both:
        channel.order(envelope)
    channel.cut()

    with ledger_of(channel, tmp_path) as ledger:
        assert sorted(channel.codes.values()) == [0, 11]
        assert ledger.info().size == 1


def test_what_builds_on_one_another_takes_effect_in_order_without_a_conflict(tmp_path: Path) -> None:
    channel = Channel(Notebook())

    with ledger_of(channel, tmp_path) as ledger:
        answers = ledger.submit_all([add("c", 1, nonce) for nonce in range(30)])

        assert [each.position for each in answers if isinstance(each, Accepted)] == list(range(30))
        assert ledger.evaluate("counter", {"name": "c"}) == 30
        assert set(channel.codes.values()) == {0}


def test_what_shares_nothing_goes_side_by_side(tmp_path: Path) -> None:
    channel = Channel(Notebook(), automatic=False)

    with ledger_of(channel, tmp_path, Patience()) as ledger:
        future = ledger.enqueue([note("a", "1"), note("b", "2"), add("c", 1, 1), add("c", 1, 2), note("d", "3")])
        until(lambda: channel.log.count("submit") == 4)
        channel.cut()
        until(lambda: channel.log.count("submit") == 5)
        channel.cut()
        answers = future.result(5)

        assert [each.height for each in answers if isinstance(each, Accepted)] == [1, 1, 1, 2, 1]


def test_a_refusal_that_an_earlier_action_of_ours_will_cause_is_not_asked_for_too_early(tmp_path: Path) -> None:
    channel = Channel(Notebook(), automatic=False)

    with ledger_of(channel, tmp_path, Patience()) as ledger:
        future = ledger.enqueue([note("a", "1"), note("a", "2")])
        until(lambda: channel.log == ["endorse", "submit"])
        channel.cut()
        first, second = future.result(5)

        assert isinstance(first, Accepted)
        assert isinstance(second, Refused)
        assert second.code == "exists"


def test_a_peer_that_refuses_what_the_rules_allow_cannot_make_it_a_refusal(tmp_path: Path) -> None:
    channel = Channel(Notebook(), lies=1_000_000)

    with ledger_of(channel, tmp_path) as ledger:
        with pytest.raises(Unavailable, match="another organisation") as caught:
            ledger.submit(note("one", "a"))
        assert "because I say so" in caught.value.why
        channel.lies = 2
        assert ledger.submit(note("one", "a")).position == 0


def test_a_fault_of_the_rules_harms_the_action_alone(tmp_path: Path) -> None:
    with ledger_of(Channel(Notebook()), tmp_path) as ledger:
        broken, accepted = ledger.submit_all([fault("x"), note("one", "a")])

        assert isinstance(broken, Broken)
        assert isinstance(accepted, Accepted)


def test_the_same_bytes_sent_by_two_at_once_are_recorded_for_one(tmp_path: Path) -> None:
    channel = Channel(Notebook(), automatic=False)

    with ledger_of(channel, tmp_path, Patience()) as ledger:
        future = ledger.enqueue([note("a", "1"), note("a", "1")])
        until(lambda: "submit" in channel.log)
        channel.cut()
        first, second = future.result(5)

        assert isinstance(first, Accepted)
        assert isinstance(second, Refused)


def test_blocks_that_come_twice_and_streams_that_end_give_each_event_once(tmp_path: Path) -> None:
    channel = Channel(Notebook(), twice=True, short=True)

    with ledger_of(channel, tmp_path) as ledger:
        for number in range(3):
            ledger.submit(note(f"n{number}", "a"))

        assert [event.subject for event in ledger.events(0).events] == ["n0", "n1", "n2"]
        assert ledger.info().height == 3


def test_a_node_goes_on_where_it_stopped_and_makes_up_for_what_it_missed(tmp_path: Path) -> None:
    channel = Channel(Notebook())
    with ledger_of(channel, tmp_path) as ledger:
        ledger.submit(note("one", "a"))
        before = ledger.export(0, 10)

    missed = channel.endorse_now(WHO, propose(WHO, PLACE, [b"execute", note("two", "b")], clock()))
    channel.order(missed)

    with ledger_of(channel, tmp_path) as ledger:
        assert ledger.export(0, 1) == before
        assert [event.position for event in ledger.events(0).events] == [1, 2]
        replay = Replay(Notebook(), None)
        for block in ledger.export(0, 10):
            replay.apply(block)
        assert {key: value.hex() for key, value in replay.state.scan("")} == ledger.evaluate("state", {})


def test_a_channel_that_was_made_anew_under_its_old_name_is_noticed(tmp_path: Path) -> None:
    with ledger_of(Channel(Notebook()), tmp_path) as ledger:
        ledger.submit(note("one", "a"))
    other = Channel(Notebook())
    other.tick()
    for name in ("two", "three", "four"):
        other.order(other.endorse_now(WHO, propose(WHO, PLACE, [b"execute", note(name, "b")], clock())))

    with pytest.raises(Broken, match="does not follow"), ledger_of(other, tmp_path):
        pass


def test_a_peer_that_holds_less_than_was_read_of_it_is_noticed(tmp_path: Path) -> None:
    with ledger_of(Channel(Notebook()), tmp_path) as ledger:
        for number in range(3):
            ledger.submit(note(f"n{number}", "a"))

    with pytest.raises(Unavailable, match="5 were read") as caught, ledger_of(Channel(Notebook()), tmp_path):
        pass
    assert "set back" in caught.value.why


def test_the_file_of_another_chaincode_is_not_taken_for_this_one_s(tmp_path: Path) -> None:
    channel = Channel(Notebook())
    with ledger_of(channel, tmp_path):
        pass
    channel.open()
    place = Place(channel=PLACE.channel, chaincode="other")
    peer = replace(peer_of(channel), place=place)

    with pytest.raises(Invalid, match="another"):
        FabricLedger(peer, tmp_path / "fabric.sqlite", Notebook(), clock)


def test_something_in_the_namespace_that_is_no_record_stops_the_ledger_and_is_told(tmp_path: Path) -> None:
    channel = Channel(Notebook())

    with ledger_of(channel, tmp_path) as ledger:
        ledger.submit(note("one", "a"))
        channel.forge()
        until(lambda: ledger.trouble is not None)

        with pytest.raises(Broken, match="no action of this ledger"):
            ledger.submit(note("two", "b"))
        assert ledger.evaluate("notes", {}) == ["a"]


def test_whoever_waits_when_the_ledger_closes_hears_what_is_known(tmp_path: Path) -> None:
    channel = Channel(Notebook(), automatic=False)
    answers: list[object] = []

    with ledger_of(channel, tmp_path, Patience()) as ledger:
        future = ledger.enqueue([note("a", "1"), add("c", 1, 1), add("c", 1, 2)])
        waiting = threading.Thread(target=lambda: answers.extend(future.result(5)))
        waiting.start()
        until(lambda: channel.log.count("submit") == 2)
    waiting.join(5)

    assert [getattr(each, "now", None) for each in answers] == ["sent, outcome unknown"] * 2 + ["nothing was sent"]
    with pytest.raises(Unavailable, match="closed"):
        ledger.submit(note("b", "1"))


def test_what_has_not_begun_when_the_ledger_closes_is_answered_too(tmp_path: Path) -> None:
    with ledger_of(Channel(Notebook(), automatic=False), tmp_path, Patience()) as ledger:
        future = ledger.enqueue([note(f"n{number}", "x") for number in range(200)])
    answers = future.result(5)

    assert {type(each) for each in answers} == {Unavailable}
    assert {getattr(each, "now", None) for each in answers} <= {"sent, outcome unknown", "nothing was sent"}


def test_records_are_proven_against_the_newest_block(tmp_path: Path) -> None:
    with ledger_of(Channel(Notebook()), tmp_path) as ledger:
        with pytest.raises(Unavailable, match="no block"):
            ledger.prove_record("note/one")
        ledger.submit(note("one", "a"))
        proof = ledger.prove_record("note/one")

        assert proof.header == ledger.export(0, 1)[0].header
        assert proof.value == bytes.fromhex(ledger.evaluate("state", {})["note/one"])
        assert ledger.prove_record("note/two").value is None
