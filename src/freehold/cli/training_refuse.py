"""`freehold training refuse ID`: say no to a training of your data."""

from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, PersonNeeded
from freehold.cli.output import Output, short

EXAMPLE = "freehold training refuse 41d0a7c2"


def training_refuse(
    id: Annotated[str, typer.Argument(metavar="ID", help="The training; a prefix of six will do.")],
    profile: options.Profile = None,
    yes: options.Yes = False,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Say no: the training ends and the money returns. No reason is told; there is no place for one."""
    output = Output(format, color)
    from freehold.agents.reading import Reader
    from freehold.cli.asking import confirm
    from freehold.cli.finding import find
    from freehold.cli.opening import opened
    from freehold.protocol.identifiers import CoupleId

    with opened(profile, "data-owner") as member:
        agent = member.data_owner()
        couple = CoupleId(find(member.world.ledger, "couple", id, "training"))
        seen = Reader(member.world.ledger).couple(couple)
        # a no of an interrupted attempt has arrived, or was sent by the agent of this profile
        if not (agent.has_refused(couple) and seen is not None and seen.record.state == "ended"):
            if not confirm(f"Refuse training {short(couple)}?", yes=yes):
                raise PersonNeeded("It stays open.", now="nothing was sent")
            agent.refuse(couple)
    output.result("refusal", {"couple": couple, "refused": True}, lambda: f" {output.symbols.done} refused {couple}")
    return DONE
