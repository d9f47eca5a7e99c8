"""`freehold network develop DIR`: run the development network of Fabric that `network create --fabric` made."""

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE
from freehold.cli.output import Output

EXAMPLE = "freehold network develop market"


def network_develop(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that `network create --fabric` made.")],
    ready_file: Annotated[
        Path | None, typer.Option("--ready-file", help="Written once the network takes actions.")
    ] = None,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Run two organisations of Hyperledger Fabric on this machine until Ctrl-C: peers, orderers and chaincodes."""
    output = Output(format, color)
    from freehold.cli.files import write_whole
    from freehold.node.development import developing

    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked.set())
    signal.signal(signal.SIGINT, lambda *_: asked.set())
    with developing(folder) as network:
        document = {"folder": str(folder), "processes": list(network.names), "fabric": network.layout.line}
        output.result(
            "fabric",
            document,
            lambda: f"Fabric {network.layout.line}, {network.layout.ordering}: {len(network.names)} processes; Ctrl-C",
        )
        if ready_file is not None:
            write_whole(ready_file, b"ready\n")
        while not asked.wait(1.0):
            network.processes.check()
    return DONE
