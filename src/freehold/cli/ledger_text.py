"""What the commands that look after a ledger's file say."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from freehold.cli.output import Output
from freehold.errors import Unavailable
from freehold.ledger.embedded.keeping import Checked, Told
from freehold.ledger.proofs.checkpoint import LARGEST


@contextmanager
def reported(output: Output) -> Iterator[Told]:
    """Shows how far the work is, on one line for each part of it."""
    with output.progress() as progress:
        shown: dict[str, int] = {}

        def told(what: str, done: int, whole: int) -> None:
            percent = 100 * done // max(1, whole)
            if shown.get(what) != percent and (progress.in_place or percent in (0, 100)):
                shown[what] = percent
                unit = "pages" if what == "copied" else "blocks"
                progress.show(what, f"{what:<8} {percent:3} %   {done:,} of {whole:,} {unit}")

        yield told


def note_of(checkpoint: Path | None) -> str | None:
    """The text of a checkpoint's file."""
    if checkpoint is None:
        return None
    try:
        with checkpoint.open("rb") as file:
            return file.read(LARGEST + 1).decode("utf-8", "replace")
    except OSError as error:
        raise Unavailable(f"{checkpoint} cannot be read: {error.strerror}", retry=False) from None


def checked_document(checked: Checked) -> dict[str, Any]:
    """What was checked, for programs."""
    return asdict(checked)


def checked_text(said: str, checked: Checked, output: Output) -> str:
    """What was checked, for people."""
    return (
        f"{output.symbols.done} {said}: {checked.size} actions in {checked.height} blocks, 0 differences\n"
        f"  network   {checked.network}\n"
        f"  operator  {checked.operator}\n"
        f"  root      {checked.root}"
    )
