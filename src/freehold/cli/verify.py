"""`freehold verify FILE`: is this evidence whole and true to the rules, and what does it show?"""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, NO
from freehold.cli.output import Output
from freehold.errors import FreeholdError, Invalid, Unavailable

EXAMPLE = "freehold verify evidence.json"


def verify(
    file: Annotated[Path, typer.Argument(help="The evidence file.")],
    network: Annotated[
        str | None, typer.Option("--network", metavar="HEX", help="The id of the network that you mean.")
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="A signed checkpoint that you kept from elsewhere.")
    ] = None,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Check an evidence file offline: its signatures, its chain, every rule again, the money; say what it shows."""
    output = Output(format, color)
    from freehold.agents.auditor.evidence import LARGEST

    data = _read(file, LARGEST)
    note = _note(checkpoint)
    from dataclasses import asdict

    from freehold.agents.auditor import verify as auditor
    from freehold.cli.account_text import report_text

    try:
        report = auditor.verify(data, network=network, checkpoint=note)
    except Invalid as fault:
        output.result("verification", fault_document(fault), partial(fault_text, fault, output))
        return NO
    output.result("verification", {"valid": True, **asdict(report)}, partial(report_text, report, output))
    return DONE


def _read(file: Path, largest: int) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(largest + 1)
    except OSError as error:
        raise Unavailable(
            f"{file} cannot be read: {error.strerror}.", code="file", next="name an evidence file", retry=False
        ) from None


def _note(checkpoint: Path | None) -> str | None:
    if checkpoint is None:
        return None
    from freehold.ledger.proofs.checkpoint import LARGEST

    try:
        return _read(checkpoint, LARGEST).decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid(f"{checkpoint} is not a checkpoint: it is not text.", next="name a signed checkpoint") from None


def fault_document(fault: FreeholdError) -> dict[str, object]:
    """The first thing that is wrong, as a document."""
    return {"valid": False, "fault": {"code": fault.code, "what": fault.what, "why": fault.why, "next": fault.next}}


def fault_text(fault: FreeholdError, output: Output) -> str:
    """The first thing that is wrong, in words."""
    lines = [f"{output.ink.warn(output.symbols.failed)} {fault.what}"]
    lines += [f"  why   {fault.why}"] if fault.why else []
    lines += [f"  next  {fault.next}"] if fault.next else []
    lines.append("  This is the first thing that is wrong; nothing in the file can be relied on.")
    return "\n".join(lines)
