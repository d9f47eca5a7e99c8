"""A result as a table: for a terminal, and in Markdown for a page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from freehold.bench.attacks import ATTACKS
from freehold.bench.measuring import Measured
from freehold.terminal.colors import Ink
from freehold.terminal.money import in_credits
from freehold.terminal.symbols import Symbols

_HEAD: Final = ("attack", "detected", "after", "blamed", "credits lost", "rounds lost")
_NAME: Final = 32
_WIDTHS: Final = (10, 10, 8, 14, 13)


def table_text(measured: Sequence[Measured], ink: Ink, symbols: Symbols) -> str:
    """The table that a person reads on a terminal."""
    lines = [ink.dim(f" {_HEAD[0].ljust(_NAME)}" + _right(_HEAD[1:]))]
    for role, group in groupby(measured, key=lambda each: ATTACKS[each.attack].by):
        lines.append(f" {ink.strong(role)}")
        for each in group:
            symbol = symbols.done if each.detected == 1 else symbols.failed
            paint = ink.good if each.detected == 1 else ink.warn
            name = f"{each.attack:<{_NAME - 3}}"
            lines.append(f"  {paint(symbol)} {name}{_right(_cells(each))}")
    return "\n".join(lines)


def ending_text(measured: Sequence[Measured], seeds: int, out: str, seconds: float, ink: Ink) -> str:
    """The few lines below the table."""
    always = sum(each.detected == 1 for each in measured)
    blamed = [each for each in measured if each.false_blame]
    names = ", ".join(f"{each.attack} ({each.false_blame})" for each in blamed) or "none"
    others = [f"{each.attack} ({_cells(each)[0]})" for each in measured if each.detected < 1]
    lines = [
        ("found", f"{always} of {len(measured)} in every run" + (f"; not {', '.join(others)}" if others else "")),
        ("blamed", f"honest members out-voted or missing: {names}"),
        ("holds", "every invariant of the contract, in every market"),
        ("look at", f"{out}/cheating.svg, {out}/cheating.json"),
    ]
    shown = [f" {ink.strong(name.ljust(8))} {text}" for name, text in lines]
    return "\n".join([*shown, ink.dim(f" {seeds} {'seed' if seeds == 1 else 'seeds'}, {seconds:.0f} s")])


def markdown(measured: Sequence[Measured]) -> str:
    """The table for a page."""
    rows = ["| who | attack | detected | after | honest members blamed | credits lost | rounds lost |"]
    rows.append("|---|---|---|---|---|---|---|")
    for each in measured:
        cells = " | ".join(_cells(each))
        rows.append(f"| {ATTACKS[each.attack].by} | `{each.attack}` | {cells} |")
    return "\n".join(rows)


def _cells(each: Measured) -> tuple[str, ...]:
    found = round(each.detected * each.runs)
    return (
        f"{found}/{each.runs}",
        _after(each.seconds_to_detection),
        f"{each.false_blame}",
        in_credits(each.honest_loss),
        f"{each.rounds_lost}",
    )


def _after(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    return f"{seconds:.2f} s" if seconds else "at once"


def _right(cells: Sequence[str]) -> str:
    return "".join(cell.rjust(width) for cell, width in zip(cells, _WIDTHS, strict=True))
