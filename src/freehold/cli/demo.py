"""`freehold demo`: the whole market on this machine, with real data and a few cheaters."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, Interrupted
from freehold.cli.output import Output

EXAMPLE = "freehold demo --data patients.csv --target outcome --group patient_id --out demo-out"


def demo(
    data: Annotated[
        Path | None, typer.Option("--data", help="A CSV file of your own; breast cancer data if none.")
    ] = None,
    target: Annotated[str | None, typer.Option("--target", metavar="COLUMN", help="What to predict.")] = None,
    group: Annotated[
        str | None, typer.Option("--group", metavar="COLUMN", help="Rows with the same value stay together.")
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="COLUMN", help="Keep a column that would be left out; may be repeated."),
    ] = None,
    category: Annotated[
        list[str] | None,
        typer.Option("--category", metavar="COLUMN", help="Its numbers are codes; may be repeated."),
    ] = None,
    kind: options.Kind = None,
    map: Annotated[str, typer.Option("--map", metavar="NAME", help="The feature map.")] = "standard",
    subsets: Annotated[int, typer.Option("--subsets", help="Into how many subsets the rows are split.")] = 4,
    replicas: Annotated[int, typer.Option("--replicas", help="How many cloud owners hold each subset.")] = 3,
    group_min: Annotated[
        int | None, typer.Option("--group-min", help="Subsets that train together at least; all if not given.")
    ] = None,
    engine: Annotated[
        Literal["embedded", "cometbft", "fabric"],
        typer.Option("--engine", help="What records the market: one operator's node, or several operators together."),
    ] = "embedded",
    rounds: Annotated[int, typer.Option("--rounds", help="Rounds of training.")] = 6,
    cheat: Annotated[
        list[str] | None,
        typer.Option("--cheat", metavar="KIND", help="A cheater: copying, lazy, noisy, silent or withholding; none."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Which rows are held out, and who cheats.")] = 1,
    out: Annotated[Path, typer.Option("--out", help="The folder that is left behind.")] = Path("demo-out"),
    format: options.Format = "text",
    color: options.Color = "auto",
    quiet: options.Quiet = False,
) -> int:
    """Run the whole market on this machine: real processes, a real cipher, real votes, and cheaters among them."""
    output = Output(format, color, quiet=quiet)
    from freehold.demo.market import run
    from freehold.demo.plan import Wish
    from freehold.demo.summary import summary_text

    wish = Wish(
        data=data, target=target, group=group, map=map, subsets=subsets, replicas=replicas, group_min=group_min,
        rounds=rounds, cheat=None if cheat is None else tuple(cheat), seed=seed, out=out,
        keep=tuple(keep or ()), categories=tuple(category or ()), kind=kind, engine=engine,
    )  # fmt: skip
    try:
        with output.progress() as progress:
            summary = run(wish, progress)
    except KeyboardInterrupt:
        raise Interrupted("Stopped: every process of the demo is ended, and nothing of it is left behind.") from None
    output.result("demo", summary, lambda: summary_text(summary, out, output.ink, output.symbols))
    return DONE
