"""Waiting until a network endorses: every gateway has found peers of both organisations, whose chaincode answers.

After a start the peers find each other by gossip; until then a gateway knows no combination of peers that would do.
What is asked for is the endorsement of a read, which is never submitted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from freehold.errors import Unavailable
from freehold.ledger.fabric.envelope import Place, propose
from freehold.ledger.fabric.functions import READ
from freehold.ledger.fabric.gateway import Access as PeerAccess
from freehold.ledger.fabric.gateway import PeerGateway
from freehold.ledger.fabric.identity import Identity

_AGAIN_SECONDS: Final = 0.2
_QUESTION: Final = (READ.encode(), b"network/ready")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a client of one organisation needs."""

    gateway: str
    """host:port of a peer of the organisation."""
    tls_ca: Path
    """Signs the TLS certificates of the organisation's peers."""
    msp: str
    certificate: Path
    """Of the user that carries actions; PEM, as its key."""
    key: Path
    channel: str
    chaincode: str
    peers: tuple[str, ...]
    """host:port of each peer of the organisation."""
    orderers: tuple[str, ...]
    """host:port of each orderer."""
    orderers_tls_ca: Path
    """Signs the TLS certificates of all orderers."""

    def opened(self) -> PeerAccess:
        """With keys and certificates read."""
        return PeerAccess(
            address=self.gateway,
            roots=self.tls_ca.read_bytes(),
            identity=Identity(self.msp, self.certificate.read_bytes(), self.key.read_bytes()),
            place=Place(channel=self.channel, chaincode=self.chaincode),
        )


def until_endorsed(accesses: Sequence[Access], seconds: float, check: Callable[[], None]) -> None:
    """Waits until every gateway has a read endorsed; the last trouble when the time is over, or what `check` raises."""
    asyncio.run(_until_endorsed(accesses, seconds, check))


async def _until_endorsed(accesses: Sequence[Access], seconds: float, check: Callable[[], None]) -> None:
    until = time.monotonic() + seconds
    for access in accesses:
        opened = access.opened()
        peer = PeerGateway(opened)
        try:
            while True:
                now = time.time_ns() // 1_000_000
                try:
                    await peer.endorse(propose(opened.identity, opened.place, _QUESTION, now))
                    break
                except Unavailable:
                    check()
                    if time.monotonic() > until:
                        raise
                await asyncio.sleep(_AGAIN_SECONDS)
        finally:
            await peer.close()
