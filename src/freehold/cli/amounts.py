"""Amounts as they are given on the command line."""

from freehold.cli.exits import Usage
from freehold.errors import Invalid
from freehold.terminal.money import parse_credits


def amount(text: str, option: str) -> int:
    """Micro-credits from text such as `0.25`; Usage, naming the option, for anything else."""
    try:
        return parse_credits(text)
    except Invalid as trouble:
        raise Usage(f"{option}: {trouble.what}.", why=trouble.why, next=trouble.next, now="nothing was done") from None
