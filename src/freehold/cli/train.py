"""`freehold train DATASET…`: buy a training at a price known before, and get the model."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, NO, PersonNeeded, Usage
from freehold.cli.output import Output, short

if TYPE_CHECKING:
    from freehold.agents.model_owner import ModelOwner, Progress, Wish
    from freehold.node.profiles import OpenProfile
    from freehold.terminal.live import Progress as Shown

EXAMPLE = "freehold train 7c1e04b9 --rounds 6 --name readmit-1"

_METHODS = {"linear": "linear-1", "statistics": "statistics-1"}


def train(
    datasets: Annotated[list[str], typer.Argument(metavar="DATASET…", help="One or more published datasets.")],
    family: Annotated[Literal["linear", "statistics"], typer.Option("--family", help="The kind of training.")] = (
        "linear"
    ),
    map: Annotated[str, typer.Option("--map", metavar="NAME", help="The feature map.")] = "standard",
    rounds: Annotated[int, typer.Option("--rounds", help="Rounds to ask for; fewer cost and disclose less.")] = 6,
    weights: Annotated[Literal["none", "balanced"], typer.Option("--weights", help="Whether classes count alike.")] = (
        "none"
    ),
    max_cost: Annotated[
        str | None, typer.Option("--max-cost", metavar="AMOUNT", help="Refuse to lock more than this.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="What you call it; the same name goes on and never buys twice.")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Leave once it is requested; `up` goes on.")] = False,
    profile: options.Profile = None,
    dry_run: options.DryRun = False,
    wait: options.Wait = None,
    yes: options.Yes = False,
    format: options.Format = "text",
    color: options.Color = "auto",
    quiet: options.Quiet = False,
) -> int:
    """Train a model on data that you may not see: price and disclosure first, then the vote round by round."""
    output = Output(format, color, quiet=quiet)
    from freehold.agents.model_owner import Wish
    from freehold.cli.amounts import amount
    from freehold.cli.finding import find
    from freehold.cli.opening import opened
    from freehold.protocol.identifiers import DatasetId, Method

    most = None if max_cost is None else amount(max_cost, "--max-cost")
    with opened(profile, "model-owner") as member:
        ids = sorted({find(member.world.ledger, "dataset", wanted, "dataset") for wanted in datasets})
        wish = Wish(
            datasets=tuple(DatasetId(id) for id in ids),
            rounds=rounds,
            map_name=map,
            method=Method(_METHODS[family]),
            balanced=weights == "balanced",
        )
        called = _checked_name(name or _usual_name(wish, weights))
        if dry_run:
            return _dry_run(member, wish, output)
        return _train(member, wish, called, most, output, detach=detach, wait=wait, yes=yes)


def _usual_name(wish: "Wish", weights: str) -> str:
    """A name that follows from the wish, so that the same command typed again goes on and buys nothing."""
    ends = "-balanced" if weights == "balanced" else ""
    return f"{'-'.join(short(id) for id in wish.datasets)}-{wish.map_name}-{wish.rounds}{ends}"


def _checked_name(name: str) -> str:
    import re

    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,95}", name):
        raise Usage(
            f"{name[:40]!r} cannot be a name.",
            why="it becomes the name of a file",
            next="use lower-case letters, digits, hyphens, dots",
            now="nothing was sent",
        )
    return name


def _dry_run(member: "OpenProfile", wish: "Wish", output: Output) -> int:
    from freehold.cli.quote_text import quote_document, quote_text, tried

    quote = member.model_owner().quote(wish)
    objection, free = tried(member, quote)
    document = quote_document(quote, free) | {"sent": False, "refused": objection}
    output.result("quote", document, lambda: quote_text(quote, free, objection) + "\n nothing was sent")
    return DONE


def _train(
    member: "OpenProfile",
    wish: "Wish",
    name: str,
    most: int | None,
    output: Output,
    *,
    detach: bool,
    wait: str | None,
    yes: bool,
) -> int:
    from freehold.cli.carrying_out import carry_out
    from freehold.errors import Refused

    agent = member.model_owner()
    if name not in agent.orders():
        most = _agreed_cost(member, agent, wish, most, output, yes=yes)
    with output.progress() as progress:
        order = agent.train(name, wish, max_cost=0 if most is None else most)
        goes_on = f"the same command, or `freehold up`, goes on with {name}; look: freehold status {name}"
        last: list[Progress] = []

        def done() -> bool:
            last[:] = [agent.progress(name)]
            _tell(last[0], progress)
            stands = last[0].phase in ("finished", "failed")
            return stands or (detach and last[0].training is not None)

        if not done():
            carry_out(member, agent, to=agent.member, done=done, wait=wait, goes_on=goes_on)
        progress.settle()
    if not last:
        raise Refused("unknown", f"Training {short(order.couple)} is not known.")
    return _show(member, last[0], output)


def _agreed_cost(
    member: "OpenProfile", agent: "ModelOwner", wish: "Wish", most: int | None, output: Output, *, yes: bool
) -> int:
    """The most that may be locked: shown, compared with `--max-cost`, and confirmed."""
    import sys

    from freehold.agents.reading import Reader
    from freehold.cli.asking import confirm
    from freehold.cli.quote_text import free_credits, quote_text
    from freehold.errors import Refused
    from freehold.terminal.money import in_credits

    quote = agent.quote(wish)
    free = free_credits(Reader(member.world.ledger), agent.member)
    if most is not None and quote.cost > most:
        raise Refused(
            "no-funds",
            f"This training costs at most {in_credits(quote.cost)}, you allow {in_credits(most)}.",
            why="the whole price is locked at the request; what is unused returns",
            next="raise --max-cost, or ask for fewer --rounds",
            now="nothing was sent",
        )
    if not output.json and not yes:
        print(quote_text(quote, free, ""), file=sys.stderr)
    question = (
        f"Join, and lock at most {in_credits(quote.cost)} once you are credited?"
        if free is None
        else f"Lock at most {in_credits(quote.cost)} of your {in_credits(free)}?"
    )
    if not confirm(question, yes=yes):
        raise PersonNeeded("The price was not confirmed.", now="nothing was sent")
    return quote.cost


def _tell(now: "Progress", shown: "Shown") -> None:
    from freehold.cli.training_text import round_line, subset_numbers
    from freehold.terminal.money import in_credits

    training = now.training
    if training is None:
        waits = {
            "waiting-for-funds": f"waits for credits: {in_credits(now.cost)} are needed",
            "requesting": "requests the training",
        }
        shown.show("phase", f" {now.name}: {waits.get(now.phase, now.phase)}")
        return
    couple = training.couple
    if now.phase == "waiting-for-approval":
        shown.show("phase", f" requested {short(couple.id)}; waits for the data owner")
        return
    shown.show("phase", f" {now.name} ({short(couple.id)}): {now.phase}" + (f", {now.reason}" if now.reason else ""))
    numbers = subset_numbers(training)
    for number in range(1, couple.record.round + 1):
        line = round_line(training, number, numbers, shown.symbols, shown.ink)
        if shown.in_place or all(vote.ballot.record.state != "open" for vote in training.of_round(number)):
            shown.show(f"round-{number}", f" {line}")


def _show(member: "OpenProfile", stands: "Progress", output: Output) -> int:
    from freehold.agents.reading import Reader
    from freehold.cli.training_text import training_document

    document: dict[str, Any] = {"name": stands.name, "phase": stands.phase, "couple": stands.couple}
    document |= {"cost": stands.cost, "model": None if stands.model is None else str(stands.model)}
    document |= {"reason": stands.reason}
    if stands.training is not None:
        document["training"] = training_document(stands.training, Reader(member.world.ledger))
    output.result("training", document, lambda: _text(stands, document))
    return NO if stands.phase == "failed" else DONE


def _text(stands: "Progress", document: dict[str, Any]) -> str:
    from freehold.terminal.money import in_credits

    training = document.get("training")
    if stands.phase == "failed":
        returned = " · what was locked returned" if training else ""
        return f" no model: {stands.reason}{returned}"
    if training is None or stands.model is None:
        return f" requested {short(stands.couple)}; you may close this: freehold status {stands.name}"
    jobs, votes = training["jobs"], sum(training["jobs"].values())
    return (
        f" {training['complete']} rounds, {jobs['accepted']} of {votes} jobs accepted · "
        f"spent {in_credits(training['spent'])}, returned {in_credits(stands.cost - training['spent'])}\n"
        f" model    {stands.model}\n"
        f" next     freehold predict {stands.name} FILE.csv --out predictions.csv\n"
        f" training {stands.couple}"
    )
