"""A training as its members see it: the state, the votes round by round, and the money."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from freehold.cli.output import Output, short
from freehold.terminal.money import in_credits
from freehold.terminal.symbols import Symbols

if TYPE_CHECKING:
    from freehold.agents.reading import BallotSeen, Reader, TrainingSeen
    from freehold.terminal.colors import Ink


def training_document(seen: "TrainingSeen", reader: "Reader") -> dict[str, Any]:
    """The training with its votes and its money; amounts in micro-credits, times in milliseconds."""
    couple = seen.couple.record
    numbers = subset_numbers(seen)
    spent, locked = _money(seen, reader)
    jobs = Counter(job.record.state for vote in seen.ballots for job in vote.jobs)
    return {
        "couple": seen.couple.id,
        "state": couple.state,
        "model": couple.model,
        "datasets": [part.dataset for part in couple.parts],
        "round": couple.round,
        "rounds": couple.rounds,
        "complete": sum(_complete(seen, number) for number in range(1, couple.round + 1)),
        "due": couple.due,
        "jobs": {state: jobs.get(state, 0) for state in ("open", "committed", "accepted", "rejected", "missing")},
        "spent": spent,
        "locked": locked,
        "ballots": [
            {
                "ballot": vote.ballot.id,
                "round": vote.ballot.record.round,
                "subset": numbers.get(vote.ballot.record.subset, 0),
                "state": vote.ballot.record.state,
                "jobs": [{"job": job.id, "co": job.record.co, "state": job.record.state} for job in vote.jobs],
            }
            for vote in seen.ballots
        ],
    }


def training_text(document: Mapping[str, Any], seen: "TrainingSeen", output: Output) -> str:
    """The same in lines."""
    numbers = subset_numbers(seen)
    lines = [
        (
            f"training {short(document['couple'])}   {document['state']}, {document['complete']} of "
            f"{document['rounds']} rounds complete, {document['jobs']['accepted']} of "
            f"{sum(document['jobs'].values())} jobs accepted"
        )
    ]
    rounds = range(1, seen.couple.record.round + 1)
    lines += [f"  {round_line(seen, number, numbers, output.symbols, output.ink)}" for number in rounds]
    marks = output.symbols
    if seen.couple.record.round:
        lines.append(
            output.ink.dim(
                f"  {marks.accepted} accepted  {marks.rejected} out-voted  {marks.missing} missing  "
                f"{marks.committed} committed  {marks.open} open"
            )
        )
    lines.append(f"  spent {in_credits(document['spent'])}, locked {in_credits(document['locked'])}")
    return "\n".join(lines)


def round_line(seen: "TrainingSeen", number: int, numbers: Mapping[str, int], symbols: Symbols, ink: "Ink") -> str:
    """One round's votes: `round 3/6  1 ●●●  2 ●●✕`, a subset's number and a symbol for each of its replicas."""
    cells = [
        f"{numbers.get(vote.ballot.record.subset, 0)} {_votes(vote, symbols, ink)}" for vote in seen.of_round(number)
    ]
    return f"round {number}/{seen.couple.record.rounds}  " + "  ".join(cells)


def subset_numbers(seen: "TrainingSeen") -> dict[str, int]:
    """Subset ids to the numbers that people use, from 1, all datasets of the training one after the other."""
    from freehold.protocol.identifiers import subset_id
    from freehold.protocol.limits import SUBSETS_LARGEST

    asked = {vote.ballot.record.subset for vote in seen.ballots}
    return {
        subset: index + 1
        for part in seen.couple.record.parts
        for index in range(SUBSETS_LARGEST)
        if (subset := subset_id(part.dataset, index)) in asked
    }


def _votes(vote: "BallotSeen", symbols: Symbols, ink: "Ink") -> str:
    return "".join(ink.vote(symbols.vote(job.record.state), job.record.state) for job in vote.jobs)


def _complete(seen: "TrainingSeen", number: int) -> bool:
    votes = seen.of_round(number)
    return bool(votes) and all(vote.ballot.record.state == "decided" for vote in votes)


def _money(seen: "TrainingSeen", reader: "Reader") -> tuple[int, int]:
    """What accepted jobs and complete rounds cost so far, and what is still locked."""
    couple = seen.couple.record
    paid = sum(vote.ballot.record.price for vote in seen.ballots for job in vote.jobs if job.record.state == "accepted")
    complete = sum(_complete(seen, number) for number in range(1, couple.round + 1))
    if complete:
        datasets = [reader.dataset(part.dataset) for part in couple.parts]
        paid += complete * sum(each.dataset.record.terms.price_round for each in datasets if each is not None)
    if couple.state == "ended":
        return paid, 0
    running = [vote.ballot.record for vote in seen.ballots if vote.ballot.record.round == couple.round]
    open_fees = 0 if _complete(seen, couple.round) else sum(part.fee for part in couple.parts)
    return paid, couple.balance + open_fees + sum(ballot.left for ballot in running if ballot.state == "open")
