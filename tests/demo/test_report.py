"""The report: one file, nothing fetched, nothing executed, and readable without seeing it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from importlib import resources
from itertools import pairwise
from typing import Any

import pytest

from freehold.demo.report.chart import quality_by_round
from freehold.demo.report.content import Content, Disclosure, Quality, Split
from freehold.demo.report.markup import Markup, join, tag
from freehold.demo.report.page import page
from freehold.demo.scores import written
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
    names = [name for name, _ in reader.seen]
    assert names.count("caption") == names.count("table") > 3
    regions = [attributes for _, attributes in reader.seen if attributes.get("role") == "region"]
    assert all(attributes.get("tabindex") == "0" and attributes.get("aria-label") for attributes in regions)
    assert reader.seen[0] == ("html", {"lang": "en"})


def test_all_eight_questions_are_answered(reader: Reader) -> None:
    assert sum(text.endswith("?") for text in reader.text) == 8


def test_the_disclosure_is_counted_as_training_says() -> None:
    known = Disclosure(features=76, outputs=2, rounds=6, rows=12_480)
    assert known.all_numbers == 2_926
    assert known.learned_numbers == 846
    assert round(known.rows_per_feature) == 164
    assert Disclosure(features=5, outputs=3, rounds=4, rows=100).learned_numbers == 15


def test_of_subsets_in_groups_each_group_has_rounds_and_rows_of_its_own() -> None:
    known = Disclosure(features=76, outputs=2, rounds=12, rows=12_480, groups=2)
    assert known.learned_numbers == 846
    assert round(known.rows_per_feature) == 82


@pytest.mark.parametrize(("measure", "score", "text"), [
    ("accuracy", 0.97887, "97.9 %"), ("accuracy", 1.0, "100.0 %"), ("R²", 0.4269, "0.427"), ("R²", -3.5934, "−3.593"),
])  # fmt: skip
def test_a_score_is_written_as_what_it_is(measure: str, score: float, text: str) -> None:
    assert written(measure, score) == text


def places_of(quality: Quality, kind: str) -> list[tuple[str, dict[str, float]]]:
    """Text and position, in per cent, of everything of one kind in the picture of the quality."""
    found = re.findall(rf'<span class="{kind}" style="([^"]*)">([^<]*)</span>', str(quality_by_round(quality)))
    positions = [dict(part.split(":") for part in style.split(";")) for style, _ in found]
    numbers = [{name: float(value.rstrip("%")) for name, value in each.items()} for each in positions]
    return [(text, place) for (_, text), place in zip(found, numbers, strict=True)]


def quality_of(scores: tuple[float, ...], **changes: Any) -> Quality:
    fields: dict[str, Any] = {
        "measure": "accuracy", "by_round": scores, "freehold": scores[-1], "central": scores[-1],
        "majority": 0.6, "test_rows": 100,
    }  # fmt: skip
    return Quality(**{**fields, **changes})


@pytest.mark.parametrize("majority", [0.6, 0.95, 0.969, 0.97])
def test_no_name_in_the_picture_lies_on_another(majority: float) -> None:
    quality = quality_of((0.9, 0.97), majority=majority)
    heights = sorted(place["bottom"] for _, place in [*places_of(quality, "label"), *places_of(quality, "label own")])
    assert len(heights) == 3
    assert all(upper - lower >= 10 for lower, upper in pairwise(heights))
    assert -20 <= heights[0] <= heights[-1] <= 100.01


def test_one_bad_round_does_not_press_the_others_together() -> None:
    quality = quality_of((-3.593, 0.39, 0.43), measure="R²", central=0.43, majority=0.0)
    assert [text for text, _ in places_of(quality, "below")] == ["−3.593"]
    assert len(places_of(quality, "tick up")) >= 3
    first, second, third = (place["bottom"] for _, place in places_of(quality, "dot"))
    assert first == 0
    assert third - second > 3


def test_a_hundred_rounds_are_not_a_hundred_numbers_under_the_axis() -> None:
    assert len(places_of(quality_of(tuple(0.5 + n / 300 for n in range(100))), "tick across")) <= 9
    assert len(places_of(quality_of((0.9,)), "tick across")) == 1


def test_where_groups_take_turns_the_score_stands_at_the_round_that_completed_them() -> None:
    ticks = [text for text, _ in places_of(quality_of((0.7, 0.8, 0.9), groups=2), "tick across")]
    assert ticks == ["2", "4", "6"]


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("mode", "first_dark_text"), [("light", 8), ("dark", 7)])
def test_every_text_can_be_read_on_its_ground(mode: str, first_dark_text: int) -> None:
    css = resources.files("freehold.demo.report").joinpath("report.css").read_text("utf-8")
    light, dark = (dict(re.findall(r"--([a-z0-9-]+): (#[0-9A-Fa-f]{6})", part)) for part in css.split("@media", 2)[:2])
    colors = light if mode == "light" else dark
    for name in ("text", "quiet", "accepted", "rejected", "missing"):
        assert contrast(colors[name], colors["ground"]) >= 4.5, name
    for name in ("shared", "back"):
        assert contrast(colors[name], colors["ground"]) >= 3.0, name
    for level in range(11):
        ink = colors["heat-dark"] if level >= first_dark_text else colors["heat-light"]
        assert contrast(ink, colors[f"h{level}"]) >= 4.5, level


def test_markup_escapes_whatever_is_not_markup() -> None:
    assert tag("p", "<b>", Markup("<i>"), class_='"') == '<p class="&quot;">&lt;b&gt;<i></p>'
    assert join([1, None, "&"], ("x",)) == "1&amp;x"
