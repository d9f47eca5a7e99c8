"""The model's quality after each round, as a picture whose text keeps its size on every screen.

Only the lines are a drawing that stretches with the page; what is read (ticks, names) stands around it as text, placed
by per cent. A round far below all else, as the first one of a numeric target may be, would press the rest together: it
lies on the lower edge, with its value beside it.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

from freehold.demo.report.content import Quality
from freehold.demo.report.markup import Markup, tag

Scale: TypeAlias = Callable[[float], float]
"""From a value to per cent of the height or width."""

_APART: Final = 10.0
"""Per cent of the height between two names, so that none lies on another."""
_TICKS: Final = 8
"""Rounds that are written under the axis at most."""


def quality_by_round(quality: Quality) -> Markup:
    """The quality after each round, with central training and guessing as lines to compare with."""
    low, high = _axis(quality)
    rounds = len(quality.by_round)

    def across(place: int) -> float:
        return 100 * (place - 1) / (rounds - 1) if rounds > 1 else 50.0

    def up(value: float) -> float:
        return 100 * min(1.0, max(0.0, (value - low) / (high - low)))

    ticks = _ticks(low, high)
    scores = list(enumerate(quality.by_round, start=1))
    points = [(across(place), up(value)) for place, value in scores]
    lines = [
        *(_line(up(tick), "grid") for tick in ticks),
        _line(up(quality.majority), "reference guess"),
        _line(up(quality.central), "reference central"),
        tag("polyline", points=" ".join(f"{x:.2f},{100 - y:.2f}" for x, y in points), class_="line"),
    ]
    plot = tag("svg", *lines, viewBox="0 0 100 100", preserveAspectRatio="none", class_="plot")
    dots = [tag("span", class_="dot", style=f"left:{x:.2f}%;bottom:{y:.2f}%") for x, y in points]
    below = [
        tag("span", quality.written(value), class_="below", style=f"left:{across(place):.2f}%")
        for place, value in scores
        if value < low
    ]
    scale = [tag("span", _short(quality, tick), class_="tick up", style=f"bottom:{up(tick):.2f}%") for tick in ticks]
    under = [
        tag("span", place * quality.groups, class_="tick across", style=f"left:{across(place):.2f}%")
        for place, _ in scores
        if place == 1 or place % _step(rounds) == 0
    ]
    names = _names([
        (up(quality.majority), "guessing", "label"),
        (up(quality.central), "central", "label"),
        (points[-1][1] if points else 0.0, "Freehold", "label own"),
    ])  # fmt: skip
    said = f"{quality.measure} after each round: {quality.written(quality.freehold)} at the end, beside central"
    said += f" training, {quality.written(quality.central)}, and guessing, {quality.written(quality.majority)}"
    area = tag("div", plot, *dots, *below, *scale, *under, *names, class_="area")
    return tag("div", area, tag("p", "complete rounds", class_="axis"), class_="chart", role="img", aria_label=said)


def _axis(quality: Quality) -> tuple[float, float]:
    """Lowest and highest value of the drawing."""
    compared = [quality.freehold, quality.central, quality.majority]
    values = [*quality.by_round, *compared]
    spread = max(0.05, max(values) - min(compared))
    low, high = max(min(values), min(compared) - spread / 2), max(values)
    margin = max(0.01, (high - low) * 0.08)
    return low - margin, min(1.0, high + margin) if high < 1.0 else 1.0 + margin / 4


def _ticks(low: float, high: float) -> list[float]:
    step = next((step for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0) if (high - low) / step <= 6), 5.0)
    return [place * step for place in range(int(low // step), int(high // step) + 1) if low <= place * step <= high]


def _step(rounds: int) -> int:
    """Every how many rounds a number is written."""
    return next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000) if rounds / step <= _TICKS)


def _short(quality: Quality, value: float) -> str:
    text = quality.written(value)
    return text.replace(".0 %", " %") if text.endswith("%") else text[:-1]


def _line(height: float, kind: str) -> Markup:
    at = f"{100 - height:.2f}"
    return tag("line", x1=0, x2=100, y1=at, y2=at, class_=kind)


def _names(wanted: Sequence[tuple[float, str, str]]) -> list[Markup]:
    """The names at the right end of their lines, moved apart where they would lie on each other."""
    ordered = sorted(wanted, key=lambda name: name[0])
    places = [height for height, _, _ in ordered]
    for lower, upper in pairwise(range(len(places))):
        places[upper] = max(places[upper], places[lower] + _APART)
    # what was pushed over the edge pushes back
    over = max(0.0, places[-1] - 100.0)
    for place in reversed(range(len(places))):
        ceiling = places[place + 1] - _APART if place + 1 < len(places) else places[-1] - over
        places[place] = min(places[place], ceiling)
    return [
        tag("span", text, class_=kind, style=f"bottom:{place:.2f}%")
        for place, (_, text, kind) in zip(places, ordered, strict=True)
    ]
