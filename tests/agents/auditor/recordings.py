"""Turns a small market of the tests into a recording that an operator has signed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from freehold.agents.auditor.evidence import Evidence, Recording
from freehold.agents.auditor.questions import Answer
from freehold.agents.auditor.verify import Report, check, report_on
from freehold.ledger import blocks as chain
from freehold.ledger.proofs.checkpoint import sign_checkpoint
from freehold.ledger.proofs.log import Log, entry
from freehold.ports.ledger import Block
from freehold.protocol.identifiers import CoupleId, PublicKey
from tests.market import Market, Training, bytes_of, public_key

OPERATOR = bytes_of("operator")


def recording_of(market: Market, *, operator: bytes = OPERATOR) -> Recording:
    """Everything that the market's ledger holds, signed by an operator."""
    recorded = market.ledger.export(0, 1_000_000)
    signed = tuple(
        dataclasses.replace(block, signature=chain.sign_header(block.header, operator)) for block in recorded
    )
    return Recording(
        network=market.network,
        operator=PublicKey(public_key(operator)),
        blocks=signed,
        checkpoint=checkpoint_of(market, signed, operator=operator),
    )


def checkpoint_of(market: Market, blocks: Sequence[Block], *, operator: bytes = OPERATOR) -> str:
    """The operator's note over all actions of these blocks."""
    leaves = [entry(*pair) for block in blocks for pair in zip(block.actions, block.results, strict=True)]
    return sign_checkpoint(Log().extended(leaves), network_id=market.id, operator_seed=operator)


def evidence_of(training: Training) -> Evidence:
    """Evidence about one training."""
    return Evidence(recording=recording_of(training.market), couple=CoupleId(training.id))


def report_of(training: Training) -> Report:
    """What an auditor reports about one training."""
    return report_on(check(recording_of(training.market)), training.id)


def answer_of(training: Training, number: int) -> Answer:
    """The answer to one of the eight questions."""
    return report_of(training).answers[number - 1]
