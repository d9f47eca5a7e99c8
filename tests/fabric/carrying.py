"""A client of one organisation that carries single calls to a real network, and looks at what the peers hold."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc.aio

from freehold.errors import Refused, Unavailable
from freehold.ledger.fabric import envelope
from freehold.ledger.fabric.clock import TICK, TICK_FIRST
from freehold.ledger.fabric.functions import EXECUTE, READ
from freehold.ledger.fabric.gateway import OPTIONS, PeerGateway
from freehold.ledger.fabric.readiness import Access
from freehold.ledger.frames import unframe
from freehold.ledger.protobuf import bytes_field
from tests.engines.embedded import clock

VALID, POLICY_FAILURE, CONFLICT = 0, 10, 11
_T = TypeVar("_T")


def asked(access: Access, ask: Callable[[PeerGateway], Awaitable[_T]]) -> _T:
    """What a gateway answers."""

    async def conversation() -> _T:
        gateway = PeerGateway(access.opened())
        try:
            return await ask(gateway)
        finally:
            await gateway.close()

    return asyncio.run(conversation())


def holds(access: Access, key: str) -> bytes:
    """What one organisation's peer holds under a key."""
    answer = asked(access, lambda gateway: gateway.evaluate([READ.encode(), key.encode()], clock()))
    (value,) = unframe(answer, largest=20_000, most=1)
    return value


def carry(access: Access, *arguments: bytes, alone: bool = False) -> tuple[int, bytes]:
    """Has a call endorsed, by the own organisation alone if that is asked for, and ordered: its code, and what went to
    the orderers."""

    async def way(gateway: PeerGateway) -> tuple[int, bytes]:
        opened = access.opened()
        proposal = envelope.propose(opened.identity, opened.place, arguments, clock())
        if alone:
            request = envelope.endorse_request(opened.place, proposal) + bytes_field(4, access.msp.encode())
            credentials = grpc.ssl_channel_credentials(opened.roots)
            async with grpc.aio.secure_channel(access.gateway, credentials, options=list(OPTIONS)) as channel:
                answer = await channel.unary_unary("/gateway.Gateway/Endorse")(request, timeout=20)
            endorsed = envelope.read_endorsed(opened.identity, proposal, answer)
        else:
            endorsed = await gateway.endorse(proposal)
        await gateway.submit(endorsed)
        while (code := await gateway.status(proposal.transaction)) is None:
            pass
        return code, endorsed.envelope

    return asked(access, way)


def tick(access: Access) -> None:
    """Sets the ledger's clock."""
    carry(access, TICK.encode())


def record(access: Access, action: bytes) -> bytes:
    """Has an action recorded, and returns what went to the orderers; Unavailable if something else was recorded
    meanwhile, or if the peers have not come equally far."""
    try:
        code, sent = carry(access, EXECUTE.encode(), action)
    except Unavailable as trouble:
        if trouble.code != TICK_FIRST:
            raise
        tick(access)
        code, sent = carry(access, EXECUTE.encode(), action)
    if code == CONFLICT:
        raise Unavailable("something else was recorded meanwhile")
    assert code == VALID
    return sent


def records(access: Access, action: bytes) -> bool:
    """Whether an action is recorded now."""
    try:
        record(access, action)
    except Unavailable:
        return False
    except Refused as refused:
        return refused.code == "exists"
    return True
