"""`freehold key rotate`: replace stolen keys, by the 24 words."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, PersonNeeded
from freehold.cli.output import Output, short

if TYPE_CHECKING:
    from freehold.agents.keys import KeyRing

EXAMPLE = "freehold key rotate --profile data-owner"

_LARGEST_SHEET = 4096


def key_rotate(
    words: Annotated[
        Path | None,
        typer.Option("--words", metavar="FILE", help="A private file with the 24 words; else they are asked."),
    ] = None,
    profile: options.Profile = None,
    yes: options.Yes = False,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Make the old keys worthless at once, the thief's copy too; members, data and money stay. The words stay valid."""
    output = Output(format, color)
    from freehold.agents.keys import with_coming_keys
    from freehold.agents.rotation import require_words, rotate
    from freehold.cli.asking import confirm
    from freehold.cli.opening import opened
    from freehold.protocol.network import network_id

    with opened(profile, "data-owner", "cloud-owner", "model-owner") as member, member.only_one():
        ring = member.keys.ring()
        network = network_id(member.network)
        secret = require_words(ring, _words(words))
        if not confirm(f"Replace the keys of {member.name}? The old ones stop working at once.", yes=yes):
            raise PersonNeeded("The keys stay.", now="nothing was sent")
        # stored before the ledger hears of them: an interrupted rotation goes on with the same keys
        begun = member.keys.change(lambda known: with_coming_keys(known, os.urandom))
        taken = {keys.number for keys in begun.members if rotate(member.world, network, ring.role, keys, secret)}

        def finished(known: "KeyRing") -> "KeyRing":
            from msgspec.structs import replace

            members = tuple(
                keys.rotated() if keys.number in taken else replace(keys, coming=None) for keys in known.members
            )
            return replace(known, members=members)

        done = member.keys.change(finished)
        rotated: list[str] = [keys.id_in(ring.role, network) for keys in done.members if keys.number in taken]
        name = member.name
    output.result("rotation", {"profile": name, "rotated": rotated}, lambda: _text(rotated, output))
    return DONE


def _words(file: Path | None) -> str:
    """The words from a private file, or from the person."""
    from freehold.agents.private_files import read_private
    from freehold.cli.asking import on_terminal

    if file is not None:
        return read_private(file, largest=_LARGEST_SHEET).decode("utf-8", "replace")
    if not on_terminal():
        raise PersonNeeded(
            "The 24 words of this profile are needed.",
            why="they are not stored anywhere, and there is no terminal to ask for them",
            next="run it on a terminal, or with --words FILE",
            now="nothing was sent",
        )
    return str(typer.prompt("The 24 words", hide_input=True, err=True))


def _text(rotated: list[str], output: Output) -> str:
    if not rotated:
        return " nothing to replace: no member of this profile has joined yet"
    listed = ", ".join(short(each) for each in rotated)
    return f" {output.symbols.done} new keys for {listed}; what a thief has copied before stays readable to it"
