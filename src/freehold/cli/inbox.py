"""`freehold inbox`: what needs you, and until when."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, PERSON_NEEDED
from freehold.cli.output import Output, short

if TYPE_CHECKING:
    from freehold.node.profiles import OpenProfile

EXAMPLE = "freehold inbox --check"


def inbox(
    check: Annotated[bool, typer.Option("--check", help="Leave with 7 if something waits, for scripts.")] = False,
    profile: options.Profile = None,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Show what waits for your decision; everything else your agent does by itself while `up` runs."""
    output = Output(format, color)
    from freehold.cli.opening import configuration, opened, profile_name

    known = configuration()
    wanted = profile or _deciding(list(known.profiles.items()))
    with opened(profile_name(known, wanted)) as member:
        waiting = _waiting(member)
        now = member.world.clock()
    output.result("inbox", {"profile": member.name, "waiting": waiting}, lambda: _text(waiting, now))
    return PERSON_NEEDED if check and waiting else DONE


def _deciding(profiles: "list[tuple[str, Any]]") -> str | None:
    """The only profile whose member is ever asked anything: a data owner's."""
    owners = [name for name, profile in profiles if profile.role == "data-owner"]
    return owners[0] if len(owners) == 1 else None


def _waiting(member: "OpenProfile") -> list[dict[str, Any]]:
    """Trainings that wait for a yes or a no; nothing else of this version waits for a person."""
    if member.profile.role != "data-owner":
        return []
    from freehold.agents.reading import Reader
    from freehold.protocol.identifiers import CoupleId

    agent = member.data_owner()
    reader = Reader(member.world.ledger)
    if reader.member(agent.member) is None:
        return []
    couples = sorted({approval.couple for approval in reader.approvals(agent.member)})
    return [_of(agent.sheet(CoupleId(couple))) for couple in couples]


def _of(sheet: Any) -> dict[str, Any]:
    return {
        "kind": "approve",
        "couple": sheet.couple,
        "due": sheet.due,
        "rounds": sheet.rounds,
        "method": sheet.method,
        "map": sheet.map_name,
        "pays_at_most": sum(part.pays_at_most for part in sheet.parts),
        "next": f"freehold training approve {short(sheet.couple)}",
    }


def _text(waiting: list[dict[str, Any]], now: int) -> str:
    from freehold.cli.times import moment
    from freehold.terminal.money import in_credits

    if not waiting:
        return " nothing needs you"
    return "\n".join(
        f" needs you until {moment(each['due'], now)}: training {short(each['couple'])}, pays you at most "
        f"{in_credits(each['pays_at_most'])} → {each['next']}"
        for each in waiting
    )
