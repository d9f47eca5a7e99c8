"""Questions to a person: asked on a terminal only, and never answered by a default that costs something."""

import os
import sys

import typer

from freehold.cli.exits import PersonNeeded
from freehold.errors import Invalid

_FEWEST_CHARACTERS = 8


def on_terminal() -> bool:
    """Whether a person can be asked: both the questions and the answers pass a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str, *, yes: bool, otherwise: str = "nothing was sent") -> bool:
    """Asks for a yes; True at once with `--yes`, PersonNeeded if nobody can be asked."""
    if yes:
        return True
    if not on_terminal():
        raise PersonNeeded(
            f"{question} Nobody is here to answer.",
            why="there is no terminal, and --yes was not given",
            next="run the same command on a terminal, or with --yes",
            now=otherwise,
        )
    return typer.confirm(question, default=False, err=True)


def passphrase() -> str:
    """The passphrase of a sealed key: from the file that FREEHOLD_PASSPHRASE_FILE names, else asked for."""
    from freehold.agents.key_file import PASSPHRASE_FILE, passphrase_from

    stored = passphrase_from(os.environ)
    if stored is not None:
        return stored
    if not on_terminal():
        raise PersonNeeded(
            "The keys of this profile are sealed by a passphrase.",
            why=f"there is no terminal, and {PASSPHRASE_FILE} is not set",
            next=f"run the same command on a terminal, or set {PASSPHRASE_FILE}",
            now="nothing was done",
        )
    return str(typer.prompt("Passphrase", hide_input=True, err=True))


def new_passphrase(*, bare: bool) -> str | None:
    """The passphrase for keys that are about to be made; None only if their owner said so with `--no-passphrase`."""
    from freehold.agents.key_file import PASSPHRASE_FILE, passphrase_from

    if bare:
        return None
    stored = passphrase_from(os.environ)
    if stored is not None:
        return stored
    if not on_terminal():
        raise PersonNeeded(
            "Keys need a passphrase.",
            why=f"there is no terminal, {PASSPHRASE_FILE} is not set, and --yes never stands for a passphrase",
            next=f"run it on a terminal, set {PASSPHRASE_FILE}, or say --no-passphrase to leave the keys bare",
            now="nothing was written",
        )
    chosen = str(typer.prompt("Passphrase for the new keys", hide_input=True, confirmation_prompt=True, err=True))
    if len(chosen) < _FEWEST_CHARACTERS:
        raise Invalid(
            f"A passphrase has at least {_FEWEST_CHARACTERS} characters.",
            next="choose another",
            now="nothing was written",
        )
    return chosen
