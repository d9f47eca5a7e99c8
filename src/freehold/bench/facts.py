"""What a market shows: recorded facts, refusals, and checks that failed, each with the time at which it did."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from freehold.bench.market import Market
from freehold.errors import Broken, FreeholdError, Invalid, Refused
from freehold.protocol.identifiers import BallotId

Detected: TypeAlias = "int | None"
"""When an attack showed (ms of market time), or None if it never did."""


def seen_now(market: Market, goes_on: Callable[[], None]) -> Detected:
    """It shows now; the market goes on."""
    seen = market.now
    goes_on()
    return seen


def is_published(market: Market) -> bool:
    """Whether the hospital's dataset can be bought."""
    return is_drafted(market) and market.dataset.dataset.record.state == "published"


def is_drafted(market: Market) -> bool:
    """Whether the ledger shows the hospital's dataset."""
    return any(market.reader.dataset(id) is not None for id in market.hospital.publications())


def round_is(market: Market, number: int) -> bool:
    """Whether the buyer's training has come to this round."""
    return market.training.couple.record.round == number


def holder_of(market: Market, instance: str) -> str:
    """Who was offered this place of a subset."""
    record = market.ledger.evaluate("get", {"kind": "instance", "id": instance})
    return next(person.name for person in market.everybody.values() if person.member == record["co"])


def jobs_of(market: Market, name: str) -> dict[str, str]:
    """The jobs of somebody in the buyer's training, with the ballot of each, rounds ascending."""
    member = market.everybody[name].member
    votes = market.training.ballots
    return {job.id: vote.ballot.id for vote in votes for job in vote.jobs if job.record.co == member}


def first_ballot_of(market: Market, name: str) -> BallotId:
    """The ballot of the first round that somebody had a job in."""
    return BallotId(next(iter(jobs_of(market, name).values())))


def is_burned(market: Market, name: str) -> bool:
    """Whether a stake of somebody was burned."""
    member = market.everybody[name].member
    payouts = market.ledger.evaluate("list", {"kind": "payout", "where": {"payee": member}})
    return any(payout["state"] == "burned" for payout in payouts)


def gave_up(market: Market) -> bool:
    """Whether an honest cloud owner gave up a job because what it was sent cannot be right."""
    return _noted(market, (job.id for vote in market.training.ballots for job in vote.jobs))


def declined(market: Market) -> bool:
    """Whether an honest cloud owner let an offer lie because what it was given cannot be right."""
    if not is_drafted(market):
        return False
    return _noted(market, (instance.id for seen in market.dataset.subsets for instance in seen.instances))


def misread(market: Market, name: str, trouble: type[FreeholdError]) -> Detected:
    """When the model owner first asked for somebody's copy of a result and did not get it, or None.

    What it asked for before the copy was due does not count: then nobody's was there.
    """
    jobs, since = jobs_of(market, name), market.first_act or 0
    found = [each for each in market.everybody["buyer"].shelf.misread if isinstance(each.trouble, trouble)]
    results = [each for each in found if each.at >= since and each.name.startswith("results/")]
    return next((each.at for each in results if each.name.split("/")[1] in jobs), None)


def bad_base(market: Market, name: str) -> Detected:
    """When somebody first found that a base is not what its name says, or None."""
    found = market.everybody[name].shelf.misread
    return next((each.at for each in found if isinstance(each.trouble, Invalid)), None)


def first_told(market: Market, names: Iterable[str], event: str) -> Detected:
    """When the first of these people was told of such an event, or None if none of them ever was."""
    return min((at for at in (market.told(name, event) for name in names) if at is not None), default=None)


def refused(market: Market, sends: Callable[[], object], *code: str) -> Detected:
    """Somebody sends what should be refused: when it was, or None if it was taken; Broken if for another reason."""
    market.acts()
    try:
        sends()
    except Refused as refusal:
        if code and refusal.code not in code:
            raise Broken(f"An attack was refused as {refusal.code}, not as {code[0]}.") from refusal
        return market.now
    return None


def recorded(market: Market, *, after: int) -> list[bytes]:
    """Every action that the ledger holds above a height."""
    blocks = market.ledger.export(after, market.ledger.info().height)
    return [action for block in blocks for action in block.actions]


def _noted(market: Market, subjects: Iterable[str]) -> bool:
    wanted = list(subjects)
    clouds = [
        person for person in market.people.values() if person.role == "co" and person.name not in market.dishonest
    ]
    return any(person.journal.noted("given-up", subject) is not None for person in clouds for subject in wanted)
