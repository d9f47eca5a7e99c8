"""What real peers of 3.1.5 and 2.5.16 said to the notebook's chaincode, said again: it is understood and answered.

The ledger's clock is set, then a counter is added to twice; the second addition finds what the first wrote.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import pytest

from freehold.ledger.fabric import messages
from freehold.ledger.fabric.clock import TICK
from freehold.ledger.fabric.conversation import Conversation
from freehold.ledger.fabric.functions import EVENT, EXECUTE, Functions
from freehold.ledger.fabric.messages import ChaincodeMessage, Kind, Proposed
from freehold.protocol import canonical
from tests.engines.notebook import Notebook, add
from tests.fabric.peer import CHAINCODE, PACKAGE

PEERS = json.loads((Path(__file__).parents[1] / "vectors" / "fabric" / "peer.json").read_text())


@pytest.mark.parametrize("line", ["v3.1", "v2.5"])
def test_what_a_real_peer_says_is_understood_and_answered(line: str) -> None:
    now = PEERS[line]["times"][-1]
    said: SimpleQueue[bytes] = SimpleQueue()
    answers: list[ChaincodeMessage] = []
    with ThreadPoolExecutor(1) as workers:
        conversation = Conversation(PACKAGE, Functions(Notebook(), lambda: now, CHAINCODE), workers, said.put)
        assert messages.read_message(said.get()).kind == Kind.REGISTER
        for each in PEERS[line]["said"]:
            conversation.receive(bytes.fromhex(each))
            if messages.read_message(bytes.fromhex(each)).kind in (Kind.TRANSACTION, Kind.RESPONSE):
                answers.append(messages.read_message(said.get(timeout=10)))

    tick = [Kind.GET_STATE, Kind.PUT_STATE, Kind.COMPLETED]
    batched = [Kind.GET_STATE_MULTIPLE, Kind.WRITE_BATCH_STATE, Kind.COMPLETED]
    single = [Kind.GET_STATE] * 3 + [Kind.PUT_STATE] * 2 + [Kind.COMPLETED]
    assert [answer.kind for answer in answers] == tick + (batched if line == "v3.1" else single) * 2
    _, *added = [answer for answer in answers if answer.kind == Kind.COMPLETED]
    for answer in added:
        status, _, payload = messages.read_response(answer.payload)
        assert (status, answer.event is not None and answer.event.name) == (messages.OK, EVENT)
        assert canonical.decode(payload, largest=1_000)["result"] == {"id": "c"}
    counter = ("counter/c", canonical.encode({"amount": 7}))
    if line == "v2.5":
        assert counter in [messages.read_put_state(each.payload) for each in answers if each.kind == Kind.PUT_STATE]
    else:
        writes = messages.read_put_states(answers[-2].payload, 2)
        assert writes == {**dict([counter]), "nonce/c-2": canonical.encode({})}


@pytest.mark.parametrize("line", ["v3.1", "v2.5"])
def test_the_calls_of_a_real_peer_are_read_with_the_proposals_of_its_clients(line: str) -> None:
    said = [messages.read_message(bytes.fromhex(each)) for each in PEERS[line]["said"]]
    calls = [messages.read_call(message) for message in said if message.kind == Kind.TRANSACTION]
    arguments = [(TICK.encode(),), (EXECUTE.encode(), add("c", 5, 1)), (EXECUTE.encode(), add("c", 2, 2))]

    assert [(call.function.encode(), *call.arguments) for call in calls] == arguments
    assert [call.proposed for call in calls] == [
        Proposed(time=time, channel="freehold", chaincode=CHAINCODE, arguments=each)
        for time, each in zip(PEERS[line]["times"], arguments, strict=True)
    ]
