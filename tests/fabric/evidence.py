"""A small market on two organisations of Fabric, and its evidence: `python -m tests.fabric.evidence` keeps one."""

from __future__ import annotations

import lzma
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from freehold.agents.auditor.evidence import Evidence, encode, record
from freehold.ledger.fabric.client import FabricLedger
from freehold.ledger.fabric.layout import CHAINCODE, CHANNEL, Ordering
from freehold.ledger.fabric.network import Development
from freehold.ledger.fabric.programs import programs_from_environment
from freehold.ledger.remote import RemoteLedger
from freehold.node.chaincode import program
from freehold.node.development import authorities
from freehold.node.runtime import RECORD
from freehold.node.server import serving
from freehold.objects.folder import FolderStore
from freehold.ports.ledger import Accepted
from freehold.protocol.identifiers import ChaincodeName, ChannelName, CoupleId
from freehold.protocol.network import Channel
from tests.engines.embedded import clock
from tests.market import Market

VECTOR = Path(__file__).parent.parent / "vectors" / "fabric" / "evidence.json.xz"
HOUR = 3_600_000
TERMS = {f"{name}_window": 4 * HOUR for name in ("answer", "close", "commit", "idle")} | {"hold": 20 * HOUR}


class Consortium:
    """A network of Fabric whose rules are those of a market that names its certificates."""

    def __init__(self, folder: Path, ordering: Ordering) -> None:
        self._folder = folder
        self.market: Market | None = None
        self.network = Development(
            programs_from_environment(), folder / "network", ordering=ordering, chaincode=self._chaincode, pause=50
        )

    def _chaincode(self, place: Path) -> list[str]:
        """The command of the rules: the keys exist by now, so the market can be founded."""
        if self.market is None:
            named = authorities(self.network.files, self.network.layout)
            channel = Channel(name=ChannelName(CHANNEL), chaincode=ChaincodeName(CHAINCODE))
            self.market = Market(
                seed="evidence", now=clock(), skew=HOUR, grace=2 * HOUR, authorities=named, channel=channel
            )
            (self._folder / RECORD).write_bytes(self.market.network.encode())
        return program(self._folder)(place)


@contextmanager
def a_market(folder: Path, ordering: Ordering) -> Iterator[FabricLedger]:
    """The ledger of one of two organisations, on which a training was led from beginning to end."""
    consortium = Consortium(folder, ordering)
    with consortium.network as network:
        market = consortium.market
        assert market is not None
        training = market.trains(subsets=2, replicas=3, rounds=2, **TERMS)
        training.starts_round().is_agreed()
        training.ends()
        actions = [action for block in market.ledger.export(0, 10_000) for action in block.actions]
        ledger = FabricLedger.open(network.accesses[0].opened(), folder / "ledger.sqlite", market.contract, clock)
        try:
            answers = ledger.submit_all(actions)
            assert all(isinstance(each, Accepted) for each in answers), answers
            yield ledger
        finally:
            ledger.close()


def evidence_of(ledger: FabricLedger, folder: Path) -> bytes:
    """The file that an auditor makes of a ledger, asking its node."""
    with serving(ledger, FolderStore(folder / "objects")) as address:
        remote = RemoteLedger(address)
        try:
            couple = remote.evaluate("list", {"kind": "couple"})[0]["id"]
            return encode(Evidence(recording=record(remote), couple=CoupleId(couple)))
        finally:
            remote.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name, a_market(Path(name), "raft") as running:
        VECTOR.write_bytes(lzma.compress(evidence_of(running, Path(name))))
