"""`freehold audit LEDGER --couple ID`: replay a ledger, answer the eight questions, write the evidence."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, NO, Usage
from freehold.cli.output import Output
from freehold.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from freehold.agents.auditor.evidence import Recording

EXAMPLE = "freehold audit ledger.sqlite --couple 41d0a7c2 --out evidence.json"


def audit(
    ledger: Annotated[str, typer.Argument(metavar="LEDGER|URL", help="A ledger's file, or the address of a node.")],
    couple: Annotated[str, typer.Option("--couple", metavar="ID", help="The training; a prefix of six will do.")],
    out: Annotated[Path | None, typer.Option("--out", help="Where the evidence is written.")] = None,
    network: Annotated[
        str | None, typer.Option("--network", metavar="HEX", help="The id of the network that you mean.")
    ] = None,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Replay a ledger from its first action, check every rule again, and write evidence that anyone can verify."""
    output = Output(format, color)
    from dataclasses import asdict

    from freehold.agents.auditor import evidence as files
    from freehold.agents.auditor import verify as auditor
    from freehold.cli.account_text import report_text
    from freehold.cli.files import write_whole
    from freehold.cli.naming import one_of
    from freehold.cli.verify import checked_network, fault_document, fault_text
    from freehold.protocol.assets import TrainCouple
    from freehold.protocol.identifiers import CoupleId

    network = checked_network(network)
    if out is not None and out.exists() and Path(ledger).exists() and out.samefile(ledger):
        raise Usage("The evidence cannot take the place of the ledger.", next="name another file with --out")
    source = _source(ledger)
    try:
        recording = source()
        replayed = auditor.check(recording, network=network)
    except Invalid as fault:
        output.result("audit", fault_document(fault), partial(fault_text, fault, output))
        return NO
    id = CoupleId(one_of(couple, [known for known, _ in replayed.history.every(TrainCouple)], "training"))
    report = auditor.report_on(replayed, id, network=network)
    if out is not None:
        write_whole(out, files.encode(files.Evidence(recording=recording, couple=id)))
    document = {"valid": True, "evidence": None if out is None else str(out), **asdict(report)}
    written = (
        "" if out is None else f"\n\nevidence   {out}   check it: freehold verify {out} --network {report.network}"
    )
    output.result("audit", document, lambda: report_text(report, output) + written)
    return DONE


def _source(ledger: str) -> "Callable[[], Recording]":
    """What reads the whole history; Usage for an address that cannot be one."""
    from freehold.agents.auditor import evidence as files

    if ledger.startswith(("http://", "https://")):
        from freehold.cli.addresses import address
        from freehold.ledger.remote import RemoteLedger

        remote = RemoteLedger(address(ledger, "LEDGER"))
        return partial(files.record, remote)
    return partial(files.read_ledger_file, Path(ledger))
