"""The sections of the report, each from plain facts to markup."""

from collections import Counter

from freehold.agents.auditor.questions import Answer
from freehold.agents.auditor.training import Proof
from freehold.demo.report.chart import quality_by_round
from freehold.demo.report.charts import heat_map, money_bar
from freehold.demo.report.content import Content
from freehold.demo.report.markup import Markup, join, scrolling, tag
from freehold.demo.report.people import member
from freehold.demo.report.votes import vote_grid
from freehold.demo.scores import ACCURACY
from freehold.terminal.money import in_credits

_COLUMNS = 3
"""Of the list of who was paid, where the page is wide enough."""
_SHORT_LIST = 12


def percent(share: float) -> str:
    """A share of one as per cent with one decimal."""
    return f"{100 * share:.1f} %"


def key_figures(content: Content) -> Markup:
    """What a reader who stops here should know."""
    quality, jobs = content.quality, content.audit.account.jobs
    cheaters = len(content.planted)
    caught = sum(id in content.blamed for id in content.planted)
    honest = sum(id not in content.planted for id in content.blamed)
    figures = [
        (quality.written(quality.freehold), f"{quality.measure} on {quality.test_rows:,} rows that nobody had", "good"),
        (quality.written(quality.central), "if all the data lay in one place", ""),
        ("equal" if content.weights_equal_plaintext else "different", "weights, with and without encryption", ""),
        (f"{caught} of {cheaters}", "planted cheaters named by the ledger", "warn" if caught else "")
        if cheaters
        else ("none", "cheaters were planted", ""),
        (str(honest), "honest members blamed", "warn" if honest else ""),
        (f"{jobs.get('accepted', 0):,} of {sum(jobs.values()):,}", "jobs accepted and paid", ""),
    ]
    return tag(
        "dl",
        *(tag("div", tag("dt", words), tag("dd", value, class_=kind or None)) for value, words, kind in figures),
        class_="figures",
    )


def split(content: Content) -> Markup:
    """The data owner's view of its own split."""
    return section(
        "split",
        "How the data was split",
        paragraph(
            f"{content.rows:,} rows were split into {len(content.split.counts[0])} subsets; each went, sealed, to"
            f" {content.replicas} cloud owners. No subset holds all {_kinds(content)}, and none holds more than half of"
            " the rows of one."
            " This picture is the data owner's own: in a real market nobody else gets it."
        ),
        heat_map(content.split),
    )


def _kinds(content: Content) -> str:
    return "classes" if content.quality.measure == ACCURACY else "ranges of the target"


def quality(content: Content) -> Markup:
    """How good the model became."""
    rows = [
        tag(
            "tr",
            tag("th", f"round {number * content.quality.groups}", scope="row"),
            tag("td", content.quality.written(value)),
        )
        for number, value in enumerate(content.quality.by_round, start=1)
    ]
    guessing = "guessing the most frequent" if content.quality.measure == ACCURACY else "guessing the mean"
    for name, value in (("central training", content.quality.central), (guessing, content.quality.majority)):
        rows.append(tag("tr", tag("th", name, scope="row"), tag("td", content.quality.written(value))))
    head = tag("tr", tag("th", "after", scope="col"), tag("th", content.quality.measure, scope="col", class_="number"))
    caption = tag("caption", f"{content.quality.measure.capitalize()} after each round")
    table = tag("table", caption, tag("thead", head), tag("tbody", *rows))
    return section(
        "quality",
        "How good the model became",
        paragraph(
            f"Measured on {content.quality.test_rows:,} rows that nobody in the market ever had. Central training is"
            " what somebody gets who holds all the data in one place."
        ),
        quality_by_round(content.quality),
        tag("details", tag("summary", "as a table"), table),
    )


def votes(content: Content) -> Markup:
    """Who agreed with whom."""
    blamed = [tag("li", member(content, id), ": ", said, _planted(content, id)) for id, said in content.blamed.items()]
    unseen = [
        tag("li", member(content, id), f" was planted as {kind}, and the votes do not show it")
        for id, kind in content.planted.items()
        if id not in content.blamed
    ]
    outcome = (
        tag("ul", *blamed, *unseen, class_="plain")
        if blamed or unseen
        else paragraph("Nobody was out-voted, and nobody was missing.")
    )
    return section(
        "votes",
        "Who did the work",
        paragraph(
            "Out-voted is not guilty: it says who was right if most replicas of that subset were honest. Votes decide"
            " about pay and nothing else."
        ),
        vote_grid(content),
        outcome,
    )


def _planted(content: Content, id: str) -> str:
    return f" (planted: {content.planted[id]})" if id in content.planted else " (not planted)"


def money(content: Content) -> Markup:
    """Who was paid what."""
    account = content.audit.account.money
    parts = [
        ("cloud owners", account.cloud_owners, "clouds"),
        ("data owner", account.data_owners, "data"),
        ("returned to the model owner", account.returned, "back"),
    ]
    if account.locked:
        parts.append(("still locked", account.locked, "locked"))
    # the two owners first, then the cloud owners by number
    people = sorted(
        content.earned, key=lambda each: (content.roles.get(each) == "cloud owner", content.names.get(each, ""), each)
    )
    columns = min(_COLUMNS, -(-len(people) // _SHORT_LIST))
    longest = max(1, -(-len(people) // max(1, columns)))
    lists = [people[start : start + longest] for start in range(0, len(people), longest)]
    return section(
        "money",
        "Who was paid what",
        paragraph(
            f"The model owner locked {in_credits(account.escrow)} credits when it asked. The ledger paid each accepted"
            " job and each complete round by itself; nobody had to be asked, and what was unused returned."
        ),
        money_bar(parts),
        tag("div", *(_earned(content, each, first=place == 0) for place, each in enumerate(lists)), class_="lists"),
    )


def _earned(content: Content, people: list[str], *, first: bool) -> Markup:
    """Some members and what they got."""
    rows = [
        tag("tr", tag("th", member(content, id), scope="row"), tag("td", _signed(content.earned[id]))) for id in people
    ]
    head = tag("tr", tag("th", "member", scope="col"), tag("th", "credits", scope="col", class_="number"))
    said = "What each member got out of this training" + ("" if first else ", continued")
    return tag("table", tag("caption", said), tag("thead", head), tag("tbody", *rows))


def _signed(amount: int) -> str:
    return in_credits(amount).replace("-", "\N{MINUS SIGN}")


def questions(content: Content) -> Markup:
    """The eight questions and their answers."""
    return section(
        "questions",
        "Eight questions, answered from the ledger alone",
        tag("ol", *(_answer(content, answer) for answer in content.audit.answers), class_="questions"),
    )


def _answer(content: Content, answer: Answer) -> Markup:
    remarks: dict[str, list[str]] = {}
    for remark in answer.remarks:
        remarks.setdefault(remark.member, []).append(remark.statement)
    named = [
        tag("li", member(content, id), ": ", said[0], f" (and {len(said) - 1} more)" if len(said) > 1 else None)
        for id, said in remarks.items()
    ]
    return tag(
        "li",
        tag("h3", answer.question),
        tag("p", f"asked by the {answer.asked_by}", class_="condition"),
        tag("p", tag("b", f"{answer.verdict.capitalize()}. "), answer.statement),
        tag("ul", *named, class_="plain") if named else None,
        tag("p", answer.condition[:1].upper() + answer.condition[1:] + ".", class_="condition"),
        _proof(answer.proof),
    )


def _proof(proof: tuple[Proof, ...]) -> Markup | None:
    if not proof:
        return None
    counts = Counter(each.function for each in proof)
    said = ", ".join(f"{count} {function}" for function, count in counts.items())
    rows = [
        tag(
            "tr",
            tag("td", each.position),
            tag("td", each.function, class_="text"),
            tag("td", tag("code", each.action[:16], title=each.action), class_="text"),
        )
        for each in proof
    ]
    head = tag("tr", *(tag("th", name, scope="col") for name in ("log position", "function", "action")))
    return tag(
        "details",
        tag("summary", f"Proved by {said}"),
        scrolling(
            tag("table", tag("caption", "Recorded actions"), tag("thead", head), tag("tbody", *rows)),
            "Recorded actions",
        ),
    )


def disclosure(content: Content) -> Markup:
    """What was disclosed to whom."""
    known = content.disclosure
    whole = "all subsets together" if known.groups == 1 else "each group of subsets"
    sums = f"{known.learned_numbers:,} of {known.all_numbers:,} numbers of XᵀX"
    sums += f" ({percent(known.learned_numbers / known.all_numbers)}) and Xᵀy ({known.features * known.outputs:,})"
    learned = [
        ("model owner", f"the model, and of {whole} at most {sums}", "any row, any single subset"),
        ("cloud owners", "the rows of their own subset, and ciphertexts", "the model, the other subsets"),
        ("data owner", "its own data, who holds it, the map and the number of rounds", "the model"),
        ("everybody", "digests, votes, amounts, times; names, counts and quantiles on the card", "rows, model"),
    ]
    rows = [
        tag(
            "tr",
            tag("th", who, scope="row"),
            tag("td", tag("span", "learned ", class_="narrow"), yes, class_="text"),
            tag("td", tag("span", "not ", class_="narrow"), no, class_="text"),
        )
        for who, yes, no in learned
    ]
    head = tag("tr", *(tag("th", name, scope="col") for name in ("who", "learned", "did not learn")))
    caption = tag("caption", "Who learned what from this training")
    table = tag("table", caption, tag("thead", head), tag("tbody", *rows), class_="prose")
    return section(
        "disclosure",
        "What was disclosed to whom",
        paragraph(
            f"{known.rows_per_feature:.1f} rows stand behind each of the {known.features} features of the map; below 5"
            " a training is refused. A model owner that breaks the rules may get all numbers of XᵀX at once, never a"
            " single subset."
        ),
        table,
    )


def check_yourself(content: Content) -> Markup:
    """How a reader who trusts nobody goes on."""
    audit = content.audit
    return section(
        "check",
        "Check it yourself",
        paragraph(
            f"Every one of {audit.actions:,} signed actions in {audit.blocks:,} blocks was executed again, and came out"
            " as recorded. The file beside this page holds all of them; the check needs no network and asks nobody."
        ),
        tag("pre", tag("code", f"freehold verify evidence.json --network {audit.network}")),
        tag(
            "dl",
            *join_pair("network", audit.network),
            *(join_pair("operator", audit.operator) if audit.operator else ()),
            *(pair for key in audit.signers for pair in join_pair("sealed by", key)),
            *join_pair("root of the log", audit.checkpoint),
            class_="digests",
        ),
    )


def join_pair(name: str, digest: str) -> tuple[Markup, Markup]:
    """A name and a digest for a list of digests."""
    return tag("dt", name), tag("dd", tag("code", digest))


def section(id: str, title: str, *children: Markup | None) -> Markup:
    """A part of the page with its heading."""
    return tag("section", tag("h2", title, id=f"{id}-title"), join(*children), id=id, aria_labelledby=f"{id}-title")


def paragraph(text: str) -> Markup:
    """A paragraph of plain text."""
    return tag("p", text)
