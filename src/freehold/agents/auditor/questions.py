"""The eight questions that members ask of each other (paper, section II-D), answered from a replayed history alone.

Each answer is *yes*, *no*, or *cannot be shown*; it names the condition under which it holds and the recorded actions
that prove it. A ledger shows who signed what, and when; it does not show what happened in somebody's machine. So an
answer never says that a member cheated unless its own signed bytes say so (a copied commitment, a copied receipt);
whoever was merely out-voted is named with the condition "if most replicas of its subset were honest".
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from freehold.agents.auditor.training import Proof, Training

Verdict: TypeAlias = Literal["yes", "no", "cannot be shown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something that the answer alone would hide, about one member."""

    member: str
    statement: str
    proof: tuple[Proof, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One question and what the ledger says to it."""

    number: int
    asked_by: Literal["model owner", "data owner", "cloud owner"]
    question: str
    verdict: Verdict
    statement: str
    condition: str
    proof: tuple[Proof, ...]
    remarks: tuple[Remark, ...] = ()


def answers(training: Training) -> tuple[Answer, ...]:
    """All eight answers about one training, in the order of the paper."""
    from freehold.agents.auditor import custody, independence, work

    return (
        custody.holds_the_data(training),
        custody.copied_receipts(training),
        custody.right_subset(training),
        custody.received_what_was_sent(training),
        work.download_is_what_was_reported(training),
        work.copied_results(training),
        independence.owner_chose_subsets(training),
        independence.owner_can_reach_data(training),
    )
