"""The other drawings of the report: the heat map of the split, and the bar of where the escrow went."""

from collections.abc import Sequence

from freehold.demo.report.content import Split
from freehold.demo.report.markup import Markup, join, scrolling, tag
from freehold.terminal.money import in_credits

_WIDTH = 960
_MANY_SUBSETS = 10
_LEVELS = 10


def heat_map(split: Split) -> Markup:
    """Rows of each class in each subset: one hue, darker for a larger share of the class, the number in each cell."""
    subsets = range(len(split.counts[0]) if split.counts else 0)
    numbers = (tag("th", tag("span", "subset ", class_="wide"), index + 1, scope="col") for index in subsets)
    head = tag("tr", tag("th", "class", scope="col"), *numbers)
    body = [
        tag("tr", tag("th", name, scope="row"), *(_heat(count, sum(counts)) for count in counts))
        for name, counts in zip(split.classes, split.counts, strict=True)
    ]
    totals = [sum(counts[index] for counts in split.counts) for index in subsets]
    foot = tag("tr", tag("th", "all", scope="row"), *(tag("td", f"{total:,}") for total in totals))
    caption = tag("caption", "Rows of each class in each subset")
    kind = "heat many" if len(subsets) > _MANY_SUBSETS else "heat"
    table = tag("table", caption, tag("thead", head), tag("tbody", *body), tag("tfoot", foot), class_=kind)
    shades = [tag("span", class_=f"shade h{level}") for level in range(_LEVELS + 1)]
    legend = tag(
        "p", "none of the class ", tag("span", *shades, aria_hidden="true"), " half of it, the most that is allowed",
        class_="legend shades",
    )  # fmt: skip
    return join(scrolling(table, "Rows of each class in each subset"), legend)


def _heat(count: int, total: int) -> Markup:
    share = count / total if total else 0.0
    # a class has at most half of its rows in one subset (R2), so the scale ends there; any row at all is a shade
    level = max(min(count, 1), round(_LEVELS * min(1.0, share / 0.5)))
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
