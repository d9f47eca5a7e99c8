"""`freehold init ROLE`: make the keys of a data, cloud or model owner on this machine and join a network with them."""

import os
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, PersonNeeded, Usage
from freehold.cli.output import Output

EXAMPLE = "freehold init data-owner --network http://127.0.0.1:7420 --id 9c41…e07b"

_STORE = "main"
_ID_LENGTH = 64


if TYPE_CHECKING:
    from collections.abc import Mapping

    from freehold.agents.keys import KeyRing
    from freehold.node.configuration import Network


def init(
    role: Annotated[
        Literal["data-owner", "cloud-owner", "model-owner", "referee"],
        typer.Argument(metavar="ROLE", help="What you are."),
    ],
    network: Annotated[
        str | None, typer.Option("--network", metavar="URL|NAME", help="A node's address, or a network you know.")
    ] = None,
    id: Annotated[
        str | None, typer.Option("--id", metavar="HEX", help="The network's id, from somebody you trust.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="What a new network is called on this machine.")] = "market",
    profile: options.Profile = None,
    no_passphrase: options.NoPassphrase = False,
    yes: options.Yes = False,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Make your keys on this machine; 24 words on paper recover them. The member joins with its first action."""
    output = Output(format, color)
    from freehold.agents.keys import new_ring, new_words
    from freehold.cli.asking import on_terminal
    from freehold.cli.new_keys import show_words, stored_keys
    from freehold.cli.opening import configuration
    from freehold.errors import Invalid
    from freehold.node.configuration import SHORT_ROLES, Profile, Store, add_table, configuration_path
    from freehold.protocol.identifiers import NetworkId

    chosen = profile or role
    known = configuration()
    if chosen in known.profiles:
        raise Invalid(f"You have a profile {chosen} already.", next="--profile NAME", now="nothing was written")
    called, served = _network(known.networks, network, id, name, yes=yes)
    words: list[str] = []

    def make() -> "KeyRing":
        if role == "referee":
            raise Invalid(
                "A referee's keys are made before the network that lists it.",
                next=f"freehold key create --profile {chosen}",
                now="nothing was written",
            )
        words.append(new_words(os.urandom))
        if on_terminal():
            show_words(words[0])
        elif not yes:
            raise PersonNeeded(
                "The 24 words that recover the keys must be written down.",
                why="there is no terminal to show them on",
                next="run it on a terminal; with --yes they are part of the result, for whoever keeps them",
                now="nothing was written",
            )
        return new_ring(SHORT_ROLES[role], words[0], os.urandom)

    def tell(ring: "KeyRing", shown: list[str]) -> None:
        protection = "none" if no_passphrase else "passphrase"
        # a referee is a key of the network record and no member
        members: list[str] = [
            keys.signing_key if role == "referee" else keys.id_in(SHORT_ROLES[role], NetworkId(served.id))
            for keys in ring.members
        ]
        document = {
            "profile": chosen, "role": role, "network": served.id, "name": called, "protection": protection,
            "members": members, "words": " ".join(shown),
        }  # fmt: skip
        output.result("profile", document, lambda: _text(chosen, role, called, served.id, protection, shown))

    def tell_words(ring: "KeyRing") -> None:
        # words that are part of the result come out before the keys are stored: a process that is killed in between
        # leaves words of no keys, never keys without their words
        if not on_terminal():
            tell(ring, words)

    ring = stored_keys(chosen, SHORT_ROLES[role], make, bare=no_passphrase, told=tell_words)
    path = configuration_path(os.environ)
    add_table(path, "networks", called, served)
    if _STORE not in known.stores:
        add_table(path, "stores", _STORE, Store(url=served.nodes[0]))
    # the profile comes last: whoever has one has all that belongs to it
    add_table(path, "profiles", chosen, Profile(role=role, network=called))
    if on_terminal() or not words:
        tell(ring, [])
    return DONE


def _network(
    known: "Mapping[str, Network]", wanted: str | None, id: str | None, name: str, *, yes: bool
) -> "tuple[str, Network]":
    """The network that is meant, and what it is called here."""
    from freehold.cli.addresses import address
    from freehold.errors import Invalid
    from freehold.node.configuration import Network

    if wanted is None:
        if len(known) != 1:
            raise Usage("Name the network to join.", next="--network URL --id HEX", now="nothing was written")
        wanted = next(iter(known))
    if not wanted.startswith(("http://", "https://")):
        if wanted not in known:
            raise Usage(f"You know no network {wanted[:40]}.", next="--network URL --id HEX", now="nothing was written")
        _require_same(known[wanted].id, id)
        return wanted, known[wanted]
    wanted = address(wanted, "--network")
    pinned = _checked(id) if id is not None else _asked_of_the_node(wanted, yes=yes)
    for called, network in known.items():
        if network.id == pinned:
            return called, network
    if name in known:
        raise Invalid(f"{name} is another network already.", next="--name NAME", now="nothing was written")
    return name, Network(id=pinned, nodes=(wanted,))


def _checked(id: str) -> str:
    if len(id) != _ID_LENGTH or not set(id) <= set("0123456789abcdef"):
        raise Usage("--id takes the 64 hexadecimal characters of a network's id.", now="nothing was written")
    return id


def _require_same(known: str, id: str | None) -> None:
    from freehold.errors import Invalid

    if id is not None and id != known:
        raise Invalid("The network that you know by this name has another id.", now="nothing was written")


def _asked_of_the_node(url: str, *, yes: bool) -> str:
    """The id that the node names, once a person has compared it."""
    from freehold.cli.asking import confirm
    from freehold.ledger.remote import RemoteLedger
    from freehold.protocol.network import NetworkRecord, network_id

    ledger = RemoteLedger(url)
    try:
        found = network_id(NetworkRecord.parse(ledger.info().network))
    finally:
        ledger.close()
    if not confirm(f"{url} serves the network {found}. Is this the one you mean?", yes=yes):
        raise PersonNeeded(
            "The network was not confirmed.", next="ask for its id, then --id HEX", now="nothing was written"
        )
    return found


def _text(profile: str, role: str, name: str, id: str, protection: str, words: list[str]) -> str:
    sealed = (
        "sealed by your passphrase" if protection == "passphrase" else "bare: whoever reads the file can act as you"
    )
    following = {
        "data-owner": "freehold dataset prepare FILE --target COLUMN --out DIR",
        "cloud-owner": "freehold cloud open --slots 1 ; freehold up --headless",
        "model-owner": "freehold train DATASET --dry-run",
        "referee": "freehold referee rule FILE",
    }[role]
    lines = [f"profile   {profile}, a {role} of the network {name} ({id[:8]}); keys {sealed}"]
    lines += [f"words     {' '.join(words)}", "          keep them on paper: they are not stored"] if words else []
    return "\n".join([*lines, f"next      {following}"])
