"""From the options of a command to an opened profile: which one is meant, and who knows its passphrase."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from freehold.cli.asking import passphrase
from freehold.cli.exits import Usage

if TYPE_CHECKING:
    from freehold.node.configuration import Configuration
    from freehold.node.profiles import OpenProfile


def configuration() -> "Configuration":
    """The user's configuration with the environment above it."""
    from freehold.node.configuration import configuration_path, read_configuration

    return read_configuration(configuration_path(os.environ))


def profile_name(known: "Configuration", wanted: str | None, *roles: str) -> str:
    """The profile that a command means: the one named, else the only one of these roles; Usage if that is not clear."""
    if wanted is not None:
        known.profile(wanted)
        return wanted
    fitting = [name for name, profile in sorted(known.profiles.items()) if not roles or profile.role in roles]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise Usage(
            "Several of your profiles could be meant.",
            why=f"these fit: {', '.join(fitting)}",
            next=f"name one: --profile {fitting[0]}",
            now="nothing was done",
        )
    role = roles[0] if roles else "data-owner | cloud-owner | model-owner"
    others = ", ".join(f"{name} is a {profile.role}" for name, profile in sorted(known.profiles.items()))
    raise Usage(
        f"You have no profile of a {role}." if roles else "You have no profile yet.",
        why=others,
        next=f"freehold init {role} --network URL --id HEX",
        now="nothing was done",
    )


@contextmanager
def opened(wanted: str | None, *roles: str) -> Iterator["OpenProfile"]:
    """Opens the profile that a command means; roles narrow the choice when none is named."""
    from freehold.node.profiles import open_profile

    known = configuration()
    with open_profile(known, profile_name(known, wanted, *roles), passphrase) as profile:
        yield profile
