"""`freehold money show`: what you have, what is due to you and when, what is locked."""

from typing import Any

from freehold.cli import options
from freehold.cli.exits import DONE
from freehold.cli.output import Output, short

EXAMPLE = "freehold money show"


def money_show(
    profile: options.Profile = None,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Show each account of yours: free, due now, due later, and locked as stake."""
    output = Output(format, color)
    from freehold.agents.reading import Reader
    from freehold.cli.opening import opened

    with opened(profile, "data-owner", "cloud-owner", "model-owner") as member:
        reader, now = Reader(member.world.ledger), member.world.clock()
        accounts: list[dict[str, Any]] = []
        for signer in member.signers():
            if reader.member(signer.member) is None:
                continue
            seen = reader.account(signer.member)
            stakes = reader.replicas(signer.member) if member.profile.role == "cloud-owner" else ()
            accounts.append(
                {
                    "member": signer.member,
                    "free": seen.free,
                    "due": sum(each.record.amount for each in seen.due if each.record.since <= now),
                    "later": [
                        {"amount": each.record.amount, "since": each.record.since}
                        for each in seen.due
                        if each.record.since > now
                    ],
                    "staked": sum(each.instance.record.stake for each in stakes),
                }
            )
        name = member.name
    output.result("money", {"profile": name, "accounts": accounts}, lambda: _text(accounts, now))
    return DONE


def _text(accounts: list[dict[str, Any]], now: int) -> str:
    from freehold.cli.times import moment
    from freehold.terminal.money import in_credits

    if not accounts:
        return " no account yet: you join with your first action"
    lines = []
    for each in accounts:
        lines.append(
            f" member {short(each['member'])}: {in_credits(each['free'])} free, {in_credits(each['due'])} due, "
            f"{in_credits(each['staked'])} staked"
        )
        lines += [f"   {in_credits(later['amount'])} due from {moment(later['since'], now)}" for later in each["later"]]
    return "\n".join(lines)
