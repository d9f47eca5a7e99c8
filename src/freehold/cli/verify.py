"""`freehold verify FILE`: is this evidence whole and true to the rules, and what does it show?"""

import os
import stat
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, NO, Usage
from freehold.cli.output import Output
from freehold.errors import FreeholdError, Invalid, Unavailable
from freehold.terminal.symbols import plain

EXAMPLE = "freehold verify evidence.json"

_ID_LENGTH = 64
_LONGEST = 400
"""Characters of one part of a fault that are shown."""


def verify(
    file: Annotated[Path, typer.Argument(help="The evidence file.", readable=False)],
    network: Annotated[
        str | None, typer.Option("--network", metavar="HEX", help="The id of the network that you mean.")
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", readable=False, help="A signed checkpoint that you kept from elsewhere."),
    ] = None,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Check an evidence file offline: its signatures, its chain, every rule again, the money; say what it shows."""
    output = Output(format, color)
    network = checked_network(network)
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


def checked_network(id: str | None) -> str | None:
    """The network's id as it was given, in small letters; Usage for what cannot be one."""
    wanted = id if id is None else id.strip().lower()
    if wanted is not None and (len(wanted) != _ID_LENGTH or not set(wanted) <= set("0123456789abcdef")):
        raise Usage(
            "--network takes the 64 hexadecimal characters of a network's id.",
            next="ask somebody you trust for the whole id, not the beginning of it",
            now="nothing was checked",
        )
    return wanted


def _read(file: Path, largest: int) -> bytes:
    """At most one byte more than `largest` of a file; a pipe or a device, which may never end, is not one."""
    try:
        with open(file, "rb", opener=_without_waiting) as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise _unreadable(file, "it is not a file")
            return stream.read(largest + 1)
    except OSError as error:
        raise _unreadable(file, error.strerror or str(error)) from None


def _without_waiting(path: str, flags: int) -> int:
    # opening a pipe waits for somebody who writes to it
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _unreadable(file: Path, why: str) -> Unavailable:
    return Unavailable(f"{file} cannot be read: {why}.", code="file", next="name an evidence file", retry=False)


def _note(checkpoint: Path | None) -> str | None:
    if checkpoint is None:
        return None
    from freehold.ledger.proofs.checkpoint import LARGEST

    try:
        return _read(checkpoint, LARGEST).decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid(
            f"{checkpoint} is not a checkpoint: it is not text.", code="checkpoint", next="name a signed checkpoint"
        ) from None


def fault_document(fault: FreeholdError) -> dict[str, object]:
    """The first thing that is wrong, as a document."""
    return {"valid": False, "fault": {"code": fault.code, "what": fault.what, "why": fault.why, "next": fault.next}}


def fault_text(fault: FreeholdError, output: Output) -> str:
    """The first thing that is wrong, in words."""
    lines = [f"{output.ink.warn(output.symbols.failed)} {plain(fault.what, _LONGEST)}"]
    lines += [f"  why   {plain(fault.why, _LONGEST)}"] if fault.why else []
    lines += [f"  next  {plain(fault.next, _LONGEST)}"] if fault.next else []
    lines.append("  This is the first thing that is wrong; nothing in the file can be relied on.")
    return "\n".join(lines)
