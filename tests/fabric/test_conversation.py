"""The chaincode's side of the stream, with a peer that keeps to the protocol and with some that do not."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import Invalid, Refused
from freehold.ledger.fabric import conversation, messages
from freehold.ledger.fabric.conversation import Answer, Conversation
from freehold.ledger.fabric.messages import Call, ChaincodeEvent, ChaincodeMessage, Kind, Skills
from freehold.ports.state_view import Read
from freehold.transport.trouble import Trouble
from tests.fabric.peer import PACKAGE, V2_5, V3_1, Completed, Peer

REGISTERED, READY = ChaincodeMessage(kind=Kind.REGISTERED), ChaincodeMessage(kind=Kind.READY)


def copier(call: Call, read: Read) -> Answer:
    """Copies every key to another; a chaincode that reads and writes as much as it is told."""
    keys = [key.decode() for key in call.arguments]
    values = read(keys)
    return Answer(
        payload=str(sum(value is not None for value in values)).encode(),
        writes={f"copy of {key}": value for key, value in zip(keys, values, strict=True) if value},
        event=ChaincodeEvent(name="copied", payload=b"some"),
    )


def trouble(completed: Completed) -> Trouble:
    """What a refused transaction says."""
    assert completed.status == messages.REFUSED
    assert completed.event is None
    return msgspec.json.decode(completed.message, type=Trouble)


@pytest.mark.parametrize(
    ("skills", "requests"),
    [
        (V3_1, {Kind.GET_STATE_MULTIPLE: 1, Kind.WRITE_BATCH_STATE: 1}),
        (Skills(reads=2, writes=1_000), {Kind.GET_STATE_MULTIPLE: 2, Kind.GET_STATE: 1, Kind.WRITE_BATCH_STATE: 1}),
        (V2_5, {Kind.GET_STATE: 5, Kind.PUT_STATE: 4}),
    ],
    ids=["v3.1", "small batches", "v2.5"],
)
def test_a_call_reads_and_writes_in_batches_where_a_peer_takes_them(skills: Skills, requests: dict[Kind, int]) -> None:
    state = {letter: letter.upper().encode() for letter in "abcd"}
    with Peer(copier, skills, state) as peer:
        completed = peer.call("copy", *b"a b c d e".split())

    assert completed == Completed(200, "", b"4", ChaincodeEvent(name="copied", payload=b"some"))
    assert peer.registered == [PACKAGE]
    assert peer.state == state | {f"copy of {letter}": state[letter] for letter in "abcd"}
    assert {kind: peer.asked[kind] for kind in requests} == requests
    assert sum(peer.asked.values()) == sum(requests.values()) + 2


def test_many_transactions_run_at_once_and_each_gets_its_own_answers() -> None:
    together = threading.Barrier(8)

    def patient(call: Call, read: Read) -> Answer:
        together.wait(10)
        return copier(call, read)

    state = {str(number): b"%d" % number for number in range(8)}
    with Peer(patient, state=state) as peer:
        waiting = [peer.begin(f"transaction {number}", "copy", b"%d" % number) for number in range(8)]
        assert {each.result(10).status for each in waiting} == {200}

    assert peer.state == state | {f"copy of {key}": value for key, value in state.items()}


def test_a_refusal_and_a_fault_write_nothing_and_say_what_is_wrong() -> None:
    def broken(call: Call, read: Read) -> Answer:
        read(["a"])
        if call.function == "refuse":
            raise Refused("state", "w" * 5_000)
        if call.function == "empty":
            return Answer(payload=b"", writes={"a": b""})
        raise ZeroDivisionError("secret")

    with Peer(broken, state={"a": b"1"}) as peer:
        refused, fault, empty = (trouble(peer.call(function)) for function in ("refuse", "fail", "empty"))

    assert (refused.kind, refused.code, len(refused.what)) == ("refused", "state", 300)
    assert (fault.kind, "ZeroDivisionError" in fault.what, "secret" in fault.what) == ("broken", True, False)
    assert empty.kind == "broken"
    assert peer.state == {"a": b"1"}


def test_what_the_peer_cannot_read_or_write_is_told_to_the_client() -> None:
    with Peer(copier) as peer:
        peer.silent = True
        waiting = peer.begin("t", "copy", b"a")
        error = ChaincodeMessage(kind=Kind.ERROR, payload=b"disk", transaction="t", channel="channel")
        _when_asked(peer, Kind.GET_STATE)
        peer.conversation.receive(error.encode())

        said = trouble(waiting.result(10))
    assert (said.kind, said.why) == ("unavailable", "disk")


def test_answers_to_nothing_are_not_taken_for_the_answer_to_the_next_request() -> None:
    asking, go_on = threading.Event(), threading.Event()

    def slow(call: Call, read: Read) -> Answer:
        asking.set()
        go_on.wait(10)
        return copier(call, read)

    with Peer(slow, state={"a": b"true"}) as peer:
        waiting = peer.begin("t", "copy", b"a")
        asking.wait(10)
        for name in ("t", "another"):
            lie = ChaincodeMessage(kind=Kind.RESPONSE, payload=b"lie", transaction=name, channel="channel")
            peer.conversation.receive(lie.encode())
        go_on.set()
        assert waiting.result(10).status == 200

    assert peer.state["copy of a"] == b"true"


def test_a_peer_that_falls_silent_holds_no_call_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "CALL_SECONDS", 0.05)
    with Peer(copier) as peer:
        peer.silent = True
        assert trouble(peer.call("copy", b"a")).kind == "unavailable"


def test_an_answer_that_comes_too_late_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "CALL_SECONDS", 0.02)

    def slow(call: Call, read: Read) -> Answer:
        threading.Event().wait(0.05)
        return Answer(payload=b"late")

    with Peer(slow) as peer:
        assert trouble(peer.call("any")).kind == "unavailable"


def test_when_the_stream_ends_waiting_calls_end_and_say_nothing_more() -> None:
    with Peer(copier) as peer:
        peer.silent = True
        waiting = peer.begin("t", "copy", b"a")
        _when_asked(peer, Kind.GET_STATE)
        peer.conversation.close()

        late = peer.begin("late", "copy", b"a")
        assert trouble(late.result(10)).kind == "unavailable"
    assert not waiting.done()


def test_a_second_call_under_the_name_of_one_that_runs_is_refused_and_the_first_goes_on() -> None:
    with Peer(copier, state={"a": b"1"}) as peer:
        peer.silent = True
        first = peer.begin("t", "copy", b"a")
        _when_asked(peer, Kind.GET_STATE)
        assert trouble(peer.begin("t", "copy", b"a").result(10)).kind == "unavailable"

        peer.open["t"], peer.silent = first, False
        answer = ChaincodeMessage(kind=Kind.RESPONSE, payload=b"1", transaction="t", channel="channel")
        peer.conversation.receive(answer.encode())
        assert first.result(10).status == 200
    assert peer.state == {"a": b"1", "copy of a": b"1"}


@pytest.mark.parametrize("payload", [b"", b"\x0a\x00" * 1_000, b"\xff"], ids=["nothing", "too many", "no message"])
def test_a_call_that_cannot_be_read_is_refused_and_the_stream_goes_on(payload: bytes) -> None:
    with Peer(copier) as peer:
        peer.open["hostile"] = waiting = Future[Completed]()
        hostile = ChaincodeMessage(kind=Kind.TRANSACTION, payload=payload, transaction="hostile", channel="channel")
        peer.conversation.receive(hostile.encode())

        assert trouble(waiting.result(10)).kind == "invalid"
        assert peer.call("copy").status == 200


def test_initialisation_is_refused() -> None:
    with Peer(copier) as peer:
        peer.open["t"] = waiting = Future[Completed]()
        message = ChaincodeMessage(kind=Kind.INIT, transaction="t", channel="channel")
        peer.conversation.receive(message.encode())
        assert trouble(waiting.result(10)).kind == "invalid"


@pytest.mark.parametrize(
    "said",
    [
        [ChaincodeMessage(kind=Kind.TRANSACTION, transaction="t", payload=messages.call("f", []))],
        [ChaincodeMessage(kind=Kind.READY)],
        [ChaincodeMessage(kind=Kind.REGISTERED), ChaincodeMessage(kind=Kind.REGISTERED)],
        [ChaincodeMessage(kind=Kind.REGISTERED), ChaincodeMessage(kind=Kind.RESPONSE, transaction="t")],
        [ChaincodeMessage(kind=Kind.REGISTERED), ChaincodeMessage(kind=Kind.READY), ChaincodeMessage(kind=99)],
        [
            ChaincodeMessage(kind=Kind.REGISTERED),
            ChaincodeMessage(kind=Kind.READY),
            ChaincodeMessage(kind=Kind.PUT_STATE),
        ],
    ],
    ids=["call at once", "ready at once", "registered twice", "answer too early", "unknown", "the chaincode's words"],
)
def test_whoever_leaves_the_order_is_hung_up_on(said: Sequence[ChaincodeMessage]) -> None:
    with ThreadPoolExecutor(1) as workers:
        stream = Conversation(PACKAGE, copier, workers, lambda _: None)
        for message in said[:-1]:
            stream.receive(message.encode())
        with pytest.raises(Invalid):
            stream.receive(said[-1].encode())
        stream.close()


names = st.sampled_from(["a", "b"])
calls = st.builds(messages.call, st.sampled_from(["f", ""]), st.lists(st.sampled_from([b"a", b"\xff"]), max_size=3))
anything = st.builds(
    ChaincodeMessage,
    kind=st.sampled_from([*Kind, 0, 26, -1]),
    payload=calls | st.binary(max_size=20),
    proposal=st.sampled_from([b"", messages.proposal(5, "a", "c", [b"f"]), b"\xff"]),
    transaction=names,
    channel=names,
)


@given(st.lists(anything.map(ChaincodeMessage.encode) | st.binary(max_size=30), max_size=12))
def test_whatever_a_peer_says_every_call_is_completed_once_at_most_and_nothing_hangs(hostile: list[bytes]) -> None:
    said: SimpleQueue[bytes] = SimpleQueue()
    begun: Counter[tuple[str, str]] = Counter()
    with ThreadPoolExecutor(4) as workers:
        stream = Conversation(PACKAGE, copier, workers, said.put)
        stream.receive(REGISTERED.encode())
        stream.receive(READY.encode())
        for data in hostile:
            try:
                stream.receive(data)
            except Invalid:
                break
            message = messages.read_message(data)
            if message.kind in (Kind.TRANSACTION, Kind.INIT):
                begun[message.channel, message.transaction] += 1
        stream.close()

    completed: Counter[tuple[str, str]] = Counter()
    while not said.empty():
        message = messages.read_message(said.get())
        assert message.kind != Kind.ERROR
        if message.kind == Kind.COMPLETED:
            completed[message.channel, message.transaction] += 1
    assert completed <= begun


def test_signs_of_life_are_sent_back() -> None:
    with Peer(copier) as peer:
        peer.conversation.receive(ChaincodeMessage(kind=Kind.KEEPALIVE).encode())
        peer.call("copy")
    assert peer.asked[Kind.KEEPALIVE] == 1


def _when_asked(peer: Peer, kind: Kind) -> None:
    for _ in range(1_000):
        if peer.asked[kind]:
            return
        threading.Event().wait(0.005)
    raise AssertionError("the chaincode did not ask")
