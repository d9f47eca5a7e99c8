"""`freehold cloud open`: make fresh members that hold subsets, within limits that their owner states."""

import os
from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, Usage
from freehold.cli.output import Output

EXAMPLE = "freehold cloud open --slots 4 --max-stake 50"


def cloud_open(
    slots: Annotated[int, typer.Option("--slots", help="How many fresh members to make; each holds one subset.")] = 1,
    min_price_job: Annotated[
        str | None, typer.Option("--min-price-job", metavar="AMOUNT", help="The least pay for a job.")
    ] = None,
    max_stake: Annotated[
        str | None, typer.Option("--max-stake", metavar="AMOUNT", help="The most stake to lock for one subset.")
    ] = None,
    max_rows: Annotated[int | None, typer.Option("--max-rows", help="The largest table to take.")] = None,
    max_features: Annotated[int | None, typer.Option("--max-features", help="The widest map to compute with.")] = None,
    spread: Annotated[
        str | None,
        typer.Option("--spread", metavar="TIME", help="Over how long members strew joining, collecting: 6h."),
    ] = None,
    profile: options.Profile = None,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Open slots: fresh members that have no key in common; offers within your limits are taken while `up` runs."""
    output = Output(format, color)
    if slots < 1:
        raise Usage("--slots is at least 1.", now="nothing was written")
    from freehold.agents.key_file import KeyFile
    from freehold.cli.amounts import amount
    from freehold.cli.asking import passphrase
    from freehold.cli.opening import configuration, profile_name
    from freehold.cli.times import duration
    from freehold.node.configuration import configuration_path, set_values
    from freehold.node.folders import key_path
    from freehold.protocol.identifiers import NetworkId

    known = configuration()
    name = profile_name(known, profile, "cloud-owner")
    limits = {
        "min_price_job": None if min_price_job is None else amount(min_price_job, "--min-price-job"),
        "max_stake": None if max_stake is None else amount(max_stake, "--max-stake"),
        "max_rows": max_rows,
        "max_features": max_features,
        "spread": None if spread is None else duration(spread, "--spread"),
    }
    stated = {key: value for key, value in limits.items() if value is not None}
    if stated:
        set_values(configuration_path(os.environ), "cloud", stated)
    keys = KeyFile(key_path(name, known.profile(name)), passphrase)
    ring = keys.add_members(slots, os.urandom)
    network = NetworkId(known.network(known.profile(name).network).id)
    members: list[str] = [each.id_in("co", network) for each in ring.members]
    document = {"profile": name, "members": members, "opened": members[-slots:]}
    output.result("cloud", document, lambda: _text(members, slots, name))
    return DONE


def _text(members: list[str], slots: int, name: str) -> str:
    opened = ", ".join(member[:8] for member in members[-slots:])
    return f"{slots} opened: {opened}; {len(members)} in all\nnext    freehold up --headless --profile {name}"
