"""An operator that runs other rules than it says, on a real network: what it wants recorded is recorded nowhere."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("grpc", reason="gRPC is not installed (pip install freehold[fabric])")

from freehold.errors import Unavailable
from freehold.ledger.fabric import clock
from freehold.ledger.fabric.functions import EXECUTE
from freehold.ledger.fabric.network import Development
from freehold.ledger.fabric.programs import VARIABLE, programs_from_environment
from tests.engines import chaincode
from tests.engines.notebook import note
from tests.fabric import liar
from tests.fabric.carrying import POLICY_FAILURE, carry, holds, tick

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"Fabric is not installed ({VARIABLE})"),
]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Development]:
    """The first organisation's operator lies."""

    def program(place: Path) -> list[str]:
        return liar.program(place) if "org1" in place.parent.name else chaincode.program(place)

    folder = tmp_path_factory.mktemp("dishonest") / "network"
    with Development(programs_from_environment(), folder, ordering="raft", chaincode=program) as running:
        tick(running.accesses[0])
        while len(set(held(running, clock.KEY))) > 1:
            time.sleep(0.05)
        yield running


def held(network: Development, key: str) -> list[bytes]:
    """What the peers of both organisations hold under a key."""
    return [holds(access, key) for access in network.accesses]


def test_what_only_one_of_the_two_came_to_is_never_endorsed(network: Development) -> None:
    for access in network.accesses:
        with pytest.raises(Unavailable, match="ABORTED"):
            carry(access, EXECUTE.encode(), note("both", "hello"))
    assert held(network, "note/both") == [b"", b""]


def test_an_operator_that_endorses_its_own_forgery_alone_gets_it_ordered_and_invalid(network: Development) -> None:
    for access in network.accesses:
        code, _ = carry(access, EXECUTE.encode(), note("alone", "hello"), alone=True)
        assert code == POLICY_FAILURE
    assert held(network, "note/alone") == [b"", b""]


def test_an_operator_alone_cannot_set_the_clock(network: Development) -> None:
    before = held(network, clock.KEY)
    time.sleep(clock.STEP_LEAST / 1_000)
    for access in network.accesses:
        assert carry(access, clock.TICK.encode(), alone=True)[0] == POLICY_FAILURE
    assert held(network, clock.KEY) == before
