"""`freehold network vote DIR PROPOSAL`: approve what another operator has proposed."""

from contextlib import closing
from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE
from freehold.cli.network_propose import Folder, Url, proposal_text
from freehold.cli.output import Output

EXAMPLE = "freehold network vote market 41d0a7c2"


def network_vote(
    folder: Folder,
    proposal: Annotated[str, typer.Argument(metavar="PROPOSAL", help="Its id; a prefix of six will do.")],
    url: Url = "http://127.0.0.1:7420",
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Approve a proposal as an operator; whoever is against it does nothing."""
    output = Output(format, color)
    from freehold.cli.addresses import address
    from freehold.cli.naming import one_of
    from freehold.ledger.remote import RemoteLedger
    from freehold.node import council
    from freehold.protocol.identifiers import ProposalId

    with closing(RemoteLedger(address(url, "--url"))) as ledger:
        id = one_of(proposal, [each["id"] for each in council.proposals(ledger)], "proposal")
        council.approve(ledger, folder, ProposalId(id))
        decided = id not in [each["id"] for each in council.proposals(ledger)]
    output.result("proposal", {"proposal": id, "decided": decided}, lambda: proposal_text(id, decided))
    return DONE
