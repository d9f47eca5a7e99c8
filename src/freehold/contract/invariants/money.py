"""Money is somewhere, nobody owes less than nothing, and every payment has its one reason."""

from collections.abc import Iterator

from freehold.contract.books import books_of
from freehold.contract.invariants.whole import Whole
from freehold.protocol.identifiers import payout_id


def conserved(whole: Whole) -> Iterator[str]:
    """S-14: what came in and did not leave is what is there, and no sum is below zero."""
    books = books_of(whole.view)
    if not books.conserved:
        yield f"{books.deposited - books.withdrawn} micro-credits came in and stayed, {books.held} are there"
    for name, amount in books.as_dict().items():
        if amount < 0:
            yield f"{name} sum up to {amount}"


def nothing_is_negative(whole: Whole) -> Iterator[str]:
    """S-14: no balance, fee, rest of a ballot, stake or payout is below zero."""
    amounts = [
        *((id, couple.balance) for id, couple in whole.couples.items()),
        *((id, part.fee) for id, couple in whole.couples.items() for part in couple.parts),
        *((id, ballot.left) for id, ballot in whole.ballots.items()),
        *((id, instance.stake) for id, instance in whole.instances.items()),
        *((id, payout.amount - 1) for id, payout in whole.payouts.items()),
        *((id, budget.granted) for id, budget in whole.budgets.items()),
    ]
    for id, amount in amounts:
        if amount < 0:
            yield f"{id} holds {amount}"


def a_job_is_paid_once(whole: Whole) -> Iterator[str]:
    """S-14: an accepted job has one payout of its ballot's price, any other job none; a ballot's rest says the same."""
    for id, ballot in whole.ballots.items():
        for job in ballot.jobs:
            record = whole.jobs[job]
            payout = whole.payouts.get(payout_id(job, record.co))
            price = ballot.price if record.state == "accepted" else 0
            if price != (0 if payout is None else payout.amount):
                yield f"job {job} is {record.state} and was paid {payout}"
        accepted = sum(whole.jobs[job].state == "accepted" for job in ballot.jobs)
        unpaid = ballot.price * (len(ballot.jobs) - accepted)
        possible = {"open": (unpaid,), "decided": (unpaid, 0), "void": (0,)}
        if ballot.left not in possible[ballot.state]:
            yield f"ballot {id} has {ballot.left} left, {unpaid} are unpaid"


def a_stake_is_taken_only_for_a_finding(whole: Whole) -> Iterator[str]:
    """S-15: a burned payout is the stake of a replica with a finding; after one, no stake is held or still due."""
    guilty = {whole.jobs[finding.job].instance for finding in whole.findings.values()}
    for id, payout in whole.payouts.items():
        if payout.state == "burned" and payout.cause not in guilty:
            yield f"payout {id} was burned without a finding"
    for instance in sorted(guilty):
        record = whole.instances[instance]
        payout_of_stake = whole.payouts.get(payout_id(instance, record.co))
        still_due = payout_of_stake is not None and payout_of_stake.state == "due"
        if record.state != "retired" or record.stake or still_due:
            yield f"instance {instance} keeps its stake or its place after a finding"
