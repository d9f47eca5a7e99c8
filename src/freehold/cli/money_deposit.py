"""`freehold money deposit MEMBER AMOUNT`: credit a member with what the treasury received for it."""

from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, PersonNeeded
from freehold.cli.output import Output, short

EXAMPLE = "freehold money deposit 8e2f41 100"


def money_deposit(
    payee: Annotated[str, typer.Argument(metavar="MEMBER", help="Who is credited; a prefix of six will do.")],
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="Credits, such as 100.")],
    profile: options.Profile = None,
    yes: options.Yes = False,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Credit a member, as the treasury. Typed again after a crash it credits nobody twice."""
    output = Output(format, color)
    from freehold.cli.amounts import amount as micro_credits
    from freehold.cli.asking import confirm
    from freehold.cli.exits import Usage
    from freehold.cli.finding import find
    from freehold.cli.opening import opened
    from freehold.protocol.identifiers import MemberId
    from freehold.terminal.money import in_credits

    wanted = micro_credits(amount, "AMOUNT")
    if wanted < 1:
        raise Usage("There is nothing to credit.", now="nothing was sent")
    with opened(profile, "treasury") as treasury:
        member = MemberId(find(treasury.world.ledger, "member", payee, "member"))
        if not confirm(f"Credit member {short(member)} with {in_credits(wanted)}?", yes=yes):
            raise PersonNeeded("Nobody was credited.", now="nothing was sent")
        purse = treasury.purse()
        attempt = purse.deposit(member, wanted)
        output.result(
            "deposit",
            {"member": member, "amount": wanted},
            lambda: f" {output.symbols.done} credited {member} with {in_credits(wanted)}",
        )
        purse.told(attempt)
    return DONE
