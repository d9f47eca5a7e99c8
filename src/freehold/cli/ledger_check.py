"""`freehold ledger check`: is a ledger's file whole to the last byte that counts, and true to the rules?"""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, NO
from freehold.cli.output import Output
from freehold.errors import Invalid

EXAMPLE = "freehold ledger check --network market"

Network = Annotated[Path, typer.Option("--network", metavar="DIR", help="The folder that `network create` made.")]
Checkpoint = Annotated[
    Path | None,
    typer.Option("--checkpoint", readable=False, help="A signed checkpoint that you kept elsewhere: it must fit."),
]


def ledger_check(
    network: Network = Path("market"),
    checkpoint: Checkpoint = None,
    quiet: options.Quiet = False,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Check everything that a ledger's file holds, by itself and by the rules; its node may run meanwhile."""
    output = Output(format, color, quiet=quiet)
    from freehold.cli.ledger_text import checked_document, checked_text, note_of, reported
    from freehold.cli.verify import fault_document, fault_text
    from freehold.contract.host import Contract
    from freehold.ledger.embedded.keeping import check
    from freehold.node.runtime import LEDGER, read_network

    machine, note = Contract(read_network(network)), note_of(checkpoint)
    try:
        with reported(output) as told:
            checked = check(network / LEDGER, machine, note=note, told=told)
    except Invalid as fault:
        output.result("ledger-check", fault_document(fault), partial(fault_text, fault, output))
        return NO
    document = {"valid": True, **checked_document(checked)}
    output.result("ledger-check", document, lambda: checked_text("the ledger is whole", checked, output))
    return DONE
