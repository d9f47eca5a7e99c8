"""Every attack of this folder as the table of docs/threats.md."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import get_args

import tests.adversaries
from tests.adversaries.attack import ATTACKS, Adversary, Attack, Shown

_SHOWN = {"without": "without the defence", "against": "against it", "unharmed": "nobody is harmed"}


def attacks() -> list[Attack]:
    """Every attack that a module of this folder names, by adversary and then by file and line."""
    for module in pkgutil.walk_packages(tests.adversaries.__path__, "tests.adversaries."):
        if module.name.rpartition(".")[2].startswith("test_"):
            importlib.import_module(module.name)
    order = get_args(Adversary)
    return sorted(ATTACKS, key=lambda attack: (order.index(attack.by), attack.files))


def missing(attack: Attack) -> list[Shown]:
    """What no test shows of an attack: what is promised takes all three, what is not, that it succeeds."""
    wanted = get_args(Shown) if attack.promised else ("without",)
    return [each for each in wanted if each not in attack.shown]


def table() -> str:
    """The table in Markdown, one section for each adversary."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    found = attacks()
    for adversary in get_args(Adversary):
        rows = [attack for attack in found if attack.by == adversary]
        if rows:
            article = "An" if adversary == "outsider" else "The" if adversary in ("network", "ledger operator") else "A"
            yield from ("", f"### {article} {adversary}", "", "| does | stopped by | shown by |", "|---|---|---|")
            yield from map(_row, rows)


def _row(attack: Attack) -> str:
    stopped_by = attack.stopped_by if attack.promised else f"**Not stopped.** {attack.stopped_by}"
    places = ", ".join(f"[{file.rpartition('/')[2]}](../{file})" for file in attack.files)
    shown = [f"{_SHOWN[what]}: {_names(attack.shown[what])}" for what in get_args(Shown) if what in attack.shown]
    return f"| {attack.does} | {stopped_by} | {'<br>'.join([places, *shown])} |"


def _names(tests: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in tests)
