"""Making the keys of a new profile, and showing the words that recover them."""

import secrets
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from freehold.cli.asking import new_passphrase, passphrase
from freehold.errors import Invalid

if TYPE_CHECKING:
    from freehold.agents.keys import KeyRing

_ASKED_BACK = 3
_ROW = 6


def stored_keys(
    profile: str,
    role: str,
    make: Callable[[], "KeyRing"],
    *,
    bare: bool,
    told: Callable[["KeyRing"], None] = lambda _: None,
) -> "KeyRing":
    """The keys in the folder of `profile`: made and stored, or those that an interrupted attempt left there.

    `told` hears of new keys before they are stored: from then on nobody can tell again what recovers them.
    Raises Invalid if keys of another role lie there.
    """
    from freehold.agents.key_file import KeyFile, create
    from freehold.node.folders import profile_folder

    path = profile_folder(profile) / "key"
    if not path.exists():
        made, passphrase_of_them = make(), new_passphrase(bare=bare)
        told(made)
        create(path, made, passphrase_of_them)
    ring = KeyFile(path, passphrase).ring()
    if ring.role != role:
        raise Invalid(f"{path} holds keys of another role.", next="--profile NAME", now="nothing was written")
    return ring


def show_words(words: str) -> None:
    """Shows the words on the terminal once, and asks three of them back; PersonNeeded is the caller's to raise."""
    spelled = words.split()
    lines = [spelled[start : start + _ROW] for start in range(0, len(spelled), _ROW)]
    print("Write these 24 words on paper. They replace lost or stolen keys, and are shown only now.\n", file=sys.stderr)
    for row, line in enumerate(lines):
        print("   ".join(f"{row * _ROW + place:>2} {word:<9}" for place, word in enumerate(line, 1)), file=sys.stderr)
    print(file=sys.stderr)
    for place in sorted(secrets.SystemRandom().sample(range(len(spelled)), _ASKED_BACK)):
        while typer.prompt(f"Word {place + 1}", err=True).strip().lower() != spelled[place]:
            print("That is another word; look at your sheet again.", file=sys.stderr)
