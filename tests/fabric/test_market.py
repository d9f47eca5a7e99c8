"""G-7: the rules of the market on Fabric: one state, whichever engine recorded the actions."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("grpc", reason="gRPC is not installed (pip install freehold[fabric])")

from freehold.errors import FreeholdError, Refused
from freehold.ledger.blocks import parse_header
from freehold.ledger.fabric.client import FabricLedger
from freehold.ledger.fabric.network import Development
from freehold.ledger.fabric.programs import VARIABLE, programs_from_environment
from freehold.ledger.memory import MemoryLedger
from freehold.node.chaincode import program
from freehold.node.runtime import RECORD
from freehold.ports.ledger import Accepted
from tests.cometbft.test_market import a_story, state_of
from tests.engines.embedded import clock


def became(answers: Sequence[Accepted | FreeholdError]) -> list[object]:
    """What was recorded with which events, and what was refused for which reason."""
    return [(each.id, each.events) if isinstance(each, Accepted) else (type(each), each.code) for each in answers]


@pytest.mark.processes
@pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"Fabric is not installed ({VARIABLE})")
def test_two_organisations_make_of_a_market_what_one_engine_makes_of_it(tmp_path: Path) -> None:
    market, story = a_story()
    memory = MemoryLedger(market.contract, clock)
    (tmp_path / RECORD).write_bytes(market.network.encode())
    network = Development(
        programs_from_environment(), tmp_path / "network", ordering="raft", chaincode=program(tmp_path), pause=50
    )

    with network:
        ledgers = [
            FabricLedger.open(access.opened(), tmp_path / f"{access.msp}.sqlite", market.contract, clock)
            for access in network.accesses
        ]
        answers = ledgers[0].submit_all(story)
        deadline = time.monotonic() + 20
        while len({ledger.info().size for ledger in ledgers}) > 1:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        chains = [ledger.export(0, 10_000) for ledger in ledgers]
        totals = [ledger.evaluate("totals", {}) for ledger in ledgers]
        for ledger in ledgers:
            ledger.close()

    expected = memory.submit_all(story)
    # What shares no record may be recorded in another order; what became of each action is the same.
    assert became(answers) == became(expected)
    assert [type(each) for each in answers[-2:]] == [Refused, Refused]
    assert chains[0] == chains[1]
    assert totals == [memory.evaluate("totals", {})] * 2
    root = state_of(memory.export(0, 10_000), market.contract, None)
    assert state_of(chains[0], market.contract, None) == root
    assert parse_header(chains[0][-1].header).state == root.hex()
