"""What an action costs each part of a network of several operators, and where each number comes from.

Taken from bench/results/scale-measured.json where `python bench/scale.py --measure` has written it; else the figures
below, which are a run of the same on two processors. Three phases (loaded, one action at a time, idle) tell apart what
an action costs, what a block costs whatever is in it, and what a node does when nothing happens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from scaling.measuring import Measured, Steps

HOP: Final = 0.0035
"""Seconds that a message waits before it leaves: half of `flush_throttle_timeout`, 2 ms, and half of
`peer_gossip_sleep_duration`, 5 ms (`freehold.ledger.cometbft.configuration`)."""
SYNC: Final = 0.0005
"""Seconds of one sync: 0.5 ms for a block of one action on the machine of docs/ledger.md."""
CLIENT: Final = 35e-6
"""Seconds of a client's processor for an action in lots of 50 (docs/ledger.md)."""
CHECK: Final = 3e-6
"""Seconds to recognise an action whose signature is remembered: a SHA-256 and a look-up (reasoned)."""
VOTE_BYTES: Final = 250
"""Of a vote on the wire with its frame and acknowledgement (reasoned from its form)."""
CONSENSUS_BLOCKS: Final = 2
"""CometBFT decides another block after each one that changed the state, to have the new digest signed at once: an empty
one, unless something waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Seconds of processor time, and bytes, for each action unless it says otherwise."""

    front: float
    """At the node to which it was sent."""
    follow: float
    """At every node's front, which reads outcomes from the application's file."""
    signature: float
    """Part of `admit`."""
    admit: float
    """Of the application, before an action may wait."""
    check: float = CHECK
    """Of the application, twice: when a proposal is made or checked."""
    execute: float
    node: float
    """Of CometBFT's node, without its peers."""
    peer: float
    """Of the node, for each peer."""
    round: float
    """Of the node, for each block, for each operator in the network."""
    block: float
    """Of the application, for each block."""
    sync: float = SYNC
    """Of the disk, not of the processor, each time."""
    hop: float = HOP
    client: float = CLIENT
    action_bytes: float
    repeated: float
    """How often each other node sends an action to a node that has it already, in sizes of the action. More than 1 is
    possible: CometBFT seals what it sends in frames of 1,024 bytes and fills them up."""

    @property
    def vote(self) -> float:
        """Of the node, to make or take one of the two votes of every operator."""
        return self.round / 2

    @property
    def application(self) -> float:
        """Of the one thread that checks signatures and executes rules."""
        return self.admit + 2 * self.check + self.execute

    def wire(self, operators: int, in_block: float) -> float:
        """Bytes that an operator sends for each action, with so many actions in a block."""
        peers = operators - 1
        copies = peers + peers * (operators - 2) * self.repeated + peers
        votes = 2 * operators * peers * VOTE_BYTES / in_block
        return (copies * self.action_bytes + votes) / operators


def fitted(runs: Sequence[Measured], steps: Steps) -> Costs:
    """The costs that explain the runs: networks of one, of four, and perhaps of more operators."""
    nodes = [_apart(run, lambda each: each.processor_of("node")) for run in runs]
    applications = [_apart(run, lambda each: each.processor_of("application")) for run in runs]
    fronts = [run.operators * _apart(run, lambda each: each.processor_of("front"))[0] for run in runs]
    others = [run.operators - 1 for run in runs]
    node, peer = line(others, [action for action, _ in nodes])
    follow = line(others, fronts)[1]
    application = sum(action for action, _ in applications) / len(runs)
    # How the application's time divides was timed apart, on a processor that may have been slower or faster.
    counted = (steps.signature + steps.admission) * 1e-6
    admit = min(counted, application * 0.6)
    several = [(run, run.load.actions / max(1, run.load.blocks)) for run in runs if run.operators > 1]
    return Costs(
        front=max(sum(fronts) / len(runs) - follow * sum(run.operators for run in runs) / len(runs), 0.0),
        follow=follow,
        signature=steps.signature * 1e-6,
        admit=admit,
        execute=application - admit - 2 * CHECK,
        node=node,
        peer=peer,
        round=sum(block / run.operators for run, (_, block) in zip(runs, nodes, strict=True)) / len(runs),
        block=sum(block for _, block in applications) / len(runs),
        action_bytes=sum(run.action_bytes for run in runs) / len(runs),
        repeated=sum(_repeated(run, in_block) for run, in_block in several) / max(1, len(several)),
    )


def _apart(run: Measured, spent: Callable[[Measured], tuple[float, float, float]]) -> tuple[float, float]:
    """What an action costs one operator, and what a block: of a phase with few large blocks and one with many small."""
    load, alone, idle = (each / run.operators for each in spent(run))
    at_rest = idle / run.idle.seconds
    load -= at_rest * run.load.seconds
    alone -= at_rest * run.alone.seconds
    single = CONSENSUS_BLOCKS * run.alone.blocks
    determinant = run.load.actions * single - run.alone.actions * run.load.blocks
    action = (load * single - alone * run.load.blocks) / determinant
    block = (run.load.actions * alone - run.alone.actions * load) / determinant
    return max(action, 0.0), max(block, 0.0)


def line(at: Sequence[int], values: Sequence[float]) -> tuple[float, float]:
    """Value at 0 and slope of the straight line nearest to the values; the slope is not below 0."""
    middle, mean = sum(at) / len(at), sum(values) / len(values)
    spread = sum((each - middle) ** 2 for each in at)
    slope = sum((each - middle) * (value - mean) for each, value in zip(at, values, strict=True)) / spread
    slope = max(slope, 0.0)
    return max(mean - slope * middle, 0.0), slope


def _repeated(run: Measured, in_block: float) -> float:
    """The part of possible repetitions that explains what was sent."""
    operators, peers = run.operators, run.operators - 1
    votes = 2 * operators * peers * VOTE_BYTES / in_block
    copies = (run.wire_bytes * operators - votes) / run.action_bytes
    possible = peers * (operators - 2)
    return max((copies - 2 * peers) / possible, 0.0)
