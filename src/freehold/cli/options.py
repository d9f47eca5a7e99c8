"""Options that mean the same on every command, written once."""

from typing import Annotated, Literal, TypeAlias

import typer

Format: TypeAlias = Annotated[
    Literal["text", "json"],
    typer.Option("--format", envvar="FREEHOLD_FORMAT", help="How the result and errors are written."),
]
Color: TypeAlias = Annotated[
    Literal["auto", "always", "never"],
    typer.Option("--color", help="Colour: auto obeys NO_COLOR, FORCE_COLOR and TERM=dumb."),
]
Kind: TypeAlias = Annotated[
    Literal["classes", "number"] | None,
    typer.Option("--kind", help="What the target is; judged by its values if not given."),
]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
Profile: TypeAlias = Annotated[
    str | None,
    typer.Option("--profile", envvar="FREEHOLD_PROFILE", metavar="NAME", help="Which of your profiles acts."),
]
Network: TypeAlias = Annotated[
    str | None,
    typer.Option("--network", metavar="NAME", help="Which network of the configuration is meant."),
]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", "-y", help="Answer every question with yes.")]
DryRun: TypeAlias = Annotated[
    bool, typer.Option("--dry-run", help="Run the contract on a copy and show what would happen; send nothing.")
]
Wait: TypeAlias = Annotated[
    str | None,
    typer.Option("--wait", metavar="TIME", help="Stop waiting after this long, such as 10m; the work goes on."),
]
NoPassphrase: TypeAlias = Annotated[
    bool, typer.Option("--no-passphrase", help="Leave the new keys bare: whoever can read the file can act as you.")
]
