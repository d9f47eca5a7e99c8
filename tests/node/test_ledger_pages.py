"""The ledger over HTTP, as strangers meet it."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import httpx
import pytest

from freehold.errors import Invalid, Refused, Unavailable
from freehold.ledger import messages
from freehold.ledger.frames import frame, unframe
from freehold.ledger.proofs.checkpoint import open_checkpoint
from freehold.ledger.remote import RemoteLedger
from freehold.protocol.network import network_id
from tests.engines.notebook import ALICE, BOB, NETWORK, add, note
from tests.node.strangers import Served


def answers(response: httpx.Response) -> list[dict[str, object]]:
    assert response.status_code == 200, response.text
    return [json.loads(part) for part in unframe(response.content, largest=2**20, most=300)]


def test_a_request_of_several_actions_is_answered_in_their_order(node: Served) -> None:
    body = frame([note("one", "text"), note("one", "again"), b"junk", note("two", "text")])

    said = answers(httpx.post(f"{node.url}/actions", content=body))

    assert [set(each) for each in said] == [{"accepted"}, {"error"}, {"error"}, {"accepted"}]
    assert said[1]["error"]["code"] == "exists"  # type: ignore[index]
    assert said[2]["error"]["code"] == "malformed"  # type: ignore[index]
    assert node.ledger.info().size == 2
    assert node.ledger.info().height == 1, "one request is one block"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"\x00\x00\x00\x05four", 400),
        (b"\x00\x00", 400),
        (b"\xff\xff\xff\xff", 400),
        (frame([b"x" * 12_289]), 400),
        (frame([b"{}"] * 257), 400),
        (b"x" * (messages.ACTIONS_BODY_LARGEST + 1), 413),
    ],
)
def test_a_request_that_is_no_list_of_actions_is_turned_away_whole(body: bytes, status: int, node: Served) -> None:
    response = httpx.post(f"{node.url}/actions", content=frame([note("first", "text")]) + body)

    assert response.status_code == status
    assert response.json()["kind"] == "invalid"
    assert node.ledger.info().size == 0


def test_what_became_of_an_action_is_asked_by_its_digest(node: Served) -> None:
    action = note("one", "text")
    node.ledger.submit(action)

    def ask(name: str) -> httpx.Response:
        return httpx.get(f"{node.url}/actions/{name}")

    assert ask(sha256(action).hexdigest()).json()["accepted"]["id"] == "one"
    assert ask("00" * 32).json() == {}
    for junk in ("00" * 31, "Zz" * 32, sha256(action).hexdigest().upper(), "%2e%2e", "%00"):
        assert ask(junk).status_code in (400, 404)


def test_the_checkpoint_can_be_read_by_tools_of_others(node: Served) -> None:
    node.ledger.submit(note("one", "text"))

    text = httpx.get(f"{node.url}/checkpoint").text

    operator = bytes.fromhex(node.ledger.info().operator)
    assert open_checkpoint(text, network_id=network_id(NETWORK), operator=operator).size == 1


@pytest.mark.parametrize(
    "question",
    [
        b"",
        b"[]",
        b"{",
        b'{"query":"notes"}',
        b'{"query":1,"arguments":{}}',
        b'{"query":"notes","arguments":[]}',
        b"\xff",
    ],
)
def test_a_question_that_cannot_be_read_is_named(question: bytes, node: Served) -> None:
    response = httpx.post(f"{node.url}/evaluate", content=question)

    assert response.status_code == 400
    assert response.json()["what"]


def test_a_deeply_nested_question_is_no_traceback(node: Served) -> None:
    question = b'{"query":"notes","arguments":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001

    assert httpx.post(f"{node.url}/evaluate", content=question).status_code == 400


def test_a_fault_of_a_query_tells_the_stranger_nothing(node: Served) -> None:
    # `counter` without its name is a KeyError inside the rules of the notebook
    response = httpx.post(f"{node.url}/evaluate", content=b'{"query":"counter","arguments":{}}')

    assert response.status_code == 500
    assert response.json()["kind"] == "broken"
    assert "KeyError" not in response.text
    assert "Traceback" not in response.text


@pytest.mark.parametrize(
    "query",
    ["after=-1", "after=x", "after=99999999999999999", "after=٣", "to=alice", "to=" + "A1" * 32, "wait=-1", "wait=nan"],
)
def test_a_malformed_cursor_is_refused(query: str, node: Served) -> None:
    assert httpx.get(f"{node.url}/events?{query}").status_code == 400


def test_many_who_wait_are_all_woken_by_one_action(node: Served) -> None:
    def wait(_: int) -> float:
        with httpx.Client() as client:
            page = client.get(f"{node.url}/events?after=0&to={BOB}&wait=20", timeout=30).json()
            assert page["events"][0][4] == "bobs"
            return time.monotonic()

    with ThreadPoolExecutor(60) as pool:
        waiting = [pool.submit(wait, i) for i in range(60)]
        time.sleep(1.0)
        assert not any(each.done() for each in waiting)
        node.ledger.submit(note("alices", "text", to=ALICE))
        start = time.monotonic()
        node.ledger.submit(note("bobs", "text", to=BOB))
        late = max(each.result(10) for each in waiting)

    assert late - start < 5


def test_blocks_come_in_portions_and_end(node: Served) -> None:
    for nonce in range(7):
        node.ledger.submit(add("c", 1, nonce))
    ledger = RemoteLedger(node.url)

    assert len(ledger.export(0, 1_000_000)) == 7
    assert [len(ledger.export(after, 3)) for after in (0, 3, 6, 7, 99)] == [3, 3, 1, 0, 0]
    assert ledger.export(2, 0) == []
    ledger.close()


def test_a_name_that_somebody_elses_page_uses_for_this_machine_is_not_answered(node: Served) -> None:
    assert httpx.get(node.url, headers={"host": "evil.example"}).status_code == 400
    assert httpx.get(node.url, headers={"host": "localhost:1"}).status_code == 200


@pytest.mark.parametrize("path", ["/nothing", "/actions/a/b", "/%2e%2e/x", "//"])
def test_an_address_that_does_not_exist_says_so_in_five_parts(path: str, node: Served) -> None:
    response = httpx.get(node.url + path)

    assert response.status_code == 404
    assert response.json()["kind"] == "invalid"


def test_a_full_ledger_says_busy_and_that_nothing_was_sent(node: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freehold.ledger.embedded.writer.WAITING_LARGEST", 0)
    ledger = RemoteLedger(node.url)

    with pytest.raises(Unavailable, match="busy") as caught:
        ledger.submit(note("one", "text"))

    assert caught.value.now == "nothing was sent"
    assert caught.value.retry_after == 0.5
    ledger.close()


def test_a_refusal_arrives_as_the_same_refusal(node: Served) -> None:
    ledger = RemoteLedger(node.url)
    ledger.submit(note("one", "text"))

    with pytest.raises(Refused) as caught:
        ledger.submit(note("one", "text"))

    assert caught.value.code == "exists"
    with pytest.raises(Invalid, match="no query"):
        ledger.evaluate("weather", {})
    ledger.close()
