"""`freehold dataset prepare FILE`: split a table and write its card; nothing leaves the house."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE
from freehold.cli.output import Output
from freehold.errors import Invalid

if TYPE_CHECKING:
    from freehold.learning.prepared import Prepared
    from freehold.learning.table import Table

EXAMPLE = "freehold dataset prepare readmission.csv --target readmitted --group patient_id --subsets 8 --out hf"


def dataset_prepare(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file with a line of column names.")],
    target: Annotated[str, typer.Option("--target", metavar="COLUMN", help="What the others predict.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder that is made, whole or not at all.")],
    group: Annotated[
        str | None, typer.Option("--group", metavar="COLUMN", help="Rows with the same value stay together.")
    ] = None,
    subsets: Annotated[int, typer.Option("--subsets", help="Into how many subsets the rows are split.")] = 4,
    replicas: Annotated[int, typer.Option("--replicas", help="How many cloud owners hold each subset.")] = 3,
    group_min: Annotated[
        int | None, typer.Option("--group-min", help="Subsets that train together at least; all if not given.")
    ] = None,
    map: Annotated[str, typer.Option("--map", metavar="NAME", help="The feature map to check the rows for.")] = (
        "standard"
    ),
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="COLUMN", help="Keep a column that would be left out; may be repeated."),
    ] = None,
    category: Annotated[
        list[str] | None,
        typer.Option("--category", metavar="COLUMN", help="Its numbers are codes; may be repeated."),
    ] = None,
    kind: options.Kind = None,
    like: Annotated[
        Path | None, typer.Option("--like", metavar="CARD", help="Another owner's card, to train together.")
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="What the card calls the dataset.")] = None,
    format: options.Format = "text",
    color: options.Color = "auto",
    quiet: options.Quiet = False,
) -> int:
    """Split a table so that no cloud owner sees a whole class, and write the card that the market will see."""
    output = Output(format, color, quiet=quiet)
    from freehold.learning.card import LARGEST_CARD, Card
    from freehold.learning.card_text import title_of
    from freehold.learning.maps import EMBEDDING
    from freehold.learning.prepared import check_plan, prepare
    from freehold.learning.table import read_table
    from freehold.learning.whole_folder import require_free
    from freehold.terminal.reading import shown_on

    try:
        # what needs no look at the table is refused before minutes are spent on reading it
        require_free(out)
        check_plan(subsets=subsets, replicas=replicas, group_min=group_min, map_name=map)
        other = None if like is None else Card.parse(_read(like, LARGEST_CARD))
        with output.progress() as progress:
            table = read_table(
                file, target=target, group=group, keep=keep or (), categories=category or (), kind=kind, like=other,
                embedding=map == EMBEDDING, told=shown_on(progress),
            )  # fmt: skip
            prepared = prepare(
                table, out, subsets=subsets, replicas=replicas, group_min=group_min, map_name=map,
                title=title or title_of(file),
            )  # fmt: skip
    except Invalid as error:
        error.code, error.now = error.code or "data", error.now or "nothing was written"
        raise
    output.result("prepared-dataset", _document(table, prepared), lambda: _text(table, prepared))
    return DONE


def _read(path: Path, largest: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(largest + 1)
    except OSError as error:
        raise Invalid(
            f"{path} cannot be read: {error.strerror or error}", next="name the card.json of the other owner"
        ) from None


def _document(table: "Table", prepared: "Prepared") -> dict[str, object]:
    return {
        "folder": str(prepared.folder),
        "card": prepared.card.digest.hex(),
        "rows": prepared.card.rows,
        "columns": len(prepared.card.columns),
        "classes": list(table.classes),
        "missing_values": table.missing_values,
        "rows_left_out": table.rows_left_out + prepared.certificate.left_out,
        "subsets": prepared.plan.subsets,
        "replicas": prepared.plan.replicas,
        "group_min": prepared.plan.group_min,
        "counts": [list(row) for row in prepared.certificate.counts],
        "notices": list(prepared.notices),
    }


def _text(table: "Table", prepared: "Prepared") -> str:
    from freehold.terminal.symbols import plain

    folder, plan, place = prepared.folder, prepared.plan, quote(str(prepared.folder))
    missing = f"; {table.missing_values:,} missing values → the card's median" if table.missing_values else ""
    kind = f"{len(table.classes)} classes" if table.classes else "a number"
    lines = [
        f" read    {prepared.card.rows:,} rows × {len(prepared.card.columns)} columns, the target is {kind}{missing}",
        *(f"         {plain(notice, 300)}" for notice in prepared.notices),
        f" split   {plan.subsets} subsets; R1, R2 hold; heat map {folder / 'split.html'} stays with you",
        (
            f" card    {folder / 'card.json'}: names, counts, means, quantiles, made-up rows."
            " All of it becomes public: read it."
        ),
        f" next    freehold dataset publish {place} --price-job 0.25 --price-round 3          nothing was sent",
    ]
    return "\n".join(lines)
