"""The picture of a result, as one SVG file that needs nothing beside it: what was detected, how soon, at whose cost.

A line for each attack, by role. A dot stands where it was detected, on a scale of market time that grows tenfold from
mark to mark, since a refusal comes at once and a deadline after a minute; full if it was detected in every run, hollow
if in some. An attack that was never detected says so in words. The numbers beside it are sums over all runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from math import log10
from typing import Final

from freehold.bench.attacks import ATTACKS
from freehold.bench.measuring import Measured
from freehold.demo.report.markup import Markup, join, tag
from freehold.terminal.money import in_credits

_WIDTH: Final = 960
_NAMES: Final = 24
_LEFT, _RIGHT = 270, 606
_COLUMNS: Final = ((710, "blamed"), (825, "credits lost"), (930, "rounds lost"))
_TOP: Final = 118
_ROW: Final = 24
_MARKS: Final = ((0.0, "at once"), (0.1, "0.1 s"), (1.0, "1 s"), (10.0, "10 s"), (100.0, "100 s"))
_STYLE: Final = """
text { font: 13px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1C2227 }
.title { font-size: 19px; font-weight: 600 }
.quiet, .quiet text { fill: #5F6B73 }
.role { font-weight: 600 }
.end { text-anchor: end }
.middle { text-anchor: middle }
.grid { stroke: #D5D9DB; stroke-width: 1 }
.stem { stroke: #5497C3; stroke-width: 2 }
.dot { fill: #0072B2; stroke: #0072B2; stroke-width: 2 }
.some { fill: #FCFCFA }
.bad { fill: #B84E00; font-weight: 600; paint-order: stroke; stroke: #FCFCFA; stroke-width: 5px }
.zero { fill: #858F95 }
"""


def picture(measured: Sequence[Measured], seeds: int) -> str:
    """The whole SVG file."""
    parts: list[Markup] = []
    y = _TOP
    for role, group in groupby(measured, key=lambda each: ATTACKS[each.attack].by):
        y += 10
        parts.append(tag("text", role.capitalize(), x=_NAMES, y=y + 16, class_="role"))
        y += _ROW
        for each in group:
            parts.append(_line(each, y))
            y += _ROW
    height = y + 56
    drawn = join(
        tag("style", Markup(_STYLE)),
        tag("rect", width=_WIDTH, height=height, fill="#FCFCFA"),
        tag("text", "Freehold under attack", x=_NAMES, y=38, class_="title"),
        tag("text", _said(measured, seeds), x=_NAMES, y=62, class_="quiet"),
        _head(y + 4),
        *parts,
        tag(
            "text",
            "Dot: detected; full in every run, hollow in some. Blamed: honest members. Lost: what honest members miss.",
            x=_NAMES,
            y=height - 22,
            class_="quiet",
        ),
    )
    svg = tag(
        "svg",
        drawn,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_WIDTH} {height}",
        width=_WIDTH,
        height=height,
        role="img",
        aria_label=_said(measured, seeds),
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{svg}\n'


def _said(measured: Sequence[Measured], seeds: int) -> str:
    always = sum(each.detected == 1 for each in measured)
    blamed = sum(each.false_blame for each in measured)
    runs = sum(each.runs for each in measured)
    markets = "1 market" if seeds == 1 else f"{seeds} markets"
    return (
        f"{always} of {len(measured)} attacks detected in every run, each played on {markets};"
        f" honest members blamed {blamed} times in {runs} runs"
    )


def _head(bottom: int) -> Markup:
    marks = [
        join(
            tag("line", x1=_across(at), x2=_across(at), y1=_TOP - 4, y2=bottom, class_="grid"),
            tag("text", name, x=_across(at), y=_TOP - 12, class_="quiet middle"),
        )
        for at, name in _MARKS
    ]
    columns = [tag("text", name, x=x, y=_TOP - 12, class_="quiet end") for x, name in _COLUMNS]
    name = tag("text", "detected after (market time)", x=(_LEFT + _RIGHT) // 2, y=_TOP - 30, class_="quiet middle")
    return join(name, *marks, *columns)


def _line(each: Measured, y: int) -> Markup:
    middle = y + _ROW // 2
    shown: Markup
    if each.seconds_to_detection is None:
        shown = tag("text", "not detected", x=_LEFT + 8, y=middle + 4, class_="bad")
    else:
        x = _across(each.seconds_to_detection)
        kind = "dot" if each.detected == 1 else "dot some"
        circle = tag("circle", cx=x, cy=middle, r=5, class_=kind)
        shown = join(tag("line", x1=_LEFT, x2=x, y1=middle, y2=middle, class_="stem"), circle)
    numbers = (
        (each.false_blame, f"{each.false_blame}", "end bad"),
        (each.honest_loss, in_credits(each.honest_loss), "end"),
        (each.rounds_lost, f"{each.rounds_lost}", "end"),
    )
    cells = [
        tag("text", text, x=x, y=middle + 4, class_=kind if number else "end zero")
        for (x, _), (number, text, kind) in zip(_COLUMNS, numbers, strict=True)
    ]
    return join(tag("text", each.attack, x=_NAMES + 12, y=middle + 4), shown, *cells)


def _across(seconds: float) -> float:
    """Where a time stands: the same way from each mark to the one ten times as late, and the first for `at once`."""
    step = (_RIGHT - _LEFT) / (len(_MARKS) - 1)
    if seconds <= 0.01:
        return _LEFT
    return round(_LEFT + step * min(len(_MARKS) - 1, max(0.0, log10(seconds) + 2)), 1)
