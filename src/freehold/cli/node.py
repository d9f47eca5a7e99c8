"""`freehold node`: serve a network's ledger and objects to its members."""

import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, Usage
from freehold.cli.output import Output

if TYPE_CHECKING:
    from freehold.ledger.cometbft.client import CometLedger
    from freehold.ledger.embedded.copy import CopiedLedger
    from freehold.ledger.embedded.front import FrontLedger
    from freehold.ledger.fabric.client import FabricLedger
    from freehold.node.lines import Lines
    from freehold.node.settings import Settings

EXAMPLE = "freehold node --network market"

PORT = 7420


def node(
    network: Annotated[
        Path, typer.Option("--network", metavar="DIR", help="The folder that `network create` or `join` made.")
    ] = Path("market"),
    host: Annotated[str, typer.Option("--host", help="The address to listen on; this machine alone if not given.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option("--port", help="The port to listen on; 0 for any free one.")] = PORT,
    url_file: Annotated[
        Path | None, typer.Option("--url-file", help="Written whole with the node's address once it answers.")
    ] = None,
    follow: Annotated[
        str | None,
        typer.Option("--follow", metavar="URL", help="Keep a checked copy of that node's ledger."),
    ] = None,
    id: Annotated[
        str | None, typer.Option("--id", metavar="HEX", help="With --follow, at first: the id of the network you mean.")
    ] = None,
    operator: Annotated[
        str | None,
        typer.Option("--operator", metavar="HEX", help="With --follow, at first: its operator's key."),
    ] = None,
    log: Annotated[
        str | None, typer.Option("--log", help="Lines to stderr: text for people or json; else what node.toml says.")
    ] = None,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Serve the ledger and the objects of a network until Ctrl-C; nothing that was accepted is ever lost.

    With --follow it records nothing itself: it pulls another node's blocks, checks each, and serves them to readers.
    """
    output = Output(format, color)
    from freehold.cli.files import write_whole
    from freehold.errors import Invalid
    from freehold.ledger.embedded.copy import CopiedLedger
    from freehold.node.lines import Lines
    from freehold.node.operation import configured_node, operated, witnessed
    from freehold.node.runtime import open_store
    from freehold.node.settings import read_settings
    from freehold.protocol.network import NetworkRecord, network_id

    if log not in (None, "text", "json"):
        raise Invalid(f"--log is text or json, not {log!r}")
    # Until the server listens to it: the ledger's second process must not outlive this one by a moment.
    signal.signal(signal.SIGTERM, _stop)
    settings = read_settings(network)
    lines = Lines("json" if "json" in (log, settings.log if log is None else log) else "text")
    with _opened(network, settings, follow, id, operator, lines) as ledger, witnessed(ledger, settings) as note:
        info = ledger.info()
        named = network_id(NetworkRecord.parse(info.network))

        def ready(url: str) -> None:
            document = {"url": url, "network": named, "operator": info.operator, "height": info.height}
            output.result(
                "node", document, lambda: f"network {named}\nserved at {url}, {info.height} blocks; Ctrl-C ends it"
            )
            if url_file is not None:
                write_whole(url_file, f"{url}\n".encode())

        # Without executor or validator a node can only tell what it knows: better to end, and be started again.
        store = open_store(network)
        node = configured_node(ledger, store, settings, network, lines, host=host, port=port, witnessed=note)
        if not isinstance(ledger, CopiedLedger):
            ledger.when_lost(node.stop)
        with operated(node, settings, lines):
            node.run(ready)
        if not isinstance(ledger, CopiedLedger) and ledger.trouble is not None:
            raise ledger.trouble
    return DONE


def _stop(_: int, __: object) -> None:
    raise SystemExit(DONE)


@contextmanager
def _opened(
    network: Path, settings: "Settings", follow: str | None, id: str | None, operator: str | None, lines: "Lines"
) -> "Iterator[FrontLedger | CometLedger | FabricLedger | CopiedLedger]":
    """The ledger in a folder, alone or with other operators, or the copy that follows another node."""
    from freehold.node import consortium
    from freehold.node.organisation import is_organisation, open_organisation

    if follow is None and consortium.is_consortium(network):
        joining = None if settings.joining is None else settings.joining.joining()
        light = settings.light or ""
        with closing(consortium.start(consortium.cometbft(), network, light=light, joining=joining)) as validator:
            yield validator
        return
    if follow is None and is_organisation(network):
        with closing(open_organisation(network)) as organisation:
            yield organisation
        return
    if follow is None:
        from freehold.node.runtime import open_ledger

        with open_ledger(network) as ledger:
            yield ledger
        return
    from freehold.cli.addresses import address
    from freehold.ledger.remote import RemoteLedger
    from freehold.node.copies import begin_copy, open_copy
    from freehold.node.runtime import RECORD

    if not (network / RECORD).exists() and (id is None or operator is None):
        raise Usage(
            "A new copy needs --id and --operator: whose ledger it is to be, by the word of somebody you trust.",
            next="the node that you follow prints both when it starts",
        )
    leader = RemoteLedger(address(follow, "--follow"))
    with closing(leader):
        if id is not None and operator is not None:
            begin_copy(network, leader, network=id, operator=operator)
        with open_copy(
            network, leader, follow, lambda line: lines.tell("following", level="warning", what=line)
        ) as copy:
            yield copy
