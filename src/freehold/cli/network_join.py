"""`freehold network join DIR`: become one of several operators of a ledger, in two steps."""

from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, Usage
from freehold.cli.output import Output

EXAMPLE = "freehold network join market --address 203.0.113.5:26656"


def network_join(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="This operator's own folder; its keys stay there.")],
    address: Annotated[
        str | None,
        typer.Option("--address", metavar="HOST:PORT", help="First: where the other operators' nodes reach this one."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", readable=False, help="Then: the consortium.json that all operators are given."),
    ] = None,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Make an operator's keys and the card that it hands over, or take the file that all operators share.

    Whoever joins a ledger that runs already does the same, and is then proposed and approved by its operators.
    """
    output = Output(format, color)
    from freehold.node import consortium
    from freehold.protocol.network import network_id

    if address is None and file is None:
        raise Usage("Nothing was asked for.", next="--address HOST:PORT, or later --file consortium.json")
    if address is not None:
        card = consortium.prepare(consortium.cometbft(), folder, address)
    if file is None:
        document = {"folder": str(folder), "card": str(folder / consortium.CARD), "key": card.key}
        output.result("card", document, lambda: _card_text(folder, card.key))
        return DONE
    record = consortium.take(folder, _shared(file))
    id, founder = network_id(record), consortium.own_card(folder) in (record.operators or ())
    output.result(
        "network",
        {"folder": str(folder), "network": id, "founder": founder},
        lambda: _joined_text(folder, id, founder),
    )
    return DONE


def _shared(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(65_537)
    except OSError as error:
        raise Usage(f"{file} cannot be read: {error.strerror}.", next="--file FILE") from None


def _card_text(folder: Path, key: str) -> str:
    return "\n".join(
        (
            f"operator  {key}",
            f"          its keys are in {folder} and leave it never; {folder}/operator.json is public",
            f"next      hand {folder}/operator.json to whoever founds the network, or to one of its operators",
            f"          with the file that comes back: freehold network join {folder} --file consortium.json",
        )
    )


def _joined_text(folder: Path, id: str, founder: bool) -> str:
    lines = [f"network   {id}", "          compare this id with the other operators, by telephone for instance"]
    lines.append(f"next      freehold node --network {folder}")
    if not founder:
        lines += [
            "          this node follows; it signs blocks once the operators agree:",
            "          freehold network propose DIR --card operator.json, then freehold network vote, by each of them",
        ]
    return "\n".join(lines)
