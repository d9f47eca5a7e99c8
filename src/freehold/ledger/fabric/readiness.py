"""Waiting until a network takes actions: every gateway has endorsers of both organisations, and orderers that order.

After a start the peers find each other by gossip; until then a gateway knows no combination of peers that would do.
The orderers meanwhile choose a leader, and take nothing before. So a read goes all the way, into a block: it writes
nothing and tells nobody.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
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
    authorities: Mapping[str, Path]
    """By the name of each organisation what signs the certificates under which its peers endorse."""

    def opened(self) -> PeerAccess:
        """With keys and certificates read."""
        return PeerAccess(
            address=self.gateway,
            roots=self.tls_ca.read_bytes(),
            identity=Identity(self.msp, self.certificate.read_bytes(), self.key.read_bytes()),
            place=Place(channel=self.channel, chaincode=self.chaincode),
            authorities={name: path.read_bytes() for name, path in self.authorities.items()},
            orderers=self.orderers,
            orderers_roots=self.orderers_tls_ca.read_bytes(),
        )


def until_endorsed(accesses: Sequence[Access], seconds: float, check: Callable[[], None]) -> None:
    """Waits until every gateway has had a read endorsed, ordered and committed; the last trouble when the time is over,
    or what `check` raises."""
    asyncio.run(_until_endorsed(accesses, seconds, check))


async def _until_endorsed(accesses: Sequence[Access], seconds: float, check: Callable[[], None]) -> None:
    until = time.monotonic() + seconds
    for access in accesses:
        opened = access.opened()
        peer = PeerGateway(opened)
        try:
            while True:
                try:
                    await _committed(peer, opened)
                    break
                except Unavailable:
                    check()
                    if time.monotonic() > until:
                        raise
                await asyncio.sleep(_AGAIN_SECONDS)
        finally:
            await peer.close()


async def _committed(peer: PeerGateway, access: PeerAccess) -> None:
    proposal = propose(access.identity, access.place, _QUESTION, time.time_ns() // 1_000_000)
    await peer.submit(await peer.endorse(proposal))
    if await peer.status(proposal.transaction) is None:
        raise Unavailable("the channel's blocks do not reach the peers")
