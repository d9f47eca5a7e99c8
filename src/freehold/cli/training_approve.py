"""`freehold training approve ID`: read what a training discloses and pays, and say yes."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, PersonNeeded
from freehold.cli.output import Output, short

if TYPE_CHECKING:
    from freehold.agents.data_owner import DataOwner
    from freehold.agents.data_owner.approving import ApprovalSheet
    from freehold.node.profiles import OpenProfile
    from freehold.protocol.identifiers import CoupleId

EXAMPLE = "freehold training approve 41d0a7c2"


def training_approve(
    id: Annotated[str, typer.Argument(metavar="ID", help="The training; a prefix of six will do.")],
    profile: options.Profile = None,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Show who asks, for what, what it discloses and pays; a yes cannot be taken back."""
    output = Output(format, color)
    from freehold.cli.opening import opened
    from freehold.errors import Invalid

    with opened(profile, "data-owner") as member:
        agent = member.data_owner()
        couple = _meant(member, agent, id)
        try:
            if not agent.has_approved(couple):
                return _decide(member, agent, couple, output, dry_run=dry_run, yes=yes)
        except Invalid:
            # a yes of an interrupted attempt is sent by the agent of this profile, perhaps at this very moment
            if not agent.has_approved(couple):
                raise
    output.result(
        "approval",
        {"couple": couple, "approved": True},
        lambda: f" {output.symbols.done} approved {couple}, before this command was typed",
    )
    return DONE


def _decide(
    member: "OpenProfile", agent: "DataOwner", couple: "CoupleId", output: Output, *, dry_run: bool, yes: bool
) -> int:
    import sys

    from freehold.agents.data_owner.approving import require_approvable
    from freehold.cli.asking import confirm

    sheet = agent.sheet(couple)
    now = member.world.clock()
    require_approvable(sheet)
    if dry_run:
        _try(member, agent, sheet)
        document = sheet_document(sheet) | {"approved": False}
        output.result("approval", document, lambda: f"{sheet_text(sheet, now, member.name)}\n nothing was sent")
        return DONE
    if not output.json:
        print(sheet_text(sheet, now, member.name), file=sys.stderr)
    if not confirm(f"Approve training {short(couple)}?", yes=yes):
        raise PersonNeeded("It stays open.", next=f"freehold training approve {short(couple)}", now="nothing was sent")
    agent.approve(couple)
    document = sheet_document(sheet) | {"approved": True}
    output.result("approval", document, lambda: f" {output.symbols.done} approved {couple}")
    return DONE


def _meant(member: "OpenProfile", agent: "DataOwner", wanted: str) -> "CoupleId":
    """A training that waits for a yes, or had it from an attempt of which nobody heard the end."""
    from freehold.agents.reading import Reader
    from freehold.cli.naming import one_of
    from freehold.protocol.identifiers import CoupleId

    reader = Reader(member.world.ledger)
    if reader.member(agent.member) is None:
        return CoupleId(one_of(wanted, [], "waiting training"))
    known = {each.couple for each in reader.approvals(agent.member)}
    known |= {each.id for each in reader.trainings(agent.member) if agent.has_approved(CoupleId(each.id))}
    return CoupleId(one_of(wanted, sorted(known), "waiting training"))


def _try(member: "OpenProfile", agent: "DataOwner", sheet: "ApprovalSheet") -> None:
    """Has the rules judge the yes on a replayed copy of the ledger; raises Refused as they would."""
    import os

    from freehold.agents.dry_run import DryRun
    from freehold.agents.world import Signer
    from freehold.protocol.actions import ApproveTC
    from freehold.protocol.identifiers import MemberId, Secret
    from freehold.protocol.network import network_id

    keys = member.keys.ring().members[0]
    signer = Signer(network=network_id(member.network), member=MemberId(agent.member), keys=keys)
    copy = DryRun.on_copy_of(member.world.ledger)
    time = member.world.ledger.info().time
    for part in sheet.parts:
        share = Secret(os.urandom(32).hex())
        copy.submit(signer, ApproveTC(couple=sheet.couple, dataset=part.dataset, share=share), time)


def sheet_document(sheet: "ApprovalSheet") -> dict[str, Any]:
    """The sheet with money in micro-credits and times in milliseconds."""
    from dataclasses import asdict

    return {
        "couple": sheet.couple, "mo": sheet.mo, "handle": sheet.handle, "due": sheet.due, "method": sheet.method,
        "map": sheet.map_name, "map_digest": sheet.map_digest, "features": sheet.features, "outputs": sheet.outputs,
        "weights": list(sheet.weights), "rounds": sheet.rounds, "datasets": sheet.datasets,
        "earlier": [seen.id for seen in sheet.earlier], "parts": [asdict(part) for part in sheet.parts],
        "warning": sheet.warning,
    }  # fmt: skip


def sheet_text(sheet: "ApprovalSheet", now: int, signer: str) -> str:
    """The sheet in lines: who, what, discloses, means, together, signs."""
    from freehold.cli.times import moment
    from freehold.terminal.money import in_credits

    approved = sum(seen.record.state != "requested" and seen.record.round > 0 for seen in sheet.earlier)
    asked = f"asked you {len(sheet.earlier)} times before, {approved} trained" if sheet.earlier else "never asked you"
    pays = sum(part.pays_at_most for part in sheet.parts)
    others = f", together with {sheet.datasets - len(sheet.parts)} other datasets" if sheet.datasets > 1 else ""
    weights = ", classes weighted" if sheet.weights else ""
    lines = [
        f" who        handle {short(sheet.handle)}; {asked}; answer until {moment(sheet.due, now)}",
        (
            f" what       {sheet.method}, map {sheet.map_name} (built in, digest {short(sheet.map_digest)}), "
            f"{sheet.rounds} rounds{others}, encrypted, no noise{weights}; pays you at most {in_credits(pays)}"
        ),
    ]
    for part in sheet.parts:
        learned, together = _share(part.learned, part.numbers), _share(part.learned_together, part.numbers)
        lines += [
            (
                f" discloses  at most {part.learned:,} of {part.numbers:,} numbers of XᵀX ({learned} %) and Xᵀy of "
                f"dataset {short(part.dataset)}; a model owner that breaks the rules: all of them at once; "
                "never a single subset"
            ),
            (
                f" means      {part.rows / sheet.features:.1f} rows per feature: a membership test on such sums is "
                "near guessing at 50 (0.52 measured), near certain at 1.3 (0.97)"
            ),
            (
                f" together   {part.granted_after} of {part.rounds_total} rounds granted after this; model owners "
                f"who pool what they have then know {part.learned_together:,} of {part.numbers:,} ({together} %) "
                "of this map"
            ),
        ]
    if sheet.warning:
        lines.append(f" warning    {sheet.warning}")
    lines.append(f" signs      ApproveTC {short(sheet.couple)} as {signer}, fresh share; a yes cannot be taken back")
    return "\n".join(lines)


def _share(part: int, whole: int) -> int:
    return 100 * part // max(1, whole)
