"""A verified training in words, for `verify` and `audit`: what was checked, what happened, and the eight answers."""

from collections import Counter
from collections.abc import Iterator

from freehold.agents.auditor.account import RoundAccount, TrainingAccount
from freehold.agents.auditor.questions import Answer
from freehold.agents.auditor.training import Proof
from freehold.agents.auditor.verify import Report
from freehold.cli.output import Output, short
from freehold.cli.times import date
from freehold.terminal.money import in_credits

_SHOWN_REMARKS = 4


def report_text(report: Report, output: Output) -> str:
    """The whole report, in lines for a terminal."""
    return "\n".join([*_checks(report, output), "", *_account(report.account, output), "", *_answers(report, output)])


def _checks(report: Report, output: Output) -> Iterator[str]:
    done = output.ink.good(output.symbols.done)
    yield (
        f"{done} file whole: {report.actions:,} actions in {report.blocks:,} blocks   {done} signed and chained   "
        f"{done} rules replayed, 0 differences   {done} money adds up"
    )
    yield f"  network   {report.network}" + ("" if report.network_was_named else "   compare with the one you trust")
    if report.operators:
        several = f"{len(report.signers)} of {len(report.operators)} operators sealed its newest block"
        yield f"  sealed    {several}" + (
            "" if report.network_was_named else "   the network's id stands for its founders"
        )
        yield f"  until     {date(report.until)} by the ledger's clock; what came later is not in this file"
        return
    # no rule names the operator: whoever else has the members' signed actions could leave some out and sign the rest
    yield f"  operator  {report.operator}" + (
        "   its log goes on from your checkpoint"
        if report.checkpoint_was_named
        else "   whose signature this is, the file says itself: compare"
    )
    yield f"  until     {date(report.until)} by the ledger's clock; what came later is not in this file"


def _account(account: TrainingAccount, output: Output) -> Iterator[str]:
    jobs, total = account.jobs, sum(account.jobs.values())
    yield (
        f"{output.ink.strong('training ' + short(account.couple))}   {account.state}, method {account.method}, "
        f"{account.rounds_complete} of {account.rounds_approved} rounds complete, "
        f"{jobs.get('accepted', 0)} of {total} jobs accepted"
    )
    for round in account.rounds:
        yield f"  round {round.number:>2}   {votes_text(round, output)}"
    marks = output.symbols
    yield output.ink.dim(
        f"             {marks.accepted} accepted  {marks.rejected} out-voted  {marks.missing} missing  "
        f"{marks.committed} undecided"
    )
    for blame in account.blamed:
        yield f"  {short(blame.member)}   {blame.statement}; {blame.condition}"
    if not account.blamed:
        yield "  nobody was out-voted or missing"
    money = account.money
    yield (
        f"  money      escrow {in_credits(money.escrow)} = cloud owners {in_credits(money.cloud_owners)} + data owner "
        f"{in_credits(money.data_owners)} + returned {in_credits(money.returned)}"
        + (f" + still locked {in_credits(money.locked)}" if money.locked else "")
    )


def votes_text(round: RoundAccount, output: Output) -> str:
    """One round's votes: subset number and a symbol for each replica, in the order of the slots."""
    cells = []
    for ballot in round.ballots:
        marks = "".join(output.ink.vote(output.symbols.vote(vote), vote) for vote in ballot.votes)
        cells.append(f"{ballot.subset + 1} {marks}")
    return "  ".join(cells)


def _answers(report: Report, output: Output) -> Iterator[str]:
    for answer in report.answers:
        yield from _answer(answer, output)


def _answer(answer: Answer, output: Output) -> Iterator[str]:
    ink = output.ink
    yield f"{answer.number}  {answer.question} {ink.strong(answer.verdict.capitalize())}."
    yield f"   {answer.statement}"
    for member, remarks in _by_member(answer).items():
        yield f"   {short(member)}: {remarks[0]}" + (f" (and {len(remarks) - 1} more)" if len(remarks) > 1 else "")
    yield ink.dim(f"   holds {answer.condition}" if answer.condition.startswith("if ") else f"   {answer.condition}")
    yield ink.dim(f"   proof: {_proof_text(answer.proof)}")


def _by_member(answer: Answer) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for remark in answer.remarks:
        found.setdefault(remark.member, []).append(remark.statement)
    return found


def _proof_text(proof: tuple[Proof, ...]) -> str:
    if not proof:
        return "nothing on the ledger"
    functions = Counter(each.function for each in proof)
    counted = ", ".join(f"{count} {function}" for function, count in functions.items())
    first, last = proof[0].position, max(each.position for each in proof)
    return f"{counted}, at log positions {first} to {last} (all of them: --format json)"
