"""A member on the page: a name, the beginning of its id, and a pattern that follows from the id."""

from hashlib import sha256

from freehold.demo.report.content import Content
from freehold.demo.report.markup import Markup, join, tag

_SIDE = 5


def member(content: Content, id: str) -> Markup:
    """A member's pattern, name and short id; never the pattern alone."""
    name = content.names.get(id, "member")
    return tag("span", pattern(id), " ", name, " ", tag("code", id[:8], title=id), class_="member")


def pattern(id: str) -> Markup:
    """Five by five cells, mirrored, and a hue, both from the id: told apart at a glance, proof of nothing."""
    digest = sha256(id.encode("ascii")).digest()
    cells = []
    for row in range(_SIDE):
        for column in range((_SIDE + 1) // 2):
            if digest[row * 3 + column] & 1:
                cells += [_cell(column, row)]
                if column != _SIDE - 1 - column:
                    cells.append(_cell(_SIDE - 1 - column, row))
    hue = int.from_bytes(digest[-2:], "big") % 360
    return tag(
        "svg", join(*cells), viewBox="0 0 5 5", width=14, height=14, aria_hidden="true", class_="pattern",
        style=f"--hue:{hue}",
    )  # fmt: skip


def _cell(column: int, row: int) -> Markup:
    return tag("rect", x=column, y=row, width=1.02, height=1.02)
