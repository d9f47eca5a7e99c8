"""The report: one file, nothing fetched, nothing executed, and readable without seeing it."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from freehold.demo.report.content import Content, Disclosure, Quality, Split
from freehold.demo.report.markup import Markup, join, tag
from freehold.demo.report.page import page
from tests.agents.auditor.recordings import report_of
from tests.market import Market

HOSTILE = "<script>alert(1)</script>\"'&"


@pytest.fixture(scope="module")
def html() -> str:
    training = Market().trains(subsets=2, rounds=4)
    first, second = training.starts_round().ballots
    liar, *others = first.replicas
    liar.commits(b"lie")
    for honest in others:
        honest.commits()
    second.is_agreed()
    first.closes_with(b"gradient", by=others[0].person)
    report = report_of(training)
    members = report.account.rounds[0].ballots[0].members + report.account.rounds[0].ballots[1].members
    content = Content(
        title="A title",
        dataset=HOSTILE,
        rows=426,
        columns=30,
        map="standard",
        replicas=3,
        seconds=12.3,
        names={id: f"cloud {number}" for number, id in enumerate(members, start=1)},
        planted={liar.id: "lazy"},
        blamed={blame.member: blame.statement for blame in report.account.blamed},
        split=Split(classes=(HOSTILE, "good"), counts=((10, 0), (0, 20))),
        quality=Quality(
            measure="accuracy", by_round=(0.5, 0.97), freehold=0.97, central=0.98, majority=0.6, test_rows=143
        ),
        disclosure=Disclosure(features=61, outputs=2, rounds=6, rows=426),
        weights_equal_plaintext=True,
        audit=report,
        earned=dict.fromkeys(members, 100),
        roles=dict.fromkeys(members, "cloud owner"),
    )
    return page(content).decode("utf-8")


class Reader(HTMLParser):
    """Walks the page and notes what it would fetch, and which elements do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def reader(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def test_every_element_is_closed_in_order(reader: Reader) -> None:
    assert reader.open == []


def test_nothing_is_fetched_and_nothing_is_executed(reader: Reader, html: str) -> None:
    for name, attributes in reader.seen:
        assert name not in ("script", "link", "img", "iframe", "object", "embed", "form", "base")
        assert not any(key.startswith("on") or key in ("src", "action", "srcset") for key in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    assert "http://" not in html
    assert "https://" not in html
    assert "url(" not in html
    assert "@import" not in html
    policies = [
        attributes["content"] for name, attributes in reader.seen if name == "meta" and "http-equiv" in attributes
    ]
    assert len(policies) == 1
    assert "default-src 'none'" in (policies[0] or "")


def test_what_a_stranger_wrote_stays_text(reader: Reader, html: str) -> None:
    assert HOSTILE in "".join(reader.text)
    assert "<script" not in html


def test_the_votes_are_a_table_whose_states_are_words(reader: Reader) -> None:
    text = "".join(reader.text)
    assert "out-voted" in text
    assert "accepted" in text
    scopes = [attributes.get("scope") for name, attributes in reader.seen if name == "th"]
    assert {"col", "row", "rowgroup"} <= set(scopes)
    assert any(name == "caption" for name, _ in reader.seen)
    assert reader.seen[0] == ("html", {"lang": "en"})


def test_all_eight_questions_are_answered(reader: Reader) -> None:
    assert sum(text.endswith("?") for text in reader.text) == 8


def test_the_disclosure_is_counted_as_training_says() -> None:
    known = Disclosure(features=76, outputs=2, rounds=6, rows=12_480)
    assert known.all_numbers == 2_926
    assert known.learned_numbers == 846
    assert round(known.rows_per_feature) == 164
    assert Disclosure(features=5, outputs=3, rounds=4, rows=100).learned_numbers == 15


def test_markup_escapes_whatever_is_not_markup() -> None:
    assert tag("p", "<b>", Markup("<i>"), class_='"') == '<p class="&quot;">&lt;b&gt;<i></p>'
    assert join([1, None, "&"], ("x",)) == "1&amp;x"
