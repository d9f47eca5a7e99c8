"""`freehold ledger restore FILE`: put a copy in the place of a ledger that is gone."""

from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE
from freehold.cli.ledger_check import Checkpoint, Network
from freehold.cli.output import Output

EXAMPLE = "freehold ledger restore monday.sqlite --network market --checkpoint newest.txt"


def ledger_restore(
    file: Annotated[Path, typer.Argument(help="A copy that `ledger backup` made.", readable=False)],
    network: Network = Path("market"),
    checkpoint: Checkpoint = None,
    quiet: options.Quiet = False,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Check a copy and put it where the ledger was. With your newest checkpoint you learn whether it is new enough."""
    output = Output(format, color, quiet=quiet)
    from freehold.cli.ledger_text import checked_document, checked_text, note_of, reported
    from freehold.contract.host import Contract
    from freehold.ledger.embedded.keeping import restore
    from freehold.node.runtime import LEDGER, operator_seed, read_network
    from freehold.protocol import signatures

    machine, note = Contract(read_network(network)), note_of(checkpoint)
    operator = signatures.public_key(operator_seed(network))
    with reported(output) as told:
        checked = restore(file, network / LEDGER, machine, operator, note=note, told=told)
    text = checked_text(f"{network / LEDGER} is back", checked, output)
    if note is None:
        text += "\n  no checkpoint was given: if members have seen more than this, their agents stop and say so"
    document = {"checkpoint_was_named": note is not None, **checked_document(checked)}
    output.result("ledger-restore", document, lambda: text)
    return DONE
