"""`freehold cloud retire ID`: give a replica up."""

from typing import Annotated

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, PersonNeeded
from freehold.cli.output import Output, short

EXAMPLE = "freehold cloud retire c0ffee12"


def cloud_retire(
    id: Annotated[str, typer.Argument(metavar="ID", help="The replica; a prefix of six will do.")],
    profile: options.Profile = None,
    wait: options.Wait = None,
    yes: options.Yes = False,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Give a replica up: its stake returns, after the hold if it could have worked; open jobs are still done."""
    output = Output(format, color)
    from freehold.agents.reading import Reader
    from freehold.cli.asking import confirm
    from freehold.cli.carrying_out import carry_out
    from freehold.cli.naming import one_of
    from freehold.cli.opening import opened
    from freehold.protocol.identifiers import InstanceId

    with opened(profile, "cloud-owner") as member:
        agent = member.cloud_owner()
        reader = Reader(member.world.ledger)

        def states() -> dict[str, str]:
            joined = [each for each in agent.signers() if reader.member(each) is not None]
            return {seen.instance.id: seen.instance.record.state for each in joined for seen in reader.replicas(each)}

        known = states()
        able = sorted(each for each, state in known.items() if state in (*("free", "joined", "verified"), "retired"))
        instance = InstanceId(one_of(id, able, "replica of yours"))
        if known[instance] != "retired":
            if not confirm(f"Give replica {short(instance)} up?", yes=yes):
                raise PersonNeeded("It stays.", now="nothing was sent")
            agent.retire(instance)
            carry_out(
                member,
                agent,
                to=next(iter(agent.signers())),
                done=lambda: states().get(instance) in ("retired", "rejected"),
                wait=wait,
                goes_on="it is retired as soon as `up` runs",
            )
    output.result(
        "replica", {"instance": instance, "retired": True}, lambda: f" {output.symbols.done} retired {instance}"
    )
    return DONE
