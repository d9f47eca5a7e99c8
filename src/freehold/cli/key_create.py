"""`freehold key create`: make the keys of a referee, before the network that will list it is founded."""

import os
from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE
from freehold.cli.output import Output

EXAMPLE = "freehold key create --profile referee"


def key_create(
    profile: Annotated[str, typer.Option("--profile", metavar="NAME", help="The referee's profile.")] = "referee",
    no_passphrase: options.NoPassphrase = False,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Make a referee's keys: one goes into the network record, the other is told to whoever brings a case."""
    output = Output(format, color)
    from freehold.agents.keys import new_ring
    from freehold.cli.new_keys import stored_keys

    ring = stored_keys(profile, "referee", lambda: new_ring("referee", "", os.urandom), bare=no_passphrase)
    keys = ring.members[0]
    document = {"profile": profile, "key": keys.signing_key, "sealing_key": keys.sealing_key}
    output.result(
        "referee",
        document,
        lambda: "\n".join(
            (
                f" key        {keys.signing_key}",
                f" cases to   {keys.sealing_key}",
                f" next       freehold network create DIR --referee {keys.signing_key}",
                f"            then: freehold init referee --network URL --id HEX --profile {profile}",
            )
        ),
    )
    return DONE
