"""`freehold money collect`: move everything that is due to your accounts."""

from freehold.cli import options
from freehold.cli.exits import DONE
from freehold.cli.output import Output

EXAMPLE = "freehold money collect"


def money_collect(
    profile: options.Profile = None,
    yes: options.Yes = False,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Collect what is due now; your agent does the same while `up` runs, a little later."""
    output = Output(format, color)
    from freehold.cli.opening import opened
    from freehold.terminal.money import in_credits

    with opened(profile, "data-owner", "cloud-owner", "model-owner") as member:
        collected = member.purse().collect()
    output.result("collected", {"amount": collected}, lambda: f" collected {in_credits(collected)}")
    return DONE
