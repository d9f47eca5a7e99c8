"""`freehold training end ID`: end a training, your own or an overdue one."""

from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, PersonNeeded
from freehold.cli.output import Output, short

if TYPE_CHECKING:
    from freehold.agents.cloud_owner import CloudOwner
    from freehold.agents.data_owner import DataOwner
    from freehold.agents.model_owner import ModelOwner

EXAMPLE = "freehold training end 41d0a7c2"


def training_end(
    id: Annotated[str, typer.Argument(metavar="ID", help="The training: its id, a prefix, or your name for it.")],
    profile: options.Profile = None,
    wait: options.Wait = None,
    yes: options.Yes = False,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """End a training once its round is over: what is unused returns. A stranger may once it is overdue."""
    output = Output(format, color)
    from freehold.agents.reading import Reader
    from freehold.cli.asking import confirm
    from freehold.cli.carrying_out import carry_out
    from freehold.cli.finding import find
    from freehold.cli.opening import opened
    from freehold.errors import Invalid
    from freehold.protocol.identifiers import CoupleId

    with opened(profile, "model-owner", "data-owner", "cloud-owner") as member:
        agent: ModelOwner | DataOwner | CloudOwner
        match member.profile.role:
            case "model-owner":
                agent = member.model_owner()
                orders = agent.orders()
                id = orders[id].couple if id in orders else id
            case "data-owner":
                agent = member.data_owner()
            case "cloud-owner":
                agent = member.cloud_owner()
            case role:
                raise Invalid(
                    f"A {role} ends no training.", next="name a member with --profile", now="nothing was sent"
                )
        couple = CoupleId(find(member.world.ledger, "couple", id, "training"))
        reader = Reader(member.world.ledger)

        def done() -> bool:
            seen = reader.couple(couple)
            return seen is not None and seen.record.state == "ended"

        if not done():
            if not confirm(f"End training {short(couple)}?", yes=yes):
                raise PersonNeeded("It goes on.", now="nothing was sent")
            agent.end(couple)
            to = member.signers()[0].member if member.signers() else ""
            carry_out(member, agent, to=to, done=done, wait=wait, goes_on="it ends as soon as it may, while `up` runs")
    output.result("training-end", {"couple": couple, "ended": True}, lambda: f" {output.symbols.done} ended {couple}")
    return DONE
