"""`freehold bench cheating`: attacks on whole markets of this machine, and what came of each in numbers."""

from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, Interrupted
from freehold.cli.output import Output

EXAMPLE = "freehold bench cheating --attack copies --attack vanishes --seeds 3"


def bench_cheating(
    attack: Annotated[
        list[str] | None, typer.Option("--attack", metavar="NAME", help="Play this one; may be repeated; all if none.")
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=1000, help="On how many markets each is played.")] = 5,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder that is left behind.")] = Path(
        "cheating"
    ),
    format: options.Format = "text",
    color: options.Color = "auto",
    quiet: options.Quiet = False,
) -> int:
    """Play attacks on real markets with simulated time: which are detected, how soon, and at what cost to whom."""
    output = Output(format, color, quiet=quiet)
    from freehold.bench.running import run
    from freehold.bench.text import ending_text, table_text

    try:
        with output.progress() as progress:
            finished = run(tuple(attack or ()), seeds, out, progress)
    except KeyboardInterrupt:
        raise Interrupted("Stopped: nothing of the benchmark is left behind.") from None

    def text() -> str:
        table = table_text(finished.measured, output.ink, output.symbols)
        return f"{table}\n\n{ending_text(finished.measured, seeds, str(out), finished.seconds, output.ink)}"

    output.result("cheating", finished.document, text)
    return DONE
