"""What must hold in every state, as predicates that can be run: the S- numbers are those of `docs/threats.md`.

A predicate looks at a whole state and says what is wrong with it, one sentence for each fault; nothing means that it
holds. Tests ask after every action, an auditor at the end of a replay. What a single state cannot show (who signed,
that an action took effect once, that only written transitions occurred) is not here: replay shows that.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias

from freehold.contract.invariants import money, rounds, votes
from freehold.contract.invariants.whole import Whole
from freehold.ports.state_view import StateView

Invariant: TypeAlias = Callable[[Whole], Iterator[str]]

INVARIANTS: Final[Mapping[str, Invariant]] = {
    "S-6": rounds.slots_belong_to_different_people,
    "S-7": rounds.a_ballot_lists_most_replicas,
    "S-8 groups": rounds.groups_follow_from_the_publication,
    "S-8 rounds, S-9, S-16": rounds.rounds_follow_from_the_draw,
    "S-8 budgets": rounds.budgets_count_approvals,
    "S-10, S-11": votes.decided_by_a_majority,
    "S-12, S-13": votes.findings_are_derived,
    "S-14 conserved": money.conserved,
    "S-14 not negative": money.nothing_is_negative,
    "S-14 paid once": money.a_job_is_paid_once,
    "S-15": money.a_stake_is_taken_only_for_a_finding,
}


class Violation(NamedTuple):
    """A fault of a state: which invariant does not hold, and why."""

    invariant: str
    what: str


def violations(view: StateView) -> list[Violation]:
    """Everything that is wrong with a state; empty if every invariant holds."""
    whole = Whole(view)
    return [Violation(name, what) for name, holds in INVARIANTS.items() for what in holds(whole)]
