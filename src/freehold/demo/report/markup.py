"""HTML from values: whatever is not markup already is escaped, so nothing that a stranger wrote becomes markup."""

from html import escape
from typing import TypeAlias

_VOID = frozenset({"br", "hr", "img", "meta", "link", "col"})
_SHAPES = frozenset({"rect", "line", "path", "circle", "polyline"})


class Markup(str):
    """Text that is markup and safe to write as it is."""

    __slots__ = ()


Child: TypeAlias = "str | int | Markup | list[Child] | tuple[Child, ...] | None"


def tag(name: str, /, *children: Child, **attributes: str | int | float | bool | None) -> Markup:
    """One element; `class_` and `for_` lose their underscore, other underscores become hyphens, None is left out."""
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    if name in _SHAPES and not children:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{join(*children)}</{name}>")


def scrolling(table: Markup, name: str) -> Markup:
    """A table that may be wider than a small screen: it moves sideways on its own, with the keyboard too."""
    return tag("div", table, class_="scroll", role="region", tabindex=0, aria_label=name)


def join(*children: Child) -> Markup:
    """Children one after the other, each escaped unless it is markup."""
    parts = []
    for child in children:
        if isinstance(child, Markup):
            parts.append(str(child))
        elif isinstance(child, list | tuple):
            parts.append(str(join(*child)))
        elif child is not None:
            parts.append(escape(str(child), quote=False))
    return Markup("".join(parts))


def _attribute(key: str, value: str | int | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
