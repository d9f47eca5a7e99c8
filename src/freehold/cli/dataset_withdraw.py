"""`freehold dataset withdraw ID`: take a dataset out of the market."""

from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, PersonNeeded
from freehold.cli.output import Output, short

EXAMPLE = "freehold dataset withdraw 7c1e04b9"


def dataset_withdraw(
    id: Annotated[str, typer.Argument(metavar="ID", help="Your dataset; a prefix of six will do.")],
    profile: options.Profile = None,
    wait: options.Wait = None,
    yes: options.Yes = False,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Let nothing new begin on a dataset: open rounds end and are paid, history stays. It cannot be taken back."""
    output = Output(format, color)
    from freehold.agents.reading import Reader
    from freehold.cli.asking import confirm
    from freehold.cli.carrying_out import carry_out
    from freehold.cli.naming import one_of
    from freehold.cli.opening import opened
    from freehold.protocol.identifiers import DatasetId

    with opened(profile, "data-owner") as member:
        agent = member.data_owner()
        dataset = DatasetId(one_of(id, sorted(agent.publications()), "dataset of yours"))
        reader = Reader(member.world.ledger)

        def done() -> bool:
            seen = reader.dataset(dataset)
            return seen is None or seen.dataset.record.state == "withdrawn"

        if not done() and not confirm(f"Withdraw dataset {short(dataset)} for ever?", yes=yes):
            raise PersonNeeded("It stays in the market.", now="nothing was sent")
        agent.withdraw(dataset)
        carry_out(member, agent, to=agent.member, done=done, wait=wait, goes_on="it is withdrawn as soon as `up` runs")
    output.result(
        "withdrawal", {"dataset": dataset, "withdrawn": True}, lambda: f" {output.symbols.done} withdrawn {dataset}"
    )
    return DONE
