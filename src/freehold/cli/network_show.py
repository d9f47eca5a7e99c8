"""`freehold network show`: who runs a ledger, and what its operators have proposed."""

from contextlib import closing
from typing import Annotated, Any

import typer

from freehold.cli import options
from freehold.cli.exits import DONE
from freehold.cli.output import Output

EXAMPLE = "freehold network show http://127.0.0.1:7420"


def network_show(
    url: Annotated[str, typer.Argument(metavar="URL", help="A node's address.")] = "http://127.0.0.1:7420",
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Show a node's network: its id, how far it has come, its operators, and what waits for their votes."""
    output = Output(format, color)
    from freehold.cli.addresses import address
    from freehold.ledger.remote import RemoteLedger
    from freehold.node import council
    from freehold.protocol.network import NetworkRecord, network_id

    with closing(RemoteLedger(address(url, "URL"))) as ledger:
        info = ledger.info()
        document: dict[str, Any] = {
            "network": network_id(NetworkRecord.parse(info.network)),
            "height": info.height,
            "actions": info.size,
            "operator": info.operator,
            "operators": council.operators(ledger),
            "proposals": council.proposals(ledger),
        }
    output.result("network", document, lambda: _text(document))
    return DONE


def _text(document: dict[str, Any]) -> str:
    operators, proposals = document["operators"], document["proposals"]
    lines = [f"network    {document['network']}", f"           {document['actions']:,} actions"]
    if not operators:
        lines.append(f"operator   {document['operator']}")
    for place, each in enumerate(operators):
        lines.append(f"{'operators' if not place else '':<11}{each['key'][:16]}  {each['address']}")
    for place, each in enumerate(proposals):
        card, present = each.get("card"), [known["key"] for known in operators]
        what = "leaves" if card is None else "changes its card" if each["operator"] in present else "joins"
        lines.append(
            f"{'proposed' if not place else '':<11}{each['id'][:16]}  {each['operator'][:16]} {what}, "
            f"{len(set(each['approvals']) & set(present))} of {len(present)} approve"
        )
    return "\n".join(lines)
