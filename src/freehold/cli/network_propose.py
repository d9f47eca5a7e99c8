"""`freehold network propose DIR`: propose who is to be an operator, or who is to be one no more."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, Usage
from freehold.cli.output import Output

EXAMPLE = "freehold network propose market --card operator.json"

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="This operator's own folder.")]
Url = Annotated[str, typer.Option("--url", help="A node that serves the network, such as this operator's.")]


def network_propose(
    folder: Folder,
    card: Annotated[
        Path | None,
        typer.Option("--card", readable=False, help="A card: of somebody who is to join, or an operator's new one."),
    ] = None,
    leaves: Annotated[
        str | None, typer.Option("--leaves", metavar="KEY", help="The key of an operator who is to leave.")
    ] = None,
    url: Url = "http://127.0.0.1:7420",
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Propose a change among the operators, and approve it; it comes into force once more than two thirds approve."""
    output = Output(format, color)
    from freehold.cli.addresses import address
    from freehold.cli.naming import one_of
    from freehold.ledger.remote import RemoteLedger
    from freehold.node import consortium, council
    from freehold.protocol.identifiers import PublicKey

    if (card is None) == (leaves is None):
        raise Usage("Either somebody joins or somebody leaves.", next="--card FILE or --leaves KEY")
    with closing(RemoteLedger(address(url, "--url"))) as ledger:
        if card is not None:
            proposed = consortium.read_card_file(card)
            accepted = council.propose(ledger, folder, proposed.key, proposed)
        else:
            known = [each["key"] for each in council.operators(ledger)]
            accepted = council.propose(ledger, folder, PublicKey(one_of(leaves or "", known, "operator")), None)
        open_now = [each["id"] for each in council.proposals(ledger)]
    document = {"proposal": accepted.id, "decided": accepted.id not in open_now}
    output.result("proposal", document, lambda: proposal_text(accepted.id, accepted.id not in open_now))
    return DONE


def proposal_text(id: str, decided: bool) -> str:
    """What became of a proposal."""
    if decided:
        return f"proposal  {id}\n          more than two thirds approve: it is in force from the next blocks on"
    return f"proposal  {id}\nnext      the other operators: freehold network vote DIR {id[:8]}"
