"""How well somebody can tell which members of the market belong to one cloud owner, from when and how they act.

Some weeks of a market are simulated: two hundred cloud owners with two to five members each, real contract, real
actions, and the product's own plan deciding what each member does next. Half of the owners teach a classifier, and it
tries the other half. `docs/unlinkability.md` says what the figures mean, and `bench/pseudonyms/habits.py` what was
assumed about people and machines.

    python bench/unlinkability.py [--owners N] [--seed N]    prints tables, writes bench/results/unlinkability.json
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pseudonyms.habits import DAY, HOUR, Conduct, Size
from pseudonyms.linking import Found, Half, halves, link
from pseudonyms.market import Market, Recorded
from pseudonyms.views import GROUPS, Seen, of_group

RESULTS: Final = Path(__file__).parent / "results" / "unlinkability.json"
SEED: Final = 11
MARKETS: Final[Mapping[str, Conduct]] = {
    "before": Conduct(own_clock=True),
    "as it comes": Conduct(),
    "spread 6h": Conduct(spread=6 * HOUR),
    "spread 3d, one withdrawal": Conduct(spread=3 * DAY, withdraws="one"),
}
LEAKS: Final[Mapping[str, tuple[Conduct, str]]] = {
    "collects for all at once": (
        Conduct(spread=3 * DAY, withdraws="one", collects_together=True),
        "when payouts are collected",
    ),
    "one sealing key for all": (Conduct(spread=3 * DAY, withdraws="one", one_key=True), "ids, keys, sizes"),
    "one in five rotates all keys": (
        Conduct(spread=3 * DAY, withdraws="one", rotates=0.2),
        "when money is taken out, keys rotated",
    ),
}
"""The most discreet market with one leak put there on purpose, and the trace in which the classifier must find it."""
_OFF_LEDGER: Final = ("upload", "connection", "bank")
ADVERSARIES: Final[Mapping[str, tuple[str, ...]]] = {
    "outsider": (),
    "another cloud owner": ("upload",),
    "node, a connection for each member": ("upload",),
    "node, one connection for all": ("upload", "connection"),
    "treasury": ("bank",),
}
"""What each sees beside the ledger. The memory engine's blocks hold one action each, so that the ledger itself shows
exact times of arrival: a node sees no finer ones."""


@dataclass(frozen=True, slots=True)
class Lived:
    """A market that was lived, and its owners in two halves."""

    recorded: Recorded
    seen: Seen
    taught: Half
    tested: Half
    seconds: float


def lived(conduct: Conduct, size: Size, seed: int) -> Lived:
    """Lets a market live."""
    began = time.perf_counter()
    market = Market(seed, size, conduct)
    market.lives()
    recorded = market.recorded()
    seen = Seen(recorded)
    return Lived(recorded, seen, *halves(seen, recorded.owner_of, seed), seconds=time.perf_counter() - began)


def names_for(adversary: str, half: Half) -> list[str]:
    """The features that an adversary has."""
    hidden = tuple(name for name in _OFF_LEDGER if name not in ADVERSARIES[adversary])
    return [name for name in half.features if not name.startswith(hidden)]


def by_adversary(market: Lived, seed: int) -> dict[str, Found]:
    """What each adversary finds. The cloud owner among them knows its own members, so their pairs do not count."""
    found = {}
    for adversary in ADVERSARIES:
        tested = market.tested
        if adversary == "another cloud owner":
            tested = tested.without(int(tested.owners[0]))
        found[adversary] = link(market.taught, tested, names_for(adversary, tested), seed)
    return found


def by_group(market: Lived, seed: int) -> dict[str, Found]:
    """What an adversary finds who has one kind of trace only."""
    every = list(market.tested.features)
    return {group: link(market.taught, market.tested, of_group(every, group), seed) for group in GROUPS}


def shuffled(market: Lived, seed: int) -> Found:
    """What is found where every member was given to a random owner: nothing, or the figures cannot be trusted."""
    taught, tested = halves(market.seen, market.recorded.owner_of, seed, shuffled=True)
    return link(taught, tested, names_for("outsider", tested), seed)


def table(title: str, columns: Mapping[str, Mapping[str, Found]]) -> str:
    """Advantages with their intervals: a column for each market, a row for each adversary or trace."""
    rows = [[title, *columns]]
    for row in next(iter(columns.values())):
        cells = [column[row] for column in columns.values()]
        rows.append([row, *(f"{cell.advantage:.2f} ({cell.low:.2f}–{cell.high:.2f})" for cell in cells)])
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )


def plain(found: Mapping[str, Found]) -> dict[str, Any]:
    """Figures as they are written down."""
    return {name: {part: round(value, 4) for part, value in asdict(each).items()} for name, each in found.items()}


def main() -> int:
    """Measures every market; 1 if the classifier misses a leak put there on purpose, or finds what is not there."""
    parser = argparse.ArgumentParser(description="Who can tell which members belong to one cloud owner.")
    parser.add_argument("--owners", type=int, default=Size().owners)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    size = Size(owners=asked.owners, datasets=max(4, Size().datasets * asked.owners // Size().owners))
    adversaries, groups, markets = {}, {}, {}
    nothing: Found | None = None
    for name, conduct in MARKETS.items():
        market = lived(conduct, size, asked.seed)
        adversaries[name], groups[name] = by_adversary(market, asked.seed), by_group(market, asked.seed)
        nothing = nothing or shuffled(market, asked.seed)
        markets[name] = {
            "actions": len(market.recorded.connections),
            "members": len(market.seen.members),
            "pairs": len(market.tested.true),
            "true": int(market.tested.true.sum()),
        }
        print(f"{name}: {markets[name]}, {market.seconds:.0f} s", file=sys.stderr)
    leaks = {}
    for name, (conduct, group) in LEAKS.items():
        market = lived(conduct, size, asked.seed)
        leaks[name] = link(market.taught, market.tested, of_group(list(market.tested.features), group), asked.seed)
    assert nothing is not None
    quiet = groups["spread 3d, one withdrawal"]
    print(table("advantage (2·AUC − 1) of", adversaries))
    print()
    print(table("with one kind of trace only", groups))
    print()
    without = {name: quiet[group] for name, (_, group) in LEAKS.items()}
    print(table("a leak on purpose, by its trace", {"without it": without, "with it": leaks}))
    print(f"shuffled owners: {nothing.advantage:.2f} ({nothing.low:.2f}–{nothing.high:.2f})")
    missed = [name for name, found in leaks.items() if found.low <= without[name].advantage]
    imagined = not nothing.low <= 0 <= nothing.high
    result = {
        "python": platform.python_version(),
        "figure": "advantage = 2·AUC − 1; low, high: 95 % of draws of owners; first: true among the most suspected",
        "markets": markets,
        "adversaries": {name: plain(found) for name, found in adversaries.items()},
        "traces": {name: plain(found) for name, found in groups.items()},
        "leaks": plain(leaks),
        "shuffled": plain({"outsider": nothing})["outsider"],
        "missed": missed,
    }
    RESULTS.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    for name in missed:
        print(f"the classifier did not find a leak that is there: {name}")
    if imagined:
        print("the classifier found what is not there")
    return 1 if missed or imagined else 0


if __name__ == "__main__":
    sys.exit(main())
