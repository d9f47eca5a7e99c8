"""A page of instructions as a list of steps: who types what, and what the page says will be shown.

In a fenced block marked `console`, a line `name$ command` is typed in the terminal of that name (a backslash at its end
carries it on), and the lines below it are what is shown. Three things may differ from one reader to the next:

- `…` stands for any text within a line, and alone in a line for any lines;
- an id (8 or 64 hexadecimal digits) stands for the reader's own: the same id on the page is the same id everywhere, in
  what is shown and in what is typed, and two ids on the page are two ids;
- the end of a line may have blanks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_PROMPT: Final = re.compile(r"(?P<who>[a-z]+)\$ (?P<command>.+)")
_ID: Final = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{8})\b")
_SHORT: Final = 8
_ANYTHING: Final = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command of the page and what it shows."""

    line: int
    who: str
    command: str
    shown: tuple[str, ...]


def steps_of(page: Path) -> list[Step]:
    """Every step of the page, from its top to its end."""
    return [step for first, lines in _blocks(page) for step in _steps(first, lines)]


def _blocks(page: Path) -> Iterator[tuple[int, list[str]]]:
    """The blocks of a terminal: the number of their first line, and their lines."""
    block: list[str] | None = None
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        if line == "```console":
            block = []
        elif line == "```" and block is not None:
            yield number - len(block), block
            block = None
        elif block is not None:
            block.append(line)
    assert block is None, "a block of the page has no end"


def _steps(first: int, lines: Sequence[str]) -> Iterator[Step]:
    starts = [place for place, line in enumerate(lines) if _PROMPT.fullmatch(line)]
    assert starts[:1] == [0], f"line {first} of the page is shown, but nothing is typed before it"
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        shown = start + 1
        while lines[shown - 1].endswith("\\"):
            shown += 1
        prompt = _PROMPT.fullmatch(lines[start])
        assert prompt is not None
        command = "\n".join([prompt["command"], *lines[start + 1 : shown]])
        yield Step(line=first + start, who=prompt["who"], command=command, shown=tuple(lines[shown:end]))


@dataclass(slots=True)
class Reader:
    """What a reader knows: which of its own ids stands for which id of the page."""

    ids: dict[str, str] = field(default_factory=dict)

    def types(self, command: str) -> str:
        """The command with the reader's own ids; an id that was never shown is a mistake of the page."""
        return _ID.sub(lambda found: self._own(found[0]), command)

    def sees(self, expected: Sequence[str], shown: Sequence[str]) -> bool:
        """Whether the page told the truth; if so, its ids are known from now on."""
        if not expected:
            return not shown
        if expected[0].strip() == _ANYTHING:
            return any(self.sees(expected[1:], shown[skipped:]) for skipped in range(len(shown) + 1))
        if not shown:
            return False
        before = dict(self.ids)
        if self._sees_line(expected[0].rstrip(), shown[0].rstrip()) and self.sees(expected[1:], shown[1:]):
            return True
        self.ids = before
        return False

    def _own(self, id: str) -> str:
        assert id[:_SHORT] in self.ids, f"the page types the id {id}, which nothing has shown"
        known = self.ids.get(id) or self.ids[id[:_SHORT]]
        assert len(known) == len(id), f"the page types the whole id {id}, of which only the beginning was shown"
        return known

    def _sees_line(self, expected: str, shown: str) -> bool:
        places = list(_ID.finditer(expected))
        texts = [_pattern(text) for text in _ID.split(expected)]
        ids = [f"([0-9a-f]{{{len(place[0])}}})" for place in places]
        pattern = "".join(text + id for text, id in zip(texts, [*ids, ""], strict=True))
        found = re.fullmatch(pattern, shown)
        return found is not None and all(
            self._learns(place[0], own) for place, own in zip(places, found.groups(), strict=True)
        )

    def _learns(self, id: str, own: str) -> bool:
        """Whether `own` may be what the page calls `id`."""
        for printed, real in ((id[:_SHORT], own[:_SHORT]), (id, own)):
            if self.ids.get(printed, real) != real or any(
                known == real and other != printed for other, known in self.ids.items()
            ):
                return False
            self.ids[printed] = real
        return True


def _pattern(text: str) -> str:
    return ".*?".join(re.escape(part) for part in text.split(_ANYTHING))
