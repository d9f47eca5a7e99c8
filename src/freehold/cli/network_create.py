"""`freehold network create DIR`: found a market of one operator, with a treasury that welcomes new members."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, Usage
from freehold.cli.output import Output

if TYPE_CHECKING:
    from freehold.errors import Invalid
    from freehold.protocol.network import NetworkRecord

EXAMPLE = "freehold network create market --welcome-model-owner 100"

_STORE = "main"


def network_create(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the new network.")],
    operators: Annotated[int, typer.Option("--operators", help="How many operators run the ledger together.")] = 1,
    skew: Annotated[str, typer.Option("--skew", metavar="TIME", help="How far clocks may be apart.")] = "30s",
    grace: Annotated[
        str | None, typer.Option("--grace", metavar="TIME", help="What a deadline's passing waits for; twice the skew.")
    ] = None,
    referee: Annotated[
        list[str] | None, typer.Option("--referee", metavar="KEY", help="The public key of a referee; may be repeated.")
    ] = None,
    welcome_model_owner: Annotated[
        str | None, typer.Option("--welcome-model-owner", metavar="AMOUNT", help="Credits for a new model owner.")
    ] = None,
    welcome_cloud_owner: Annotated[
        str | None, typer.Option("--welcome-cloud-owner", metavar="AMOUNT", help="Credits for a new cloud owner.")
    ] = None,
    welcome_data_owner: Annotated[
        str | None, typer.Option("--welcome-data-owner", metavar="AMOUNT", help="Credits for a new data owner.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="What this network is called on this machine.")] = "market",
    url: Annotated[str, typer.Option("--url", help="Where its node will be served.")] = "http://127.0.0.1:7420",
    profile: Annotated[str, typer.Option("--profile", metavar="NAME", help="The treasury's profile.")] = "treasury",
    no_passphrase: options.NoPassphrase = False,
    yes: options.Yes = False,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Found a network: its record, the key that signs its blocks, and the treasury's profile on this machine."""
    output = Output(format, color)
    if operators != 1:
        raise Usage("A ledger of several operators is not part of this version.", next="leave --operators at 1")
    from freehold.agents.keys import new_ring
    from freehold.cli.addresses import address
    from freehold.cli.amounts import amount
    from freehold.cli.new_keys import stored_keys
    from freehold.cli.times import duration
    from freehold.node.configuration import Network, Profile, Store, add_table, configuration_path, set_values
    from freehold.protocol.network import NetworkRecord

    url = address(url, "--url")
    welcome = {
        "welcome_model_owner": amount(welcome_model_owner or "0", "--welcome-model-owner"),
        "welcome_cloud_owner": amount(welcome_cloud_owner or "0", "--welcome-cloud-owner"),
        "welcome_data_owner": amount(welcome_data_owner or "0", "--welcome-data-owner"),
    }
    skew_ms = duration(skew, "--skew")
    record_of = {
        "grace": 2 * skew_ms if grace is None else duration(grace, "--grace"),
        "nonce": os.urandom(32).hex(),
        "referees": sorted(set(referee or ())),
        "skew": skew_ms,
        "stores": [_STORE],
    }
    _require_new(folder, profile, name)
    ring = stored_keys(profile, "treasury", lambda: new_ring("treasury", "", os.urandom), bare=no_passphrase)
    record = NetworkRecord.parse(_canonical({**record_of, "treasury": ring.members[0].signing_key}))
    id = _founded(folder, record)
    path = configuration_path(os.environ)
    add_table(path, "networks", name, Network(id=id, nodes=(url,)))
    add_table(path, "stores", _STORE, Store(url=url))
    set_values(path, "treasury", welcome)
    # the profile comes last: whoever has one has all that belongs to it
    add_table(path, "profiles", profile, Profile(role="treasury", network=name))
    document = {"network": id, "name": name, "folder": str(folder), "profile": profile, "url": url, "welcome": welcome}
    output.result("network", document, lambda: _text(folder, id, name, url, profile))
    return DONE


def _require_new(folder: Path, profile: str, name: str) -> None:
    """Invalid if a network, a profile or a name is there already that is no part of an interrupted attempt."""
    from freehold.cli.opening import configuration
    from freehold.errors import Invalid
    from freehold.node.folders import profile_folder
    from freehold.node.runtime import RECORD, read_network
    from freehold.protocol.network import network_id

    known = configuration()
    founded = (folder / RECORD).exists()
    if founded and (profile in known.profiles or not (profile_folder(profile) / "key").exists()):
        raise _holds_a_network(folder)
    if profile in known.profiles:
        raise Invalid(f"You have a profile {profile} already.", next="--profile NAME", now="nothing was written")
    if name in known.networks and not (founded and known.networks[name].id == network_id(read_network(folder))):
        raise Invalid(f"You know a network {name} already.", next="--name NAME", now="nothing was written")


def _founded(folder: Path, record: "NetworkRecord") -> str:
    """The id of the network, made now, or by an attempt that was interrupted after it had written the same record."""
    from msgspec.structs import replace

    from freehold.node.runtime import RECORD, found_network, read_network
    from freehold.protocol.network import network_id

    if not (folder / RECORD).exists():
        return found_network(folder, record)
    earlier = read_network(folder)
    if replace(earlier, nonce=record.nonce) != record:
        raise _holds_a_network(folder)
    return network_id(earlier)


def _holds_a_network(folder: Path) -> "Invalid":
    from freehold.errors import Invalid

    return Invalid(f"{folder} holds a network already.", next="give another folder", now="nothing was written")


def _canonical(value: dict[str, object]) -> bytes:
    from freehold.protocol import canonical

    return canonical.encode(value)


def _text(folder: Path, id: str, name: str, url: str, profile: str) -> str:
    from freehold.cli.addresses import port_of
    from freehold.cli.node import PORT

    # a node knows no address but the one it is told: members would look for it where it does not listen
    listens = "" if port_of(url) in (None, PORT) else f" --port {port_of(url)}"
    return "\n".join(
        (
            f"network   {id}",
            f"          its members pin this id; {folder}/operator.key signs its blocks and stays here",
            f"next      freehold node --network {folder}{listens}          serves it, at {url}",
            f"          freehold up --headless --profile {profile}     welcomes new members",
            f"          others: freehold init ROLE --network {url} --id {id}",
        )
    )
