"""`freehold ledger promote`: make a copy the ledger itself when its operator is gone."""

from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, Usage
from freehold.cli.output import Output

EXAMPLE = "freehold ledger promote --network copy --key operator.key --checkpoint note.txt --witness KEY --quorum 1"


def ledger_promote(
    key: Annotated[Path, typer.Option("--key", help="The operator's key as deposited.", readable=False)],
    checkpoint: Annotated[
        Path,
        typer.Option("--checkpoint", readable=False, help="The newest checkpoint that the witnesses cosigned."),
    ],
    witness: Annotated[list[str], typer.Option("--witness", metavar="KEY", help="A witness's public key; repeat it.")],
    quorum: Annotated[int, typer.Option("--quorum", min=1, help="How many witnesses must have cosigned it.")],
    network: Annotated[Path, typer.Option("--network", metavar="DIR", help="The folder of the copy.")] = Path("market"),
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Check that a copy holds all that was acknowledged to a quorum of witnesses, and let it record from now on."""
    output = Output(format, color)
    from freehold.cli.ledger_text import note_of
    from freehold.ledger.proofs.cosignature import parse_witness_key
    from freehold.node.copies import promote

    witnesses = dict(map(parse_witness_key, witness))
    if quorum > len(witnesses):
        raise Usage(f"{quorum} of {len(witnesses)} witnesses cannot be asked for.", next="name more witnesses")
    note = note_of(checkpoint) or ""
    kept = promote(network, key, note, witnesses, quorum)
    document = {"network": kept.network_id, "witnessed": kept.size}
    output.result(
        "ledger-promote",
        document,
        lambda: (
            f"{network} holds all {kept.size} actions that {quorum} witnesses have seen, and is the ledger now\n"
            f"  next  make sure that the old node never runs again, then: freehold node --network {network}"
        ),
    )
    return DONE
