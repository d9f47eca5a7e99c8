"""Orderers, peers and chaincodes are killed in the middle of their work: every action is recorded once, for good."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("grpc", reason="gRPC is not installed (pip install freehold[fabric])")

from freehold.ledger.fabric.client import FabricLedger
from freehold.ledger.fabric.network import Development
from freehold.ledger.fabric.programs import VARIABLE, programs_from_environment
from freehold.ledger.replay import Replay
from tests.engines.chaincode import program
from tests.engines.embedded import clock
from tests.engines.engines import send
from tests.engines.fabric import FILE
from tests.engines.notebook import Notebook, add

ACTIONS = 120


@contextmanager
def disturbed(network: Development, names: list[str]) -> Iterator[None]:
    """Kills and restarts the processes, one after the other, while the block runs."""

    def disturb() -> None:
        for name in names:
            time.sleep(0.5)
            network.kill(name)
            time.sleep(0.5)
            network.restart(name)

    thread = threading.Thread(target=disturb)
    thread.start()
    yield
    thread.join()


@pytest.mark.processes
@pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"Fabric is not installed ({VARIABLE})")
def test_whatever_is_killed_every_action_is_recorded_once(tmp_path: Path) -> None:
    network = Development(
        programs_from_environment(), tmp_path / "network", ordering="raft", chaincode=program, pause=50
    )
    killed = ["orderer0", "org1.peer0", "org2.chaincode0", "orderer1", "org2.peer0", "orderer2", "org1.chaincode0"]
    actions = [add("all" if nonce % 10 == 0 else f"c{nonce}", 1, nonce) for nonce in range(ACTIONS)]

    with network:
        ledger = FabricLedger.open(network.accesses[0].opened(), tmp_path / FILE, Notebook(), clock)
        with ThreadPoolExecutor(4) as pool, disturbed(network, killed):
            accepted = list(pool.map(lambda action: send(ledger, action), actions))
        size, blocks = ledger.info().size, ledger.export(0, 10_000)
        events = ledger.events(0).events
        state = ledger.evaluate("state", {})
        assert ledger.trouble is None
        ledger.close()

    assert size == ACTIONS
    assert sorted(each.position for each in accepted) == list(range(ACTIONS))
    assert [event.position for event in events] == list(range(1, len(events) + 1))
    replay = Replay(Notebook(), None)
    for block in blocks:
        replay.apply(block)
    assert {key: value.hex() for key, value in replay.state.scan("")} == state
