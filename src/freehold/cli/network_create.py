"""`freehold network create DIR`: found a market, with a treasury that welcomes new members.

One operator signs the blocks, or several run the ledger together: from the cards that they handed over, or, to try it,
as folders on this machine.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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
    operators: Annotated[
        int | None,
        typer.Option(
            "--operators", min=1, max=32, help="How many operators run the ledger together; one if not given."
        ),
    ] = None,
    card: Annotated[
        list[Path] | None,
        typer.Option("--card", readable=False, help="What `network join` made for an operator; one for each of them."),
    ] = None,
    first_port: Annotated[
        int,
        typer.Option("--first-port", min=1, max=65_000, help="Without cards: where the first node meets the others."),
    ] = 26_656,
    fabric: Annotated[
        Literal["raft", "bft"] | None,
        typer.Option("--fabric", help="On Hyperledger Fabric: two organisations for development on this machine."),
    ] = None,
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
    if card and operators not in (None, len(card)):
        raise Usage(f"{len(card)} cards are not those of {operators} operators.", next="--card FILE, one for each")
    from freehold.agents.keys import new_ring
    from freehold.cli.addresses import address
    from freehold.cli.amounts import amount
    from freehold.cli.new_keys import stored_keys
    from freehold.cli.times import duration
    from freehold.node.configuration import Network, Profile, Store, add_table, configuration_path, set_values
    from freehold.node.consortium import CONSORTIUM
    from freehold.node.runtime import RECORD
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
    if fabric is not None and (card or operators is not None):
        raise Usage("On Fabric there are two organisations, and no cards.", next="leave --operators and --card out")
    several = bool(card) or (operators or 1) > 1
    _require_new(folder, profile, name, CONSORTIUM if several else RECORD)
    ring = stored_keys(profile, "treasury", lambda: new_ring("treasury", "", os.urandom), bare=no_passphrase)
    record = NetworkRecord.parse(_canonical({**record_of, "treasury": ring.members[0].signing_key}))
    if fabric is not None:
        id, folders = _on_fabric(folder, record, fabric)
    elif several:
        id, folders = _together(folder, record, card or [], operators or 1, first_port)
    else:
        id, folders = _founded(folder, record), [folder]
    path = configuration_path(os.environ)
    add_table(path, "networks", name, Network(id=id, nodes=(url,)))
    add_table(path, "stores", _STORE, Store(url=url))
    set_values(path, "treasury", welcome)
    # the profile comes last: whoever has one has all that belongs to it
    add_table(path, "profiles", profile, Profile(role="treasury", network=name))
    document: dict[str, object] = {"network": id, "name": name, "folder": str(folder), "profile": profile, "url": url}
    document |= {"welcome": welcome, "operators": [str(each) for each in folders]}
    output.result("network", document, lambda: _text(folder, folders, id, name, url, profile))
    return DONE


def _require_new(folder: Path, profile: str, name: str, record: str) -> None:
    """Invalid if a network, a profile or a name is there already that is no part of an interrupted attempt."""
    from freehold.cli.opening import configuration
    from freehold.errors import Invalid
    from freehold.node.folders import profile_folder

    known = configuration()
    founded = (folder / record).exists()
    if founded and (profile in known.profiles or not (profile_folder(profile) / "key").exists()):
        raise _holds_a_network(folder)
    if profile in known.profiles:
        raise Invalid(f"You have a profile {profile} already.", next="--profile NAME", now="nothing was written")
    if name in known.networks and not (founded and known.networks[name].id == _id_in(folder / record)):
        raise Invalid(f"You know a network {name} already.", next="--name NAME", now="nothing was written")


def _id_in(file: Path) -> str:
    """The id of the network in a file, whichever of the two kinds it is."""
    from freehold.node.consortium import CONSORTIUM, read_consortium
    from freehold.node.runtime import read_network
    from freehold.protocol.network import network_id

    together = file.name == CONSORTIUM
    return network_id(read_consortium(file.read_bytes())[0] if together else read_network(file.parent))


def _together(
    folder: Path, record: "NetworkRecord", cards: list[Path], operators: int, first_port: int
) -> tuple[str, list[Path]]:
    """The id of a network of several operators, and the folders of those that are on this machine."""
    from freehold.agents.private_files import private_folder
    from freehold.agents.world import system_clock
    from freehold.node import consortium, trial
    from freehold.protocol.network import network_id

    if not cards:
        addresses = [f"127.0.0.1:{first_port + number}" for number in range(operators)]
        shared = trial.found_together(consortium.cometbft(), folder, record, addresses, system_clock())
        folders = [trial.operator_folder(folder, number) for number in range(1, operators + 1)]
        return network_id(consortium.read_consortium(shared)[0]), folders
    read = [consortium.read_card_file(each) for each in cards]
    private_folder(folder)
    own = (folder / consortium.CARD).exists() and consortium.own_card(folder) in read
    shared = trial.shared_file(folder, record, read, system_clock())
    if own:
        consortium.take(folder, shared)
    return network_id(consortium.read_consortium(shared)[0]), [folder] if own else []


def _on_fabric(folder: Path, record: "NetworkRecord", ordering: Literal["raft", "bft"]) -> tuple[str, list[Path]]:
    """The id of a network on Fabric, and the folders of its organisations."""
    from freehold.node.development import ORGANISATIONS, found_on_fabric, organisation_folder
    from freehold.protocol.network import network_id

    found = found_on_fabric(folder, record, ordering)
    return network_id(found), [organisation_folder(folder, number) for number in range(1, ORGANISATIONS + 1)]


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


def _text(folder: Path, folders: list[Path], id: str, name: str, url: str, profile: str) -> str:
    from freehold.cli.addresses import port_of
    from freehold.cli.node import PORT
    from freehold.node.consortium import CONSORTIUM
    from freehold.node.development import is_development

    # a node knows no address but the one it is told: members would look for it where it does not listen
    first = port_of(url) or PORT
    ports = [f" --port {first + place}" if first + place != PORT else "" for place in range(len(folders))]
    nodes = [f"freehold node --network {each}{port}" for each, port in zip(folders, ports, strict=True)]
    together = folders != [folder] or (folder / CONSORTIUM).exists()
    keys = f"{folder}/operator.key signs its blocks and stays here"
    if is_development(folder):
        keys = "a development network: all keys of its organisations were made here"
        nodes.insert(0, f"freehold network develop {folder}     and then, beside it:")
    elif together and len(folders) > 1:
        keys = "a trial: each operator's keys were made here, where one person could use them all"
    elif together:
        keys = f"every operator is given {folder}/{CONSORTIUM}: freehold network join DIR --file {CONSORTIUM}"
    return "\n".join(
        (
            f"network   {id}",
            f"          its members pin this id; {keys}",
            *(f"{'next' if not place else '':<10}{each}" for place, each in enumerate(nodes)),
            f"          members find it at {url}",
            f"          freehold up --headless --profile {profile}     welcomes new members",
            f"          others: freehold init ROLE --network {url} --id {id}",
        )
    )
