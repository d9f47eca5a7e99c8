"""The vote grid: a real table, a row for each replica, a column for each round; a state is glyph, colour and word."""

from freehold.agents.auditor.account import RoundAccount
from freehold.demo.report.content import Content
from freehold.demo.report.markup import Markup, join, scrolling, tag
from freehold.demo.report.people import member
from freehold.terminal.symbols import UNICODE

WORDS = {
    "accepted": "accepted",
    "rejected": "out-voted",
    "missing": "missing",
    "undecided": "undecided",
    "committed": "committed",
    "open": "open",
}


_MANY_ROUNDS = 8
"""From here on a cell shows its glyph alone; the word is there for who does not see it, and under the table."""
_MEANINGS = {
    "accepted": "agreed with the majority, and was paid",
    "rejected": "committed to something else, unpaid",
    "missing": "committed to nothing in time, unpaid",
    "undecided": "no result had a majority, so nobody was paid or blamed",
    "committed": "not decided so far",
    "open": "nothing so far",
}


def vote_grid(content: Content) -> Markup:
    """All votes of the training."""
    rounds = content.audit.account.rounds
    head = tag(
        "tr",
        tag("th", "replica", scope="col"),
        *(tag("th", tag("span", "round ", class_="wide"), round.number, scope="col") for round in rounds),
        tag("th", "paid", scope="col"),
    )
    subsets = sorted({(ballot.dataset, ballot.subset) for round in rounds for ballot in round.ballots})
    bodies = [_subset(content, place, subset) for place, subset in enumerate(subsets)]
    kind = "votes many" if len(rounds) > _MANY_ROUNDS else "votes"
    caption = tag("caption", "Each round, every replica of a subset commits to a result; equal results win.")
    table = tag("table", caption, tag("thead", head), *bodies, class_=kind)
    shown = {vote for round in rounds for ballot in round.ballots for vote in ballot.votes}
    return join(scrolling(table, "All votes"), _legend(shown))


def _subset(content: Content, place: int, subset: tuple[str, int]) -> Markup:
    rounds = content.audit.account.rounds
    members = _members(rounds, subset)
    title = tag("tr", tag("th", f"Subset {place + 1}", colspan=len(rounds) + 2, scope="rowgroup"), class_="group")
    rows = []
    for id in members:
        paid = sum(_state(round, subset, id) == "accepted" for round in rounds)
        cells = [_cell(_state(round, subset, id)) for round in rounds]
        rows.append(
            tag(
                "tr",
                tag("th", member(content, id), scope="row"),
                *cells,
                tag("td", f"{paid} {'job' if paid == 1 else 'jobs'}"),
            )
        )
    return tag("tbody", title, *rows)


def _members(rounds: tuple[RoundAccount, ...], subset: tuple[str, int]) -> list[str]:
    """Everybody who had a job for this subset, in the order in which they came."""
    ballots = [each for round in rounds for each in round.ballots if (each.dataset, each.subset) == subset]
    return list(dict.fromkeys(id for ballot in ballots for id in ballot.members))


def _state(round: RoundAccount, subset: tuple[str, int], id: str) -> str | None:
    for ballot in round.ballots:
        if (ballot.dataset, ballot.subset) == subset and id in ballot.members:
            return ballot.votes[ballot.members.index(id)]
    return None


def _cell(state: str | None) -> Markup:
    if state is None:
        return tag("td", tag("span", "no job", class_="hidden"), tag("span", "–", aria_hidden="true"), class_="none")
    glyph = tag("span", UNICODE.vote(state), class_="glyph", aria_hidden="true")
    return tag("td", glyph, tag("span", WORDS.get(state, state), class_="word"), class_=state)


def _legend(shown: set[str]) -> Markup:
    """What each state means, of those that there are."""
    return tag(
        "ul",
        *(
            tag(
                "li",
                tag("span", UNICODE.vote(state), class_=f"glyph {state}", aria_hidden="true"),
                f" {WORDS[state]}: {meaning}",
            )
            for state, meaning in _MEANINGS.items()
            if state in shown
        ),
        class_="legend",
    )
