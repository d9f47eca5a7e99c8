"""`freehold node`: serve a network's ledger and objects to its members."""

from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE
from freehold.cli.output import Output

EXAMPLE = "freehold node --network market"

PORT = 7420


def node(
    network: Annotated[
        Path, typer.Option("--network", metavar="DIR", help="The folder that `network create` made.")
    ] = Path("market"),
    host: Annotated[str, typer.Option("--host", help="The address to listen on; this machine alone if not given.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option("--port", help="The port to listen on; 0 for any free one.")] = PORT,
    url_file: Annotated[
        Path | None, typer.Option("--url-file", help="Written whole with the node's address once it answers.")
    ] = None,
    log: Annotated[
        str | None, typer.Option("--log", help="Lines to stderr: text for people or json; else what node.toml says.")
    ] = None,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Serve the ledger and the objects of a network until Ctrl-C; nothing that was accepted is ever lost."""
    output = Output(format, color)
    from freehold.cli.files import write_whole
    from freehold.errors import Invalid
    from freehold.node.lines import Lines
    from freehold.node.operation import configured_node, operated
    from freehold.node.runtime import open_ledger, open_store
    from freehold.node.settings import read_settings
    from freehold.protocol.network import NetworkRecord, network_id

    if log not in (None, "text", "json"):
        raise Invalid(f"--log is text or json, not {log!r}")
    settings = read_settings(network)
    lines = Lines("json" if "json" in (log, settings.log if log is None else log) else "text")
    with open_ledger(network) as ledger:
        info = ledger.info()
        id = network_id(NetworkRecord.parse(info.network))

        def ready(url: str) -> None:
            document = {"url": url, "network": id, "operator": info.operator, "height": info.height}
            output.result(
                "node", document, lambda: f"network {id}\nserved at {url}, {info.height} blocks; Ctrl-C ends it"
            )
            if url_file is not None:
                write_whole(url_file, f"{url}\n".encode())

        # Without its executor a node can only tell what it knows: better to end, so that a service starts it again.
        node = configured_node(ledger, open_store(network), settings, network, lines, host=host, port=port)
        ledger.when_lost(node.stop)
        with operated(node, settings, lines):
            node.run(ready)
        if ledger.trouble is not None:
            raise ledger.trouble
    return DONE
