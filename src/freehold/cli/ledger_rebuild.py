"""`freehold ledger rebuild DIR`: the cure of a validator that came to another result than the network."""

from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE
from freehold.cli.output import Output

EXAMPLE = "freehold ledger rebuild market"


def ledger_rebuild(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The operator's folder; its node must not run.")],
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Set a validator's records aside and let it execute every block again, once the cause of its error is removed."""
    output = Output(format, color)
    from freehold.ledger.cometbft.client import FILE
    from freehold.ledger.cometbft.supervisor import rebuild
    from freehold.node import consortium

    consortium.own_card(folder)
    rebuild(consortium.cometbft(), folder, folder / FILE)
    document = {"folder": str(folder), "aside": f"{FILE}.diverged"}
    output.result(
        "rebuild",
        document,
        lambda: (
            f"{folder}/{FILE} was set aside as {FILE}.diverged: it shows what went wrong\n"
            f"next      freehold node --network {folder}     executes every block again"
        ),
    )
    return DONE
