"""`freehold witness`: cosign checkpoints of ledgers that only grew, so that no operator can show two histories."""

import time
from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, Usage
from freehold.cli.output import Output

EXAMPLE = "freehold witness --folder witness --name witness.example.org --watch NETWORK=OPERATOR"

PORT = 7430
_KEY, _MEMORY = "witness.key", "witness.sqlite"


def witness(
    name: Annotated[str, typer.Option("--name", help="What this witness is called, like an address without a scheme.")],
    watch: Annotated[
        list[str],
        typer.Option("--watch", metavar="NETWORK=OPERATOR", help="A network's id and its operator's key, both hex."),
    ],
    folder: Annotated[
        Path, typer.Option("--folder", metavar="DIR", help="Where its key and its memory lie; made if it is not there.")
    ] = Path("witness"),
    host: Annotated[str, typer.Option("--host", help="The address to listen on; this machine alone if not given.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option("--port", help="The port to listen on; 0 for any free one.")] = PORT,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Watch ledgers for others until Ctrl-C: remember each one's last checkpoint, and sign only what grew out of it."""
    output = Output(format, color)
    import uvicorn

    from freehold.ledger.proofs.cosignature import checked_name, witness_key
    from freehold.ledger.witness import Witness
    from freehold.node.runtime import seed_of
    from freehold.node.server import CalmServer, listen
    from freehold.node.witness_pages import witness_application
    from freehold.protocol import signatures

    seed = seed_of(folder, _KEY)
    key = witness_key(checked_name(name), signatures.public_key(seed))
    watched = dict(map(_pair, watch))
    listener = listen(host, port)
    one = Witness(folder / _MEMORY, name=name, seed=seed, watched=watched, clock=lambda: int(time.time()))
    try:
        application = witness_application(one, key)
        settings = {"ws": "none", "lifespan": "off", "log_config": None, "access_log": False, "server_header": False}
        server = CalmServer(uvicorn.Config(application, **settings))  # type: ignore[arg-type]
        url = "http://{}:{}".format(*listener.getsockname()[:2])
        document = {"url": url, "key": key, "watched": sorted(watched)}
        text = f"witness {name} of {len(watched)} networks at {url}; Ctrl-C ends it\n  key  {key}"
        server.ready = lambda: output.result("witness", document, lambda: text)
        server.run(sockets=[listener])
    finally:
        listener.close()
        one.close()
    return DONE


def _pair(text: str) -> tuple[str, bytes]:
    network, equals, operator = text.partition("=")
    digits = set("0123456789abcdef")
    if not equals or len(network) != 64 or len(operator) != 64 or not set(network + operator) <= digits:
        raise Usage(
            f"--watch takes NETWORK=OPERATOR, both 64 hex characters, and not {text[:140]!r}.",
            next="freehold node prints both when it starts",
        )
    return network, bytes.fromhex(operator)
