"""An operator that runs other rules than it says, on a real network: what it wants recorded is recorded nowhere."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("grpc", reason="gRPC is not installed (pip install freehold[fabric])")

from freehold.errors import Unavailable
from freehold.ledger.fabric import envelope
from freehold.ledger.fabric.functions import EXECUTE, READ
from freehold.ledger.fabric.gateway import OPTIONS, PeerGateway
from freehold.ledger.fabric.network import Development
from freehold.ledger.fabric.programs import VARIABLE, programs_from_environment
from freehold.ledger.fabric.readiness import Access
from freehold.ledger.frames import unframe
from freehold.ledger.protobuf import bytes_field
from tests.engines import chaincode
from tests.engines.embedded import clock
from tests.engines.notebook import note
from tests.fabric import liar

grpc = pytest.importorskip("grpc")
pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"Fabric is not installed ({VARIABLE})"),
]

POLICY_FAILURE = 10


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Development]:
    """The first organisation's operator lies."""

    def program(place: Path) -> list[str]:
        return liar.program(place) if "org1" in place.parent.name else chaincode.program(place)

    folder = tmp_path_factory.mktemp("dishonest") / "network"
    with Development(programs_from_environment(), folder, ordering="raft", chaincode=program) as running:
        yield running


async def _held(access: Access, key: str) -> bytes:
    gateway = PeerGateway(access.opened())
    try:
        (value,) = unframe(await gateway.evaluate([READ.encode(), key.encode()], clock()), largest=20_000, most=1)
        return value
    finally:
        await gateway.close()


def held(network: Development, key: str) -> list[bytes]:
    """What the peers of both organisations hold under a key."""
    return [asyncio.run(_held(access, key)) for access in network.accesses]


def test_what_only_one_of_the_two_came_to_is_never_endorsed(network: Development) -> None:
    async def endorse(access: Access) -> None:
        opened = access.opened()
        gateway = PeerGateway(opened)
        try:
            action = note("both", "hello")
            await gateway.endorse(envelope.propose(opened.identity, opened.place, [EXECUTE.encode(), action], clock()))
        finally:
            await gateway.close()

    for access in network.accesses:
        with pytest.raises(Unavailable, match="ABORTED"):
            asyncio.run(endorse(access))
    assert held(network, "note/both") == [b"", b""]


def test_an_operator_that_endorses_its_own_forgery_alone_gets_it_ordered_and_invalid(network: Development) -> None:
    async def force(access: Access) -> int | None:
        opened = access.opened()
        gateway = PeerGateway(opened)
        channel = grpc.aio.secure_channel(
            access.gateway, grpc.ssl_channel_credentials(opened.roots), options=list(OPTIONS)
        )
        try:
            arguments = [EXECUTE.encode(), note("alone", "hello")]
            proposal = envelope.propose(opened.identity, opened.place, arguments, clock())
            request = envelope.endorse_request(opened.place, proposal) + bytes_field(4, access.msp.encode())
            answer = await channel.unary_unary("/gateway.Gateway/Endorse")(request, timeout=20)
            await gateway.submit(envelope.read_endorsed(opened.identity, proposal, answer))
            while (code := await gateway.status(proposal.transaction)) is None:
                pass
            return code
        finally:
            await gateway.close()
            await channel.close()

    for access in network.accesses:
        assert asyncio.run(force(access)) == POLICY_FAILURE
    assert held(network, "note/alone") == [b"", b""]
