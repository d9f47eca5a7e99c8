"""Evidence of real networks of Fabric, made and checked; and codes of validation, found out as real peers find them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

pytest.importorskip("grpc", reason="gRPC is not installed (pip install freehold[fabric])")

import grpc
import grpc.aio

from freehold.agents.auditor.verify import verify
from freehold.errors import Unavailable
from freehold.ledger.fabric import envelope
from freehold.ledger.fabric.authorities import Authorities
from freehold.ledger.fabric.deliver import PeerBlocks
from freehold.ledger.fabric.folding import PEM
from freehold.ledger.fabric.functions import EXECUTE
from freehold.ledger.fabric.gateway import OPTIONS, Access, PeerGateway
from freehold.ledger.fabric.layout import Ordering
from freehold.ledger.fabric.programs import VARIABLE, programs_from_environment
from freehold.ledger.fabric.transactions import DUPLICATE, READ_CONFLICT, VALID, FabricBlock
from freehold.ledger.fabric.validity import POLICY_FAILURE, Validity
from freehold.ledger.protobuf import bytes_field
from freehold.node.development import authorities
from tests.engines.embedded import clock
from tests.engines.fabric import bench
from tests.engines.notebook import note
from tests.fabric.evidence import a_market, evidence_of
from tests.fabric.test_on_a_network import opened

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"Fabric is not installed ({VARIABLE})"),
]
EVERYBODY = ("OrdererMSP", "Org1MSP", "Org2MSP")


@pytest.mark.parametrize("ordering", ["raft", "bft"])
def test_a_network_hands_out_evidence_that_anybody_can_check(tmp_path: Path, ordering: Ordering) -> None:
    if ordering == "bft" and programs_from_environment().line == "2.5":
        pytest.skip("this version of Fabric knows no Byzantine fault tolerance")
    with a_market(tmp_path, ordering) as ledger:
        report = verify(evidence_of(ledger, tmp_path))
        height = ledger.info().height
        with pytest.raises(Unavailable, match="no block"):
            ledger.seal(height + 1)
        earlier = ledger.seal(height - 1)

    assert report.operators == report.signers == EVERYBODY
    assert report.blocks == height
    assert report.account.state == "ended"
    assert len(earlier) > 0


def blocks_of(access: Access) -> Iterator[FabricBlock]:
    """Every block that a peer has now."""
    source = PeerBlocks(access, clock)
    try:
        yield from islice(source.after(0), source.newest() + 1)
    finally:
        source.close()


async def _forced(access: Access, organisation: str, action: bytes) -> None:
    """Has an action endorsed by one organisation alone and ordered."""
    gateway = PeerGateway(access)
    channel = grpc.aio.secure_channel(access.address, grpc.ssl_channel_credentials(access.roots), options=list(OPTIONS))
    try:
        proposal = envelope.propose(access.identity, access.place, [EXECUTE.encode(), action], clock())
        request = envelope.endorse_request(access.place, proposal) + bytes_field(4, organisation.encode())
        answer = await channel.unary_unary("/gateway.Gateway/Endorse")(request, timeout=20)
        endorsed = envelope.read_endorsed(access.identity, proposal, answer)
        await gateway.submit(endorsed)
        assert await gateway.status(endorsed.transaction) == POLICY_FAILURE
    finally:
        await channel.close()
        await gateway.close()


async def _racing(access: Access, action: bytes) -> None:
    """Orders two envelopes of one action, and the first of them twice."""
    gateway = PeerGateway(access)
    try:
        proposals = [
            envelope.propose(access.identity, access.place, [EXECUTE.encode(), action], clock()) for _ in range(2)
        ]
        endorsed = [await gateway.endorse(each) for each in proposals]
        for each in (*endorsed, endorsed[0]):
            await gateway.submit(each)
        while await gateway.status(endorsed[1].transaction) is None:
            pass
    finally:
        await gateway.close()


def test_codes_of_validation_are_found_out_as_real_peers_find_them(tmp_path: Path) -> None:
    network, name = bench("raft").network, bench("raft").deploy()
    access = bench("raft").access(name)
    ledger = opened(access, tmp_path)
    ledger.submit_all([note(f"n{number}", "x") for number in range(20)])
    asyncio.run(_racing(access, note("racing", "x")))
    asyncio.run(_forced(access, "Org1MSP", note("alone", "x")))
    ledger.submit(note("last", "x"))
    ledger.close()

    channel = list(blocks_of(access))
    named = authorities(network.files, network.layout)
    pems = [each[0] for each in PEM.finditer(channel[0].envelopes[0])]
    validity = Validity(channel=access.place.channel, authorities=Authorities(named, pems), chaincode=name)
    assert [validity.codes(each.number, each.envelopes) for each in channel] == [each.codes for each in channel]
    assert {VALID, DUPLICATE, READ_CONFLICT, POLICY_FAILURE} <= {code for each in channel for code in each.codes}
