"""`freehold money withdraw AMOUNT`: take money out of the market."""

import sys
from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, PersonNeeded
from freehold.cli.output import Output

EXAMPLE = "freehold money withdraw 12.50"


def money_withdraw(
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="Credits to take out, such as 12.50.")],
    profile: options.Profile = None,
    yes: options.Yes = False,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Take free credits out; where they are paid to is between you and the treasury, off the ledger."""
    output = Output(format, color)
    from freehold.cli.amounts import amount as micro_credits
    from freehold.cli.asking import confirm
    from freehold.cli.exits import Usage
    from freehold.cli.opening import opened
    from freehold.terminal.money import in_credits

    wanted = micro_credits(amount, "AMOUNT")
    if wanted < 1:
        raise Usage("There is nothing to take out.", now="nothing was sent")
    with opened(profile, "data-owner", "cloud-owner", "model-owner") as member:
        purse = member.purse()
        needed, most = purse.givers(wanted)
        if needed > 1 and not output.json:
            print(
                f"It comes from {needed} of your members, one after the other: whoever reads the ledger sees them act\n"
                f"together. One member alone can give at most {in_credits(most)}.",
                file=sys.stderr,
            )
        if not confirm(f"Take {in_credits(wanted)} out of the market?", yes=yes):
            raise PersonNeeded("It stays.", now="nothing was sent")
        attempt = purse.withdraw(wanted)
        output.result("withdrawn", {"amount": wanted}, lambda: f" {output.symbols.done} withdrawn {in_credits(wanted)}")
        purse.told(attempt)
    return DONE
