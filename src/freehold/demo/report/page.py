"""The whole page: one file, nothing fetched, nothing executed."""

from importlib import resources

from freehold.demo.report import sections
from freehold.demo.report.content import Content
from freehold.demo.report.markup import Markup, join, tag

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_MARK = Markup(
    '<svg class="mark" viewBox="0 0 24 24" width="32" height="32" aria-hidden="true">'
    '<path class="land" d="M3 8 12 3l9 5v9l-9 4-9-4z"/><path class="boundary" d="M12 3v18"/></svg>'
)


def page(content: Content) -> bytes:
    """The report as one self-contained HTML file."""
    css = resources.files("freehold.demo.report").joinpath("report.css").read_text("utf-8")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{content.title} · Freehold"),
        tag("style", Markup(css)),
    )
    parts = (
        sections.key_figures(content),
        sections.quality(content),
        sections.votes(content),
        sections.money(content),
        sections.split(content),
        sections.disclosure(content),
        sections.questions(content),
        sections.check_yourself(content),
    )
    body = tag("body", _skip(), _header(content), tag("main", *parts, id="main"), _footer(content))
    return ("<!doctype html>\n" + tag("html", head, body, lang="en")).encode("utf-8")


def _skip() -> Markup:
    return tag("a", "Skip to the results", href="#main", class_="skip")


def _header(content: Content) -> Markup:
    return tag(
        "header",
        tag("p", _MARK, tag("span", "Freehold"), class_="brand"),
        tag("h1", content.title),
        tag("p", _lead(content), class_="lead"),
        tag(
            "p",
            f"{content.columns} columns, feature map {content.map}, {content.seconds:.1f} seconds in all.",
            class_="quiet",
        ),
    )


def _lead(content: Content) -> str:
    account, subsets = content.audit.account, len(content.split.counts[0]) if content.split.counts else 0
    rounds = "1 round" if account.rounds_complete == 1 else f"{account.rounds_complete} rounds"
    return (
        f"The data owner cut the {content.rows:,} rows of {content.dataset} into {subsets} subsets, and sealed each to"
        f" {content.replicas} cloud owners. They computed on encrypted numbers for {rounds}. The model owner got the"
        " model and saw no row; the cloud owners saw the rows of their own subset and never the model."
    )


def _footer(content: Content) -> Markup:
    account = content.audit.account
    return tag(
        "footer", join("Training ", tag("code", account.couple), " on network ", tag("code", content.audit.network))
    )
