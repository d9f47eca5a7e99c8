"""Running a node for long: descriptors, what libraries log, and the lines at its start and end."""

from __future__ import annotations

import logging
import resource
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from freehold.errors import FreeholdError, Invalid
from freehold.ledger.proofs.cosignature import parse_witness_key
from freehold.node.http_connections import CUT_OFF
from freehold.node.lines import AsLines, Lines
from freehold.node.operators import operators_page
from freehold.node.readers import Readers
from freehold.node.server import Node
from freehold.node.settings import Settings, tls_context
from freehold.node.witnessing import AskedWitness, Witnessing
from freehold.objects.folder import FolderStore
from freehold.ports.ledger import Engine

_OTHER_DESCRIPTORS = 256
"""For the files, the sockets between the processes, and objects that are being read."""


def configured_node(
    engine: Engine,
    store: FolderStore,
    settings: Settings,
    folder: Path,
    lines: Lines,
    *,
    host: str,
    port: int,
    witnessed: Callable[[], str] = lambda: "",
) -> Node:
    """The node that the settings in `folder` describe; Invalid if they cannot be met on this machine."""
    _room_for(settings.connections, lines)
    return Node(
        engine,
        store,
        host=host,
        port=port,
        places=settings.places(),
        rates=settings.rates(),
        lines=lines,
        tls=None if settings.tls is None else tls_context(settings.tls, folder),
        proxies=settings.proxies,
        witnessed=witnessed,
        readers=Readers(engine, settings.readers) if settings.reads == "members" else None,
    )


@contextmanager
def witnessed(engine: Engine, settings: Settings) -> Iterator[Callable[[], str]]:
    """Asks the witnesses of the settings while the block runs; what it gives tells the newest witnessed checkpoint."""
    if not settings.witness:
        yield lambda: ""
        return
    keys = [parse_witness_key(each.key) for each in settings.witness]
    asked = [
        AskedWitness(url=each.url, name=name, key=key) for each, (name, key) in zip(settings.witness, keys, strict=True)
    ]
    with closing(Witnessing(engine, asked, settings.quorum)) as asking:
        yield asking.note


@contextmanager
def operated(node: Node, settings: Settings, lines: Lines) -> Iterator[str | None]:
    """Serves the operators' pages and writes what happens as lines while the block runs; gives the pages' URL."""
    handler = AsLines(lines)
    root = logging.getLogger()
    root.addHandler(handler)
    with ExitStack() as stack:
        stack.callback(root.removeHandler, handler)
        pages = None if settings.operators is None else stack.enter_context(operators_page(node, settings.operators))
        lines.tell("started", url=node.url, operators=pages, connections=settings.connections)
        try:
            yield pages
        except FreeholdError as error:
            lines.tell("failed", level="error", what=error.what, next=error.next)
            raise
        finally:
            lines.tell("stopped", accepted=node.condition.accepted, refused=node.condition.refused)


def _room_for(connections: int, lines: Lines) -> None:
    """Raises the limit of descriptors to what the connections need."""
    needed = connections + CUT_OFF + _OTHER_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= needed or soft == resource.RLIM_INFINITY:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise Invalid(
            f"{connections} connections need {needed} descriptors, and this process may have {hard}",
            next="raise the limit (LimitNOFILE= of the service, ulimit -n), or set fewer connections in node.toml",
            now="nothing was started",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    lines.tell("descriptors raised", before=soft, now=needed)
