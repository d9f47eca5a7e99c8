"""`freehold referee rule FILE`: re-execute the job of a case, and rule."""

from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, NO, PersonNeeded
from freehold.cli.output import Output, short

EXAMPLE = "freehold referee rule case.bin"


def referee_rule(
    case: Annotated[Path, typer.Argument(metavar="FILE", help="What a data owner or a holder handed to you.")],
    profile: options.Profile = None,
    wait: options.Wait = None,
    yes: options.Yes = False,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Execute one job again, bit for bit, and tell the ledger its result. Leaves with 1 if nothing can be ruled."""
    output = Output(format, color)
    from freehold.agents.referee.case import LARGEST_CASE
    from freehold.cli.asking import confirm
    from freehold.cli.carrying_out import carry_out
    from freehold.cli.opening import opened
    from freehold.errors import Invalid

    with opened(profile, "referee") as member:
        if case.stat().st_size > LARGEST_CASE:
            raise Invalid(f"{case} is too large for a case.", now="nothing was ruled")
        data = case.read_bytes()
        if not confirm("Rule on this case? Whoever committed to another result loses its stake.", yes=yes):
            raise PersonNeeded("It was not taken.", now="nothing was ruled")
        agent = member.referee()
        ballot = agent.hears(data)
        carry_out(
            member,
            agent,
            to=agent.member,
            done=lambda: agent.ruling(ballot) is not None or agent.silence(ballot) is not None,
            wait=wait,
            goes_on="it is ruled on as soon as `up` runs",
        )
        ruling, silence = agent.ruling(ballot), agent.silence(ballot)
        found = [
            str(finding["co"])
            for job in (member.world.ledger.evaluate("list", {"kind": "job", "where": {"ballot": ballot}}))
            for finding in member.world.ledger.evaluate("list", {"kind": "finding", "where": {"job": job["id"]}})
        ]
    document = {"ballot": ballot, "ruling": ruling, "findings": found, "silence": silence}
    output.result("ruling", document, lambda: _text(ballot, ruling, found, silence, output))
    return DONE if ruling is not None else NO


def _text(ballot: str, ruling: str | None, found: list[str], silence: str | None, output: Output) -> str:
    if ruling is None:
        return f" nothing was ruled on {short(ballot)}: {silence}"
    against = ", ".join(short(each) for each in found) or "nobody"
    return f" {output.symbols.done} ruled on {short(ballot)}: {short(ruling)}\n findings   against {against}"
