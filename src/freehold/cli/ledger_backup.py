"""`freehold ledger backup FILE`: a checked copy of a ledger, while its node goes on."""

from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE
from freehold.cli.ledger_check import Network
from freehold.cli.output import Output

EXAMPLE = "freehold ledger backup monday.sqlite --network market"


def ledger_backup(
    file: Annotated[Path, typer.Argument(help="Where the copy is to lie; nothing may lie there yet.", readable=False)],
    network: Network = Path("market"),
    quiet: options.Quiet = False,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Copy a ledger as it is at one moment, and check the copy; the node may run. Keys and objects are not in it."""
    output = Output(format, color, quiet=quiet)
    from freehold.cli.ledger_text import checked_document, checked_text, reported
    from freehold.contract.host import Contract
    from freehold.ledger.embedded.keeping import back_up
    from freehold.node.runtime import LEDGER, read_network

    machine = Contract(read_network(network))
    with reported(output) as told:
        checked = back_up(network / LEDGER, file, machine, told=told)
    document = {"file": str(file), **checked_document(checked)}
    output.result("ledger-backup", document, lambda: checked_text(f"{file} is a whole copy", checked, output))
    return DONE
