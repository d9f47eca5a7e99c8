"""The rules as a chaincode: what is endorsed, with what, and what never is."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from freehold.errors import Invalid, Unavailable
from freehold.ledger.fabric import clock, messages
from freehold.ledger.fabric.clock import AGE_LARGEST, AWAY_LARGEST, STEP_LEAST, TICK, TICK_FIRST
from freehold.ledger.fabric.functions import EVENT, EXECUTE, READ, Functions
from freehold.ledger.fabric.messages import Call, ChaincodeEvent, Kind, Proposed, Skills
from freehold.ledger.frames import unframe
from freehold.protocol import canonical
from freehold.protocol.limits import ACTION_LARGEST
from freehold.transport.trouble import Trouble
from tests.engines.notebook import ALICE, BOB, NETWORK, Notebook, add, fault, note
from tests.fabric.peer import CHAINCODE, CHANNEL, V2_5, V3_1, Completed, Peer

NOW = 1_800_000_000_000
FUNCTIONS = Functions(Notebook(), lambda: NOW, CHAINCODE)
TICKED = {clock.KEY: clock.encode(NOW)}


def trouble(completed: Completed) -> Trouble:
    """What a call that was not endorsed says."""
    assert (completed.status, completed.payload, completed.event) == (messages.REFUSED, b"", None)
    return msgspec.json.decode(completed.message, type=Trouble)


@pytest.mark.parametrize("skills", [V3_1, V2_5], ids=["v3.1", "v2.5"])
def test_an_action_is_executed_at_the_ledgers_clock(skills: Skills) -> None:
    with Peer(FUNCTIONS, skills) as peer:
        ticked = peer.call(TICK, time=NOW - 5)
        written = peer.call(EXECUTE, note("one", "hello"), time=NOW + 99)
        grown = peer.call(EXECUTE, add("c", 4, 1))
        more = peer.call(EXECUTE, add("c", 3, 2))

    said = canonical.encode(
        {"events": [{"name": "note-written", "subject": "one", "to": ALICE}], "result": {"id": "one"}}
    )
    assert written == Completed(200, "", said, ChaincodeEvent(name=EVENT, payload=said))
    assert (ticked.status, ticked.event) == (200, None)
    assert [event["to"] for event in canonical.decode(more.payload, largest=1_000)["events"]] == [ALICE, BOB]
    assert grown.payload == more.payload
    assert peer.state["note/one"] == canonical.encode({"text": "hello", "time": NOW - 5})
    assert peer.state["counter/c"] == canonical.encode({"amount": 7})


def test_a_host_that_assumed_another_time_executes_again_and_comes_to_the_same() -> None:
    fresh, used = (Functions(Notebook(), lambda: NOW) for _ in range(2))
    with Peer(used, state={clock.KEY: clock.encode(NOW - 2_000)}) as peer:
        peer.call(EXECUTE, note("before", "x"))
    answers = []
    for functions in (fresh, used):
        with Peer(functions, state=TICKED) as peer:
            answers.append((peer.call(EXECUTE, note("one", "hello")), dict(peer.state)))
            asked = peer.asked[Kind.GET_STATE_MULTIPLE]

    assert answers[0] == answers[1]
    assert answers[0][1]["note/one"] == canonical.encode({"text": "hello", "time": NOW})
    assert asked == 1


def test_what_the_rules_refuse_is_not_endorsed_and_their_word_comes_through() -> None:
    with Peer(FUNCTIONS, state=TICKED) as peer:
        peer.call(EXECUTE, note("one", "hello"))
        before = dict(peer.state)
        again = trouble(peer.call(EXECUTE, note("one", "hello")))
        nonsense = trouble(peer.call(EXECUTE, b"\xff"))
        broken = trouble(peer.call(EXECUTE, fault("f")))

    assert [(each.kind, each.code) for each in (again, nonsense)] == [("refused", "exists"), ("refused", "malformed")]
    assert (broken.kind, "not recorded" in broken.now) == ("broken", True)
    assert peer.state == before


def test_while_the_ledgers_clock_is_old_or_was_never_set_nothing_is_executed() -> None:
    for state in ({}, {clock.KEY: clock.encode(NOW - AGE_LARGEST - 1)}):
        with Peer(FUNCTIONS, state=state) as peer:
            assert trouble(peer.call(EXECUTE, note("one", "hello"))).code == TICK_FIRST
            assert peer.call(TICK, time=NOW).status == 200
            assert peer.call(EXECUTE, note("one", "hello")).status == 200
    with Peer(FUNCTIONS, state={clock.KEY: clock.encode(NOW - AGE_LARGEST)}) as peer:
        assert peer.call(EXECUTE, note("one", "hello")).status == 200


@pytest.mark.parametrize("claimed", [NOW - AWAY_LARGEST - 1, NOW + AWAY_LARGEST + 1, 0, -(2**62)])
def test_the_clock_is_never_set_far_from_the_hosts_own(claimed: int) -> None:
    with Peer(FUNCTIONS) as peer:
        assert trouble(peer.call(TICK, time=claimed)).code == "clock"
        assert peer.state == {}
        assert peer.call(TICK, time=NOW + AWAY_LARGEST).status == 200


def test_the_clock_never_goes_back_and_moves_by_a_step_at_least() -> None:
    with Peer(FUNCTIONS, state=TICKED) as peer:
        for claimed in (NOW - 1_000, NOW, NOW + STEP_LEAST - 1):
            assert trouble(peer.call(TICK, time=claimed)).code == "clock"
        assert peer.call(TICK, time=NOW + STEP_LEAST).status == 200
    assert peer.state == {clock.KEY: clock.encode(NOW + STEP_LEAST)}


def test_the_genesis_is_read_where_the_peer_holds_nothing_and_is_never_written() -> None:
    key, record = next(iter(Notebook().genesis().items()))
    with Peer(FUNCTIONS, state=TICKED) as peer:
        peer.call(EXECUTE, note("one", "hello"))
        answer = peer.call(READ, key.encode(), b"note/one", b"note/two")

    values = unframe(answer.payload, largest=20_000, most=3)
    assert values == [record, peer.state["note/one"], b""]
    assert record == NETWORK.encode()
    assert key not in peer.state
    assert answer.event is None


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (EXECUTE, []),
        (EXECUTE, [b"{}", b"{}"]),
        (TICK, [b"1"]),
        (READ, []),
        (READ, [b""]),
        (READ, ["é".encode()]),
        (READ, [b"key"] * 201),
        ("transfer", [b"all"]),
    ],
    ids=["no action", "two actions", "told the time", "no key", "an empty key", "not ASCII", "too many", "unknown"],
)
def test_a_call_of_another_form_is_invalid(function: str, arguments: list[bytes]) -> None:
    with Peer(FUNCTIONS) as peer:
        assert trouble(peer.call(function, *arguments, time=NOW)).kind == "invalid"
        assert sum(peer.asked.values()) == 2


def test_an_action_that_is_too_large_is_refused_before_anything_is_read() -> None:
    with Peer(FUNCTIONS) as peer:
        assert trouble(peer.call(EXECUTE, b"x" * (ACTION_LARGEST + 1))).code == "malformed"
        assert sum(peer.asked.values()) == 2


def made(**proposed: object) -> Call:
    """A call, with a proposal that says the same unless it is told otherwise."""
    action = note("one", "hello")
    honest = {"time": NOW, "channel": CHANNEL, "chaincode": CHAINCODE, "arguments": (EXECUTE.encode(), action)}
    return Call(
        function=EXECUTE,
        arguments=(action,),
        channel=CHANNEL,
        proposed=Proposed(**(honest | proposed)),  # type: ignore[arg-type]
    )


def test_a_call_that_another_chaincode_passes_on_is_not_answered() -> None:
    def read(keys: Sequence[str]) -> list[bytes | None]:
        return [TICKED.get(key) for key in keys]

    assert FUNCTIONS(made(), read).writes
    for lie in (
        {"chaincode": "another"},
        {"channel": "another"},
        {"arguments": (EXECUTE.encode(), note("two", "hello"))},
        {"arguments": (b"other", note("one", "hello"))},
        {"arguments": ()},
    ):
        with pytest.raises(Invalid, match="signed proposal"):
            FUNCTIONS(made(**lie), read)


def test_a_peer_that_does_not_answer_a_read_is_not_asked_again() -> None:
    asked: list[Sequence[str]] = []

    def gone(keys: Sequence[str]) -> list[bytes | None]:
        asked.append(keys)
        raise Unavailable("the peer does not answer its chaincode")

    action = note("one", "hello")
    proposed = Proposed(channel=CHANNEL, chaincode=CHAINCODE, arguments=(EXECUTE.encode(), action))
    with pytest.raises(Unavailable, match="does not answer"):
        FUNCTIONS(Call(function=EXECUTE, arguments=(action,), channel=CHANNEL, proposed=proposed), gone)
    assert len(asked) == 1
