"""Puts the commands together, runs one, and turns whatever goes wrong into five parts and an exit code."""

import os
import sys
import traceback
from collections.abc import Sequence
from types import ModuleType
from typing import Annotated

import typer

from freehold import __version__
from freehold.cli import errors
from freehold.cli.exits import DONE, INTERRUPTED, Interrupted, Usage, kind_and_code
from freehold.errors import Broken, FreeholdError, Unavailable
from freehold.terminal.colors import Ink, wants_color
from freehold.terminal.symbols import symbols_for

HELP = {"help_option_names": ["--help", "-h"]}


def _group(help: str) -> typer.Typer:
    return typer.Typer(
        help=help,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=HELP,
    )


def build() -> typer.Typer:
    """The whole command line: verbs without a noun for what is done daily, noun then verb for the rest."""
    from freehold.cli import (
        audit,
        bench_cheating,
        cloud_decline,
        cloud_open,
        cloud_retire,
        dataset_prepare,
        dataset_publish,
        dataset_withdraw,
        demo,
        inbox,
        init,
        key_create,
        key_rotate,
        ledger_backup,
        ledger_check,
        ledger_promote,
        ledger_rebuild,
        ledger_restore,
        money_collect,
        money_deposit,
        money_show,
        money_withdraw,
        network_create,
        network_develop,
        network_join,
        network_propose,
        network_show,
        network_vote,
        node,
        predict,
        referee_case,
        referee_rule,
        status,
        train,
        training_approve,
        training_end,
        training_refuse,
        up,
        verify,
        witness,
    )

    application = _group("A market where data, cloud and model owners train AI models and each keeps what is theirs.")
    application.callback()(_root)
    for module in (demo, init, up, status, inbox, train, predict, verify, audit, node, witness):
        _add(application, module.__name__.rpartition(".")[2], module)
    nouns: tuple[tuple[str, str, dict[str, ModuleType]], ...] = (
        (
            "dataset",
            "Offer a table to the market.",
            {"prepare": dataset_prepare, "publish": dataset_publish, "withdraw": dataset_withdraw},
        ),
        (
            "cloud",
            "Hold subsets and train on them.",
            {"open": cloud_open, "decline": cloud_decline, "retire": cloud_retire},
        ),
        (
            "training",
            "Decide about trainings.",
            {"approve": training_approve, "refuse": training_refuse, "end": training_end},
        ),
        (
            "money",
            "Look at your money and move it.",
            {"show": money_show, "collect": money_collect, "withdraw": money_withdraw, "deposit": money_deposit},
        ),
        ("key", "Make keys, and replace stolen ones.", {"create": key_create, "rotate": key_rotate}),
        ("referee", "Bring a disputed vote to a referee, and rule.", {"case": referee_case, "rule": referee_rule}),
        (
            "ledger",
            "Look after a ledger's file.",
            {
                "check": ledger_check,
                "backup": ledger_backup,
                "restore": ledger_restore,
                "promote": ledger_promote,
                "rebuild": ledger_rebuild,
            },
        ),
        (
            "network",
            "Found a market, and run its ledger with others.",
            {
                "create": network_create,
                "develop": network_develop,
                "join": network_join,
                "show": network_show,
                "propose": network_propose,
                "vote": network_vote,
            },
        ),
        ("bench", "Measure what this version does, on whole markets.", {"cheating": bench_cheating}),
    )
    for noun, help, verbs in nouns:
        group = _group(help)
        for verb, module in verbs.items():
            _add(group, verb, module)
        application.add_typer(group, name=noun)
    return application


def _add(group: typer.Typer, name: str, module: ModuleType) -> None:
    """Adds the command of a module: its function has the module's name, its EXAMPLE stands at the end of its help."""
    function = getattr(module, module.__name__.rpartition(".")[2])
    group.command(name, epilog=f"Example: {module.EXAMPLE}", context_settings=HELP)(function)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"freehold {__version__}")
        raise typer.Exit(DONE)


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Where the options of the program itself stand; each command has its own."""


def run(arguments: Sequence[str]) -> int:
    """Runs the command line; returns the exit code. Errors are on stderr by now."""
    try:
        outcome = build()(args=list(arguments), prog_name="freehold", standalone_mode=False)
    except FreeholdError as error:
        return _tell(error, arguments)
    except typer.TyperException as error:
        return _tell(_usage(error, arguments), arguments)
    except (typer.Abort, KeyboardInterrupt):
        return _tell(Interrupted("Stopped."), arguments)
    except BrokenPipeError:
        # the reader went away, as `head` does: not an error, but nothing more can be written either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        return _tell(_outside(error), arguments)
    except Exception as error:
        return _tell(_unexpected(error), arguments)
    if outcome == INTERRUPTED:
        return _tell(Interrupted("Stopped."), arguments)
    return outcome if isinstance(outcome, int) else DONE


def _tell(error: FreeholdError, arguments: Sequence[str]) -> int:
    if _wants_json(arguments):
        print(errors.as_json(error), file=sys.stderr)
    else:
        ink = Ink(on=wants_color(sys.stderr))
        print(errors.as_text(error, symbols_for(sys.stderr), ink), file=sys.stderr)
    return kind_and_code(error)[1]


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether errors are wanted as JSON: known before the arguments are parsed, since parsing may be what fails."""
    for place, argument in enumerate(arguments):
        if argument.startswith("--format="):
            return argument == "--format=json"
        if argument == "--format":
            return list(arguments[place + 1 : place + 2]) == ["json"]
    return os.environ.get("FREEHOLD_FORMAT") == "json"


def _usage(error: typer.TyperException, arguments: Sequence[str]) -> Usage:
    message = " ".join(error.format_message().split())
    # a word that is no command has no help either
    known = not message.startswith("No such command")
    words = [word for word in arguments if known and not word.startswith("-")][:1]
    return Usage(
        message if message.endswith((".", "?", ")")) else f"{message}.",
        next=" ".join(["freehold", *words, "--help"]),
        now="nothing was done",
    )


def _outside(error: OSError) -> Unavailable:
    name = f" {error.filename}" if error.filename else ""
    return Unavailable(
        f"The system refused{name}: {error.strerror or error}.",
        code="system",
        next="mend it and run the same command again: steps that are done are not repeated",
    )


def _unexpected(error: Exception) -> Broken:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    if os.environ.get("FREEHOLD_TRACEBACK"):
        traceback.print_exception(error)
    return Broken(
        f"Something happened that should be impossible: {type(error).__name__}: {str(error)[:300]}",
        code="unexpected",
        why=f"a mistake in Freehold, at {os.path.basename(frame.filename)} line {frame.lineno}",
        next="report it with the output of the same command under FREEHOLD_TRACEBACK=1",
        now="what was recorded on the ledger stays; this command did not finish",
    )
