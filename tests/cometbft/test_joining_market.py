"""A fifth operator joins a market with a snapshot, is approved, and signs blocks, all under the market's own rules."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from freehold.ledger.cometbft.client import FILE
from freehold.ledger.cometbft.configuration import Joining
from freehold.ledger.cometbft.file import CommitFile
from freehold.ledger.cometbft.snapshots import EVERY
from freehold.node import consortium
from freehold.protocol.actions import ApproveOperator, ProposeOperator
from freehold.protocol.digests import sha256
from freehold.protocol.identifiers import Nonce, ProposalId
from tests.cometbft.test_consortium import HOUR, Council, comet, eventually, prepared, validators
from tests.engines.cometbft import free_ports
from tests.engines.cometbft import program as cometbft_program
from tests.engines.embedded import clock
from tests.market import Market

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(cometbft_program() is None, reason="CometBFT is not installed (make test-cometbft)"),
]


def test_an_operator_joins_with_a_snapshot_and_then_signs(tmp_path: Path) -> None:
    folders, cards = prepared(tmp_path, 5)
    market = Market(seed="snapshot", now=clock(), skew=HOUR, grace=2 * HOUR, operators=cards[:4])
    shared = consortium.found(market.network, cards[:4], market.now)
    for folder in folders:
        consortium.take(folder, shared)
    for _ in range(3):
        market.data_owner()
    council = Council(market, folders)
    told = [action for block in market.ledger.export(0, 100) for action in block.actions]
    light = [f"127.0.0.1:{port}" for port in free_ports(4)]
    with ExitStack() as stack:
        ledgers = []
        for folder, address in zip(folders[:4], light, strict=True):
            # An empty block every tenth of a second: a snapshot is offered once there are a hundred and two.
            ledgers.append(consortium.start(comet(), folder, pause=20, idle=100, light=address))
            stack.callback(ledgers[-1].close)
        first = ledgers[0]
        accepted = [first.submit(action) for action in told]
        proposal = ProposeOperator(nonce=Nonce("01" * 32), operator=cards[4].key, card=cards[4])
        id = ProposalId(council.says(first, 0, proposal))
        eventually(lambda: first.trusted_header()[0] > EVERY + 2, 60)

        height, digest = ledgers[1].trusted_header()
        joining = Joining(servers=[f"http://{each}" for each in light[2:]], height=height, hash=digest)
        fifth = consortium.start(comet(), folders[4], pause=20, idle=100, joining=joining)
        stack.callback(fifth.close)
        eventually(lambda: fifth.info().height == first.info().height, 60)
        with closing(CommitFile.read(folders[4] / FILE, market.network.encode())) as file:
            assert file.commits(0)[0] >= EVERY
        assert [fifth.resolve(action) for action in told] == accepted
        assert fifth.export(0, 1_000) == first.export(0, 1_000)
        assert fifth.events(0) == first.events(0)
        assert fifth.prove_action(sha256(told[0])) == first.prove_action(sha256(told[0]))

        council.says(fifth, 1, ApproveOperator(proposal=id))
        council.says(fifth, 2, ApproveOperator(proposal=id))
        eventually(lambda: validators(fifth) == validators(first) == {each.validator for each in cards})
        # Three of five are too few: with one founder away nothing is decided unless the fifth signs.
        ledgers[3].close()
        council.agrees(fifth, ProposeOperator(nonce=Nonce("02" * 32), operator=cards[3].key), [0, 1, 2, 4])
        eventually(lambda: fifth.export(0, 1_000) == first.export(0, 1_000))
        eventually(lambda: cards[3].validator not in validators(fifth))
