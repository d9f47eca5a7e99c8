"""Signed actions for Caliper: small whole markets, dealt into lanes, and the same markets function by function.

A market here is the smallest training of the protocol: two subsets of three replicas, one round. All markets are alike,
so a stage (all calls of one function in all markets) can follow another: whatever an action builds on was recorded in
an earlier stage. So Caliper sees one round a function, as the paper's figure 9 does.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.market import Market

from freehold.ledger.frames import frame
from freehold.protocol import limits
from freehold.protocol.envelope import open_action
from freehold.protocol.network import NetworkRecord, Operator

SUBSETS: Final = 2
REPLICAS: Final = 3
STAGES: Final = (
    *("CreateDO", "CreateDS", "CreateDSS", "CreateCO", "CreateMO", "Deposit", "Collect", "CreateCI", "JoinCI"),
    *("VerifyCI", "PublishDS", "CreateMod", "RequestTC", "ApproveTC", "StartRound", "UpdateTJ", "CloseRound", "EndTC"),
)
NOT_IN_THE_PAPER: Final = ("Deposit", "Collect", "PublishDS")
"""What a training of ours takes beyond the paper's fifteen: money, and the end of a draft."""
_SKEW: Final = limits.DAY // 4
_TERMS: Final = {
    **dict.fromkeys(("answer_window", "close_window", "commit_window", "idle_window"), 5 * limits.DAY),
    "hold": 40 * limits.DAY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Markets that know nothing of each other, each with its actions in a valid order."""

    network: NetworkRecord
    now: int
    markets: tuple[tuple[bytes, ...], ...]


def sign(markets: int, operators: Sequence[Operator] = ()) -> Signed:
    """So many markets of the network of these operators, signed now; a skew of hours lets a node take them later."""
    market = Market(now=time.time_ns() // 1_000_000, grace=2 * _SKEW, skew=_SKEW, operators=operators)
    found: list[tuple[bytes, ...]] = []
    done = 0
    for _ in range(markets):
        training = market.trains(SUBSETS, REPLICAS, rounds=1, **_TERMS)
        training.starts_round().is_agreed()
        training.ends()
        market.people.clear()
        blocks = market.ledger.export(done, 1 << 30)
        found.append(tuple(block.actions[0] for block in blocks))
        done += len(blocks)
    return Signed(network=market.network, now=market.now, markets=tuple(found))


def staged(markets: Sequence[Sequence[bytes]]) -> dict[str, list[bytes]]:
    """The same actions by function, in the order of the stages; within a stage no action waits for another."""
    found: dict[str, list[bytes]] = defaultdict(list)
    for market in markets:
        for action in market:
            found[open_action(action, signature_checked=True).function].append(action)
    return {function: found[function] for function in STAGES}


def by_market(markets: Sequence[Sequence[bytes]], lanes: int) -> list[list[bytes]]:
    """Whole markets dealt into lanes."""
    return [[action for market in markets[lane::lanes] for action in market] for lane in range(lanes)]


def by_turns(actions: Sequence[bytes], lanes: int) -> list[list[bytes]]:
    """Actions that do not wait for each other, dealt into lanes."""
    return [list(actions[lane::lanes]) for lane in range(lanes)]


def encode(lanes: Sequence[Sequence[bytes]]) -> bytes:
    """Lanes as the workload module reads them: frames of frames."""
    return frame(frame(lane) for lane in lanes)
