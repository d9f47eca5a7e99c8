"""The rules as a chaincode: what is endorsed, with what, and what never is."""

from __future__ import annotations

import msgspec
import pytest

from freehold.ledger.fabric.functions import EVENT, EXECUTE, READ, SKEW, Functions
from freehold.ledger.fabric.messages import ChaincodeEvent, Skills
from freehold.ledger.frames import unframe
from freehold.protocol import canonical
from freehold.protocol.limits import ACTION_LARGEST
from freehold.transport.trouble import Trouble
from tests.engines.notebook import ALICE, BOB, NETWORK, Notebook, add, fault, note
from tests.fabric.peer import V2_5, V3_1, Completed, Peer

NOW = 1_800_000_000_000
FUNCTIONS = Functions(Notebook(), lambda: NOW)


def trouble(completed: Completed) -> Trouble:
    assert (completed.status, completed.payload, completed.event) == (500, b"", None)
    return msgspec.json.decode(completed.message, type=Trouble)


@pytest.mark.parametrize("skills", [V3_1, V2_5], ids=["v3.1", "v2.5"])
def test_an_action_is_executed_at_the_time_that_its_proposal_claims(skills: Skills) -> None:
    with Peer(FUNCTIONS, skills) as peer:
        written = peer.call(EXECUTE, note("one", "hello"), time=NOW - 5)
        grown = peer.call(EXECUTE, add("c", 4, 1), time=NOW)
        more = peer.call(EXECUTE, add("c", 3, 2), time=NOW)

    said = canonical.encode(
        {"events": [{"name": "note-written", "subject": "one", "to": ALICE}], "result": {"id": "one"}}
    )
    assert written == Completed(200, "", said, ChaincodeEvent(name=EVENT, payload=said))
    assert [event["to"] for event in canonical.decode(more.payload, largest=1_000)["events"]] == [ALICE, BOB]
    assert grown.payload == more.payload
    assert peer.state["note/one"] == canonical.encode({"text": "hello", "time": NOW - 5})
    assert peer.state["counter/c"] == canonical.encode({"amount": 7})


def test_what_the_rules_refuse_is_not_endorsed_and_their_word_comes_through() -> None:
    with Peer(FUNCTIONS) as peer:
        peer.call(EXECUTE, note("one", "hello"), time=NOW)
        before = dict(peer.state)
        again = trouble(peer.call(EXECUTE, note("one", "hello"), time=NOW))
        nonsense = trouble(peer.call(EXECUTE, b"\xff", time=NOW))
        broken = trouble(peer.call(EXECUTE, fault("f"), time=NOW))

    assert [(each.kind, each.code) for each in (again, nonsense)] == [("refused", "exists"), ("refused", "malformed")]
    assert (broken.kind, "not recorded" in broken.now) == ("broken", True)
    assert peer.state == before


@pytest.mark.parametrize("claimed", [NOW - SKEW - 1, NOW + SKEW + 1, 0, -(2**62)])
def test_a_claimed_time_far_from_the_hosts_clock_is_never_endorsed(claimed: int) -> None:
    with Peer(FUNCTIONS) as peer:
        assert trouble(peer.call(EXECUTE, note("one", "hello"), time=claimed)).code == "clock"
        assert peer.call(EXECUTE, note("one", "hello"), time=NOW + SKEW).status == 200


def test_the_genesis_is_read_where_the_peer_holds_nothing_and_is_never_written() -> None:
    key, record = next(iter(Notebook().genesis().items()))
    with Peer(FUNCTIONS) as peer:
        peer.call(EXECUTE, note("one", "hello"), time=NOW)
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
        (READ, []),
        (READ, [b""]),
        (READ, ["é".encode()]),
        (READ, [b"key"] * 201),
        ("transfer", [b"all"]),
    ],
    ids=["no action", "two actions", "no key", "an empty key", "not ASCII", "too many keys", "unknown"],
)
def test_a_call_of_another_form_is_invalid(function: str, arguments: list[bytes]) -> None:
    with Peer(FUNCTIONS) as peer:
        assert trouble(peer.call(function, *arguments, time=NOW)).kind == "invalid"
        assert sum(peer.asked.values()) == 2


def test_an_action_that_is_too_large_is_refused_before_anything_is_read() -> None:
    with Peer(FUNCTIONS) as peer:
        assert trouble(peer.call(EXECUTE, b"x" * (ACTION_LARGEST + 1), time=NOW)).code == "malformed"
        assert sum(peer.asked.values()) == 2
