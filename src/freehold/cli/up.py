"""`freehold up --headless`: run the agent of a profile until it is told to stop."""

import json
import os
import signal
import time
from contextlib import ExitStack
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, Usage
from freehold.cli.output import Output

if TYPE_CHECKING:
    from freehold.agents.key_file import Passphrase
    from freehold.agents.loop import Told
    from freehold.node.configuration import Configuration
    from freehold.node.profiles import OpenProfile
    from freehold.terminal.live import Progress

EXAMPLE = "freehold up --headless --profile cloud-owner"

_LOOK_AGAIN = 0.5
"""Seconds between two looks for the node, or for a place that another process of the profile still has."""


class _Stop(BaseException):
    """The process was asked to end; not an error, so nothing that catches errors sees it."""


def up(
    headless: Annotated[bool, typer.Option("--headless", help="Without pages: the agent alone.")] = False,
    profile: options.Profile = None,
    format: options.Format = "text",
    color: options.Color = "auto",
    quiet: options.Quiet = False,
) -> int:
    """Run your agent: it takes offers, computes, verifies, closes, collects; what needs a person waits in `inbox`."""
    if not headless:
        raise Usage("This version has no pages to open.", next="freehold up --headless", now="nothing was started")
    output = Output(format, color, quiet=quiet)
    from freehold.cli.asking import passphrase
    from freehold.cli.opening import configuration, profile_name

    known = configuration()
    name = profile_name(known, profile)
    signal.signal(signal.SIGTERM, _stop)
    try:
        with ExitStack() as stack, output.progress() as progress:
            _run(_opened(stack, known, name, passphrase, progress), output, progress)
    except (_Stop, KeyboardInterrupt):
        pass
    return DONE


def _opened(
    stack: ExitStack, known: "Configuration", name: str, passphrase: "Passphrase", progress: "Progress"
) -> "OpenProfile":
    """The profile, once its node answers: agents and nodes may be started in any order."""
    from freehold.errors import Unavailable
    from freehold.node.profiles import open_profile

    while True:
        try:
            return stack.enter_context(open_profile(known, name, passphrase))
        except Unavailable as trouble:
            if not trouble.retry:
                raise
            progress.show("node", f"waits for the node: {trouble.what}")
            time.sleep(_LOOK_AGAIN)


def _run(profile: "OpenProfile", output: Output, progress: "Progress") -> None:
    def tell(told: "Told") -> None:
        if output.json:
            print(json.dumps(_document(told)), flush=True)
        else:
            progress.say(_line(told, progress))

    with ExitStack() as stack:
        _take_place(stack, profile, progress)
        progress.say(f"{profile.name} runs as process {os.getpid()}; Ctrl-C ends it, nothing is lost")
        profile.drive(profile.agent(tell), to=None, until=lambda: False)


def _take_place(stack: ExitStack, profile: "OpenProfile", progress: "Progress") -> None:
    """Becomes the one that acts for the profile; a command that does so at the moment is waited for, and followed."""
    from freehold.errors import Unavailable

    while True:
        try:
            stack.enter_context(profile.only_one())
        except Unavailable as trouble:
            progress.show("place", f"waits for its turn: {trouble.what}")
            time.sleep(_LOOK_AGAIN)
        else:
            return


def _document(told: "Told") -> dict[str, object]:
    trouble = told.trouble
    return {
        "schema": "freehold/step/1",
        "step": str(told.step),
        "trouble": None if trouble is None else {"code": trouble.code, "what": trouble.what},
    }


def _line(told: "Told", progress: "Progress") -> str:
    clock = time.strftime("%H:%M:%S")
    if told.trouble is None:
        return f"{clock}  {told.step}"
    return progress.ink.dim(f"{clock}  {told.step}: {told.trouble.what} (tried again)")


def _stop(_: int, __: FrameType | None) -> None:
    raise _Stop
