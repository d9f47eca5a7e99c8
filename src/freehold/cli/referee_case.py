"""`freehold referee case ID`: write what a referee needs to rule on one vote."""

from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, PersonNeeded
from freehold.cli.output import Output, short

EXAMPLE = "freehold referee case 41d0a7c2 --round 3 --subset 5 --to 5d07…9c1e --out case.bin"


def referee_case(
    id: Annotated[str, typer.Argument(metavar="ID", help="The training; a prefix of six will do.")],
    round: Annotated[int, typer.Option("--round", help="The round in question, from 1.")],
    subset: Annotated[int, typer.Option("--subset", help="The subset in question, from 1, as `status ID` shows it.")],
    to: Annotated[str, typer.Option("--to", metavar="HEX", help="The referee's sealing key, from the referee.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the case is written; it must be new.")],
    profile: options.Profile = None,
    yes: options.Yes = False,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Seal the package of one subset to the referee of its terms; send it the file by any way you like."""
    output = Output(format, color)
    from freehold.agents.private_files import write_private
    from freehold.agents.reading import Reader
    from freehold.cli.asking import confirm
    from freehold.cli.exits import Usage
    from freehold.cli.finding import find
    from freehold.cli.opening import opened
    from freehold.cli.training_text import subset_numbers
    from freehold.errors import Invalid
    from freehold.protocol.identifiers import BallotId, PublicKey

    if len(to) != 64 or not set(to) <= set("0123456789abcdef"):
        raise Usage("--to takes the 64 hexadecimal characters of the referee's sealing key.", now="nothing was written")
    if out.exists():
        raise Invalid(f"{out} exists already.", next="--out a new file", now="nothing was written")
    with opened(profile, "data-owner", "cloud-owner") as member:
        seen = Reader(member.world.ledger).training(find(member.world.ledger, "couple", id, "training"))
        numbers = {} if seen is None else subset_numbers(seen)
        votes = () if seen is None else seen.of_round(round)
        found = [vote.ballot.id for vote in votes if numbers.get(vote.ballot.record.subset) == subset]
        if not found:
            raise Invalid(
                f"There was no vote on subset {subset} in round {round}.",
                next=f"freehold status {id}",
                now="nothing was written",
            )
        ballot = BallotId(found[0])
        agent = member.data_owner() if member.profile.role == "data-owner" else member.cloud_owner()
        case = agent.case(ballot, PublicKey(to))
        if not confirm(f"Show the referee {short(to)} the rows of subset {subset}?", yes=yes):
            raise PersonNeeded("Nothing was shown.", now="nothing was written")
        write_private(out, case)
    output.result(
        "case", {"ballot": ballot, "file": str(out)}, lambda: f" {output.symbols.done} case {short(ballot)} in {out}"
    )
    return DONE
