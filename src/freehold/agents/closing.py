"""When a ballot may be closed, and by whom first.

Anybody may send CloseRound once all have committed or the deadline has passed for every clock. But the call
names the result's digest, and even a refused call tells it; whoever hears it before the last commitment could
copy it. So nobody calls on a guess: only when the ledger shows the condition, and only with a digest that opens
more than half.

The deadline is the ledger's, not that of one's own clock: a clock that runs ahead by more than `skew` would see it
pass while others still commit, and the call, though refused, would tell them the digest.

Several could call at once, and all but one would be refused. So they stand in line: the first of those who
committed calls at once, each next one a pause later, the data owner after all of them. A silent member costs a
pause and nothing else.
"""

from __future__ import annotations

from typing import Final

from freehold.agents.reading import BallotSeen
from freehold.errors import Unavailable
from freehold.protocol import commitments
from freehold.protocol.assets import Ballot
from freehold.protocol.identifiers import Digest, JobId
from freehold.protocol.network import NetworkRecord

_LONGEST_PAUSE: Final = 10_000
"""Milliseconds between one replica's turn to close and the next one's."""


def pause_before_closing(ballot: Ballot) -> int:
    """How long each in line waits for the one before: all of them fit into a quarter of the close window."""
    window = ballot.close_until - ballot.commit_until
    return max(1, min(_LONGEST_PAUSE, window // (4 * ballot.n)))


def earliest_closing(vote: BallotSeen, complete_since: int | None, grace: int) -> int:
    """When an open ballot may be closed (ms): since all have committed, or after the deadline."""
    after_deadline = vote.ballot.record.commit_until + grace + 1
    return after_deadline if complete_since is None else min(complete_since, after_deadline)


def all_committed(vote: BallotSeen) -> bool:
    """Whether the ledger shows a commitment of every job."""
    return all(job.record.commitment is not None for job in vote.jobs)


def require_over(vote: BallotSeen, ledger_time: int, network: NetworkRecord) -> None:
    """Raises Unavailable while somebody may still commit by the ledger's own time (ms), whatever one's clock shows."""
    # A commitment claims a time before the deadline, and the ledger takes it up to `skew` later; grace is twice that.
    until = vote.ballot.record.commit_until + network.grace - network.skew
    if not all_committed(vote) and ledger_time <= until:
        raise Unavailable(
            f"Ballot {vote.ballot.id[:8]} may still get commitments: this clock runs ahead of the ledger's.",
            next="set this machine's clock",
            now="nothing was sent",
        )


def would_decide(vote: BallotSeen, digest: Digest) -> bool:
    """Whether `digest` opens more than half of the slots' commitments: checked before anybody is told the digest."""
    opened = 0
    for job in vote.jobs:
        held = job.record
        if held.commitment is not None and held.nonce is not None:
            opened += held.commitment == commitments.result(JobId(job.id), held.co, held.nonce, digest)
    return 2 * opened > vote.ballot.record.n
