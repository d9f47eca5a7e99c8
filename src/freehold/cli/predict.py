"""`freehold predict MODEL FILE`: predictions of a trained model for the rows of a CSV file, on this machine alone."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freehold.cli import options
from freehold.cli.exits import DONE
from freehold.cli.output import Output
from freehold.errors import Invalid

if TYPE_CHECKING:
    from freehold.learning.model import Model
    from freehold.learning.predict import Predictions

EXAMPLE = "freehold predict readmit-1 patients.csv --out scores.csv"

_SHOWN = 10


def predict(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model's file, or the name of your training.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file with the model's columns.")],
    proba: Annotated[bool, typer.Option("--proba", help="A column of probabilities for each class.")] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="F", help="Where the predictions are written.")] = None,
    profile: options.Profile = None,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Predict every row; where the file has the target too, say how many predictions are right."""
    output = Output(format, color)
    from freehold.cli.files import write_whole
    from freehold.learning.model_file import read_model
    from freehold.learning.predict import predict as predict_rows

    path = _path(model, profile)
    for read in (path, file):
        if out is not None and out.exists() and read.exists() and out.samefile(read):
            raise Invalid(
                f"{out} is read here, and would be replaced by the predictions.",
                code="out",
                next="name another file with --out",
                now="nothing was written",
            )
    known = read_model(path)
    predictions = predict_rows(known, file)
    lines = _lines(known, predictions, proba=proba)
    if out is not None:
        write_whole(out, ("\n".join(lines) + "\n").encode("utf-8"))
    document: dict[str, Any] = {
        "model": str(path), "rows": len(lines) - 1, "score": predictions.score,
        "measure": "accuracy" if known.classes else "r2", "out": None if out is None else str(out),
    }  # fmt: skip
    if out is None:
        document["predictions"] = (
            [line.split(",")[0] for line in lines[1:]] if not known.classes else _named(known, predictions)
        )
    output.result("predictions", document, lambda: _text(document, lines, out))
    return DONE


def _path(model: str, profile: str | None) -> Path:
    """The file itself, or the file of the training of that name in one of the user's profiles."""
    import difflib

    from freehold.cli.opening import configuration
    from freehold.node.folders import profile_folder

    if Path(model).exists():
        return Path(model)
    profiles = [name for name, each in configuration().profiles.items() if each.role == "model-owner"]
    folders = [profile_folder(name) / "models" for name in profiles if profile in (None, name)]
    found = {path.stem: path for folder in folders for path in sorted(folder.glob("*.freehold"))}
    if model in found:
        return found[model]
    near = difflib.get_close_matches(model, found, n=1)
    known = f"known are {', '.join(sorted(found)[:6])}" if found else "no training has given a model here yet"
    raise Invalid(f"There is no model {model[:80]!r}.", code="id", next=f"did you mean {near[0]}?" if near else known)


def _named(model: "Model", predictions: "Predictions") -> list[str]:
    classes = predictions.classes
    return [] if classes is None else [model.class_names[index] for index in classes.tolist()]


def _lines(model: "Model", predictions: "Predictions", *, proba: bool) -> list[str]:
    """The predictions as CSV, a line of names first."""
    target = _quoted(model.target_name)
    if predictions.numbers is not None:
        return [target, *(f"{number:.10g}" for number in predictions.numbers.tolist())]
    names = _named(model, predictions)
    if not proba or predictions.probabilities is None:
        return [target, *(_quoted(name) for name in names)]
    head = ",".join([target, *(_quoted(f"{model.target_name}={name}") for name in model.class_names)])
    rows = zip(names, predictions.probabilities.tolist(), strict=True)
    return [head, *(",".join([_quoted(name), *(f"{each:.6f}" for each in row)]) for name, row in rows)]


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\r\n') else text


def _text(document: dict[str, Any], lines: list[str], out: Path | None) -> str:
    from freehold.terminal.symbols import plain

    score = document["score"]
    measured = (
        ""
        if score is None
        else (f"; {100 * score:.1f} % are right" if document["measure"] == "accuracy" else f"; R² {score:.3f}")
    )
    if out is not None:
        return f" {document['rows']:,} rows → {out}{measured}"
    shown = [plain(line) for line in lines[: _SHOWN + 1]]
    more = [f"… {len(lines) - 1 - _SHOWN:,} more; --out F writes all"] if len(lines) - 1 > _SHOWN else []
    return "\n".join([*shown, *more, f" {document['rows']:,} rows{measured}"])
