"""What real peers of 3.1.5 and 2.5.16 said to the notebook's chaincode, said again: it is understood and answered.

Two additions to a counter, one after the other; the second finds what the first wrote.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import pytest

from freehold.ledger.fabric import messages
from freehold.ledger.fabric.conversation import Conversation
from freehold.ledger.fabric.functions import EVENT, Functions
from freehold.ledger.fabric.messages import ChaincodeMessage, Kind
from freehold.protocol import canonical
from tests.engines.notebook import Notebook, add
from tests.fabric.peer import PACKAGE

PEERS = json.loads((Path(__file__).parents[1] / "vectors" / "fabric" / "peer.json").read_text())


@pytest.mark.parametrize("line", ["v3.1", "v2.5"])
def test_what_a_real_peer_says_is_understood_and_answered(line: str) -> None:
    times = iter(PEERS[line]["times"])
    said: SimpleQueue[bytes] = SimpleQueue()
    answers: list[ChaincodeMessage] = []
    with ThreadPoolExecutor(1) as workers:
        conversation = Conversation(PACKAGE, Functions(Notebook(), lambda: next(times)), workers, said.put)
        assert messages.read_message(said.get()).kind == Kind.REGISTER
        for each in PEERS[line]["said"]:
            conversation.receive(bytes.fromhex(each))
            if messages.read_message(bytes.fromhex(each)).kind in (Kind.TRANSACTION, Kind.RESPONSE):
                answers.append(messages.read_message(said.get(timeout=10)))

    batched = [Kind.GET_STATE_MULTIPLE, Kind.WRITE_BATCH_STATE, Kind.COMPLETED]
    single = [Kind.GET_STATE, Kind.GET_STATE, Kind.PUT_STATE, Kind.PUT_STATE, Kind.COMPLETED]
    assert [answer.kind for answer in answers] == (batched if line == "v3.1" else single) * 2
    completed = [answer for answer in answers if answer.kind == Kind.COMPLETED]
    for answer in completed:
        status, _, payload = messages.read_response(answer.payload)
        assert (status, answer.event is not None and answer.event.name) == (200, EVENT)
        assert canonical.decode(payload, largest=1_000)["result"] == {"id": "c"}
    written = [answer for answer in answers if answer.kind in (Kind.PUT_STATE, Kind.WRITE_BATCH_STATE)]
    if line == "v2.5":
        assert messages.read_put_state(written[2].payload) == ("counter/c", canonical.encode({"amount": 7}))
    else:
        writes = {"counter/c": canonical.encode({"amount": 7}), "nonce/c-2": canonical.encode({})}
        assert messages.read_put_states(written[1].payload, 2) == writes


@pytest.mark.parametrize("line", ["v3.1", "v2.5"])
def test_the_calls_of_a_real_peer_are_read_with_the_times_that_its_clients_claimed(line: str) -> None:
    said = [messages.read_message(bytes.fromhex(each)) for each in PEERS[line]["said"]]
    calls = [messages.read_call(message) for message in said if message.kind == Kind.TRANSACTION]

    assert [call.time for call in calls] == PEERS[line]["times"]
    assert [call.function for call in calls] == ["execute", "execute"]
    assert [call.arguments for call in calls] == [(add("c", 5, 1),), (add("c", 2, 2),)]
