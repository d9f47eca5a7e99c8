"""A market on four operators who take in a fifth, and its evidence: `python -m tests.cometbft.evidence` keeps one."""

from __future__ import annotations

import lzma
import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from freehold.agents.auditor.evidence import Evidence, encode, record
from freehold.ledger.remote import RemoteLedger
from freehold.node import consortium, council
from freehold.node.server import serving
from freehold.objects.folder import FolderStore
from freehold.ports.ledger import Accepted
from freehold.protocol.identifiers import CoupleId, ProposalId
from tests.engines.cometbft import free_ports
from tests.engines.embedded import clock
from tests.market import Market

VECTOR = Path(__file__).parent.parent / "vectors" / "cometbft" / "evidence.json.xz"
HOUR = 3_600_000
TERMS = {f"{name}_window": 4 * HOUR for name in ("answer", "close", "commit", "idle")} | {"hold": 20 * HOUR}


def evidence_of_a_network(folder: Path) -> bytes:
    """The file that an auditor makes of the ledger of such a network, asking one of its nodes."""
    comet = consortium.cometbft(os.environ)
    folders = [folder / f"operator{number}" for number in range(5)]
    cards = [
        consortium.prepare(comet, each, f"127.0.0.1:{port}") for each, port in zip(folders, free_ports(5), strict=True)
    ]
    market = Market(seed="evidence", now=clock(), skew=HOUR, grace=2 * HOUR, operators=cards[:4])
    shared = consortium.found(market.network, cards[:4], market.now)
    training = market.trains(subsets=2, replicas=3, rounds=2, **TERMS)
    training.starts_round().is_agreed()
    training.ends()
    actions = [action for block in market.ledger.export(0, 10_000) for action in block.actions]
    with ExitStack() as stack:
        ledgers = []
        for each in folders[:4]:
            consortium.take(each, shared)
            ledgers.append(consortium.start(comet, each, pause=20, idle=500))
            stack.callback(ledgers[-1].close)
        half = len(actions) // 2
        assert all(isinstance(each, Accepted) for each in ledgers[0].submit_all(actions[:half]))
        proposal = council.propose(ledgers[0], folders[0], cards[4].key, cards[4])
        for place in (1, 2):
            council.approve(ledgers[0], folders[place], ProposalId(proposal.id))
        # The fifth's node does not run: four of five sign.
        assert all(isinstance(each, Accepted) for each in ledgers[0].submit_all(actions[half:]))
        size = ledgers[0].info().size
        deadline = time.monotonic() + 30
        while ledgers[3].info().size < size:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        remote = RemoteLedger(stack.enter_context(serving(ledgers[3], FolderStore(folder / "objects"))))
        stack.callback(remote.close)
        couple = remote.evaluate("list", {"kind": "couple"})[0]["id"]
        return encode(Evidence(recording=record(remote), couple=CoupleId(couple)))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        VECTOR.write_bytes(lzma.compress(evidence_of_a_network(Path(name))))
