"""What a referee does next, from what it knows. Pure: same knowledge, same steps.

    a case       taken if its package is the one whose digest is public, else refused to whoever brought it
    re-execute   the job again, from the package, the base under the ledger's digest, and the public facts as they
                 were in that round; bit for bit what every honest replica must have answered
    rule         ReportFraud with the digest of that result, once, while the ledger still hears it

A ruling accuses whoever committed to something else. So a referee that cannot re-execute says nothing at all: a
wrong package, a base that is gone or malformed, a key that changed since. And it rules where nothing is wrong too,
if it was asked to: then the ruling clears everybody, and accuses nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from freehold.agents.loop import Step, Wait
from freehold.protocol.identifiers import BallotId


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseKnown:
    """A case that was taken, and how far it is."""

    ballot: BallotId
    ruled: bool
    """Whether the ledger shows a ruling."""
    executed: bool
    """Whether the right result is decided in the journal."""
    dropped: bool
    """Whether it turned out that nothing can be ruled."""
    open_until: int | None
    """When an open ballot counts as over (ms), None if it is decided or void already."""
    until: int
    """The last moment at which the ledger hears a ruling (ms)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything a referee knows."""

    cases: tuple[CaseKnown, ...]


@dataclass(frozen=True, slots=True)
class Execute:
    """Work out what the result should have been."""

    ballot: BallotId

    def __str__(self) -> str:
        return f"executes the job of ballot {self.ballot[:8]} again"


@dataclass(frozen=True, slots=True)
class Rule:
    """Tell the ledger which result was right."""

    ballot: BallotId

    def __str__(self) -> str:
        return f"rules on ballot {self.ballot[:8]}"


@dataclass(frozen=True, slots=True)
class Drop:
    """Give up a case for which it is too late."""

    ballot: BallotId

    def __str__(self) -> str:
        return f"comes too late to rule on ballot {self.ballot[:8]}"


def next_steps(known: Known, now: int) -> Iterator[Step]:
    """The next steps of one referee."""
    for case in known.cases:
        if case.ruled or case.dropped:
            continue
        if now > case.until:
            yield Drop(case.ballot)
        elif not case.executed:
            yield Execute(case.ballot)
        elif case.open_until is not None and now < case.open_until:
            # A ruling tells the digest: never before the vote is over.
            yield Wait(case.open_until)
        else:
            yield Rule(case.ballot)
