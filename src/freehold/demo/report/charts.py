"""The drawings of the report: inline SVG in the page's own colours, each with its numbers beside it as a table."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from freehold.demo.report.content import Quality, Split
from freehold.demo.report.markup import Markup, join, tag
from freehold.terminal.money import in_credits

Scale: TypeAlias = Callable[[float], float]

_WIDTH, _HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 120, 24, 36


def quality_by_round(quality: Quality) -> Markup:
    """The model's quality after each round, with central training and guessing as lines to compare with."""
    values = [*quality.by_round, quality.central, quality.majority]
    low, high = _axis(min(values), max(values))
    rounds = len(quality.by_round)

    def x(round: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * ((round - 1) / max(1, rounds - 1))

    def y(value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - (value - low) / (high - low))

    points = [(x(round), y(value)) for round, value in enumerate(quality.by_round, start=1)]
    drawn = [
        *_grid(low, high, y),
        *(tag("text", round, x=x(round), y=_HEIGHT - 12, class_="tick middle") for round in range(1, rounds + 1)),
        tag("text", "round", x=_WIDTH - _RIGHT + 24, y=_HEIGHT - 12, class_="tick"),
        *_reference(y(quality.majority), "guessing", "guess"),
        *_reference(y(quality.central), "central", "central"),
        tag("polyline", points=" ".join(f"{a:.1f},{b:.1f}" for a, b in points), class_="line"),
        *(tag("circle", cx=f"{a:.1f}", cy=f"{b:.1f}", r=4, class_="dot") for a, b in points),
        *_end_label(points[-1], quality, y),
    ]
    label = f"{quality.measure} after each round, beside central training and guessing"
    return tag("svg", *drawn, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", class_="chart", role="img", aria_label=label)


def _axis(low: float, high: float) -> tuple[float, float]:
    margin = max(0.01, (high - low) * 0.12)
    return low - margin, min(1.0 if high <= 1.0 else high, high + margin)


def _grid(low: float, high: float, y: Scale) -> list[Markup]:
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0) if (high - low) / step <= 6)
    ticks = [tick * step for tick in range(int(low // step), int(high // step) + 1) if low <= tick * step <= high]
    drawn = []
    for tick in ticks:
        at = f"{y(tick):.1f}"
        drawn.append(tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=at, y2=at, class_="grid"))
        drawn.append(tag("text", f"{100 * tick:.0f} %", x=_LEFT - 8, y=y(tick) + 4, class_="tick end"))
    return drawn


def _reference(at: float, label: str, kind: str) -> list[Markup]:
    return [
        tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=f"{at:.1f}", y2=f"{at:.1f}", class_=f"reference {kind}"),
        tag("text", label, x=_WIDTH - _RIGHT + 8, y=f"{at + 4:.1f}", class_="label"),
    ]


def _end_label(point: tuple[float, float], quality: Quality, y: Scale) -> list[Markup]:
    """The model's own label, moved aside where it would lie on that of central training."""
    at = point[1]
    if abs(at - y(quality.central)) < 22:
        at = y(quality.central) + (22 if at >= y(quality.central) else -22)
    return [tag("text", "Freehold", x=_WIDTH - _RIGHT + 8, y=f"{at + 4:.1f}", class_="label own")]


def heat_map(split: Split) -> Markup:
    """Rows of each class in each subset: one hue, darker for a larger share of the class, the number in each cell."""
    subsets = range(len(split.counts[0]) if split.counts else 0)
    head = tag("tr", tag("th", "class", scope="col"), *(tag("th", f"subset {i + 1}", scope="col") for i in subsets))
    body = [
        tag("tr", tag("th", name, scope="row"), *(_heat(count, sum(counts)) for count in counts))
        for name, counts in zip(split.classes, split.counts, strict=True)
    ]
    totals = [sum(counts[i] for counts in split.counts) for i in subsets]
    foot = tag("tr", tag("th", "all", scope="row"), *(tag("td", f"{total:,}") for total in totals))
    caption = tag("caption", "Rows of each class in each subset. Darker: a larger share of that class.")
    return tag(
        "div",
        tag("table", caption, tag("thead", head), tag("tbody", *body), tag("tfoot", foot), class_="heat"),
        class_="scroll",
    )


def _heat(count: int, total: int) -> Markup:
    share = count / total if total else 0.0
    # a class has at most half of its rows in one subset (R2), so the scale ends there
    level = round(10 * min(1.0, share / 0.5))
    return tag("td", f"{count:,}", class_=f"h{level}")


def money_bar(parts: Sequence[tuple[str, int, str]]) -> Markup:
    """Where the escrow went: one bar in proportion, with the amounts in the legend under it."""
    total = sum(amount for _, amount, _ in parts) or 1
    drawn, at = [], 0.0
    for _, amount, kind in parts:
        width = _WIDTH * amount / total
        if width > 0:
            drawn.append(
                tag("rect", x=f"{at:.1f}", y=0, width=f"{max(0.0, width - 2):.1f}", height=24, class_=f"part {kind}")
            )
        at += width
    label = ", ".join(f"{name} {in_credits(amount)}" for name, amount, _ in parts)
    legend = [
        tag("li", tag("span", class_=f"key {kind}", aria_hidden="true"), f" {name} ", tag("b", in_credits(amount)))
        for name, amount, kind in parts
    ]
    bar = tag(
        "svg", *drawn, viewBox=f"0 0 {_WIDTH} 24", class_="bar", role="img", aria_label=label,
        preserveAspectRatio="none",
    )  # fmt: skip
    return join(bar, tag("ul", *legend, class_="legend"))
