"""What each resource of an operator allows by itself, actions a second, and so which one bends first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scaling.costs import Costs

BLOCK_ACTIONS: Final = 512
"""As `freehold.ledger.blocks.ACTIONS_LARGEST`."""
BLOCK_BYTES: Final = 2 * 2**20
_STEPS: Final = 3
"""Messages that follow each other until a block is decided: the proposal and two votes."""
_SYNCS: Final = 5
"""Syncs that follow each other for a block: what is signed three times, the node's block, the application's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where operators run their nodes."""

    operators: int
    cores: int
    megabits: float
    """That an operator's line sends in a second."""
    round_trip: float
    """Seconds between any two operators."""
    pause: float = 0.03


def bounds(site: Site, costs: Costs) -> dict[str, float]:
    """Actions a second, by the resource that would be used up."""
    operators = site.operators
    interval = block_interval(site, costs)
    in_block = min(float(BLOCK_ACTIONS), BLOCK_BYTES / costs.action_bytes)
    node = costs.node + (operators - 1) * costs.peer + operators * costs.round / in_block
    everything = costs.front / operators + costs.follow + costs.application + costs.block / in_block + node
    return {
        "application's thread": 1 / (costs.application + costs.block / in_block),
        "front's thread": 1 / (costs.front / operators + costs.follow),
        "cores": site.cores / everything,
        "blocks of 512": in_block / interval,
        "line": _sent(site, costs.wire(operators, in_block)),
        "proposer's line": _proposals(site, costs),
        "disk's syncs": in_block / (_SYNCS * costs.sync),
    }


def first(site: Site, costs: Costs) -> tuple[str, float]:
    """The resource that bends first, and at how many actions a second."""
    found = bounds(site, costs)
    name = min(found, key=lambda each: found[each])
    return name, found[name]


def block_interval(site: Site, costs: Costs) -> float:
    """Seconds from one full block to the next where nothing is scarce: the pause or the execution, after two votes."""
    one_way = site.round_trip / 2
    message = costs.hop + one_way if site.operators > 1 else 0.0
    # Who has decided tells the next proposer, which a pause may cover.
    rest = max(site.pause, BLOCK_ACTIONS * costs.execute + message)
    return _STEPS * message + _SYNCS * costs.sync + rest


def _proposals(site: Site, costs: Costs) -> float:
    """A proposer that sends whole blocks to everybody itself, one after the other, and does nothing else meanwhile."""
    return _sent(site, (site.operators - 1) * costs.action_bytes)


def _sent(site: Site, each: float) -> float:
    return site.megabits * 1e6 / 8 / each if each else float("inf")
