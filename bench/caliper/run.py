"""Hyperledger Caliper on the ledger's engines, beside our own client: the paper's fifteen transactions.

    python bench/caliper/run.py [--quick] [--only embedded,cometbft-1,cometbft-4] [--url URL,…]

starts the nodes, prints tables, and writes bench/results/caliper.json (of a part or a quick run: caliper-part.json).
With --url it drives nodes that run already, for example over Hyperledger Fabric. They must serve the network that the
actions are signed for: `--found FOLDER` writes its record, and waits for a line. Caliper is installed by
`npm ci --ignore-scripts` in this folder; CometBFT is named by FREEHOLD_COMETBFT.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(1, str(Path(__file__).parents[2]))

from caliper import nodes
from caliper.generate import NOT_IN_THE_PAPER, Signed, by_market, by_turns, sign, staged
from caliper.launching import HERE, Reported, Round, installed, launch
from caliper.own import Own, drive
from freehold.errors import FreeholdError
from ledger import table

RESULTS: Final = HERE.parent / "results" / "caliper.json"
MARKET: Final = 57
"""Actions of a market of generate.py."""
HIGHEST: Final = "highest"
_LANES: Final = 16
_BATCH: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What is driven, and how hard."""

    start: Callable[[Signed], AbstractContextManager[nodes.Running]]
    network: str
    rates: tuple[int, ...]


ENGINES: Final = {
    "embedded": Engine(start=nodes.embedded, network="embedded", rates=(500, 1_000, 1_500)),
    "cometbft-1": Engine(start=partial(nodes.operators, count=1), network="cometbft", rates=(100, 250, 500)),
    "cometbft-4": Engine(start=partial(nodes.operators, count=4), network="cometbft", rates=(100, 250, 500)),
}


def main() -> int:
    """Measures what was asked for; 2 if Caliper is not there."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--only", default=",".join(ENGINES), help=f"some of {','.join(ENGINES)}")
    parser.add_argument("--url", help="nodes that run already, separated by commas")
    parser.add_argument("--found", type=Path, help="with --url: the network record is written into this folder first")
    asked = parser.parse_args()
    if not installed():
        print("CALIPER IS NOT INSTALLED: npm ci --ignore-scripts in bench/caliper (node 18 or newer)", file=sys.stderr)
        return 2
    found: dict[str, Any] = {
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} processors",
        "caliper": json.loads((HERE / "package.json").read_text())["dependencies"]["@hyperledger/caliper-cli"],
        "quick": asked.quick,
        "engines": {},
    }
    names = asked.only.split(",")
    if asked.url:
        found["engines"]["running"] = measure("running", _running(asked.url, asked.found), asked.quick)
    else:
        if unknown := set(names) - set(ENGINES):
            parser.error(f"there is no engine {min(unknown)}")
        for name in names:
            found["engines"][name] = _tried(name, asked.quick)
    whole = not asked.quick and not asked.url and list(found["engines"]) == list(ENGINES)
    results = RESULTS if whole and all(found["engines"].values()) else RESULTS.with_stem("caliper-part")
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(found, indent=1) + "\n")
    return 0


def _tried(name: str, quick: bool) -> dict[str, Any] | None:
    try:
        return measure(name, ENGINES[name], quick)
    except FreeholdError as error:
        print(f"{name.upper()} WAS NOT MEASURED: {error}")
        return None


def measure(name: str, engine: Engine, quick: bool) -> dict[str, Any]:
    """One engine under Caliper, and the mixed rounds again under our own client, on fresh nodes."""
    seconds, staged_markets, highest = (2, 20, 60) if quick else (8, 200, 200)
    counts = [_even(rate * seconds / MARKET) for rate in engine.rates]
    signed = sign(staged_markets + sum(counts) + highest)
    cuts = [staged_markets]
    for count in counts:
        cuts.append(cuts[-1] + count)
    stages = [
        Round(name=function, lanes=by_turns(actions, _LANES), load=2 * _LANES)
        for function, actions in staged(signed.markets[: cuts[0]]).items()
    ]
    mixed = [
        Round(name=str(rate), lanes=by_market(signed.markets[start:end], end - start), rate=rate)
        for rate, start, end in zip(engine.rates, cuts, cuts[1:], strict=False)
    ]
    last = signed.markets[cuts[-1] :]
    mixed.append(Round(name=HIGHEST, lanes=by_market(last, _LANES), batch=_BATCH, load=_LANES * _BATCH))
    with engine.start(signed) as running, tempfile.TemporaryDirectory(prefix="freehold-caliper-") as folder:
        network = HERE / "networks" / f"{engine.network}.yaml"
        reported = launch([*stages, *mixed], network, running.urls, Path(folder))
    owns: list[Own] = []
    if name != "running":
        with engine.start(signed) as running:
            owns = [drive(running, each) for each in mixed]
    print(f"\n{name}: Caliper, a round for each function ({len(signed.markets)} markets, {_LANES} connections)")
    print(_by_function(reported[: len(stages)]))
    print(f"\n{name}: whole markets, Caliper beside our own client ({HIGHEST}: {_LANES} × {_BATCH})")
    print(_mixed(reported[len(stages) :], owns))
    return {
        "functions": [asdict(each) for each in reported[: len(stages)]],
        "mixed": [asdict(each) for each in reported[len(stages) :]],
        "own": [asdict(each) for each in owns],
    }


def _by_function(some: Sequence[Reported]) -> str:
    lines: list[tuple[str, ...]] = [("function", "actions", "tps", "mean ms", "p50 ms", "p99 ms", "the paper's")]
    for each in some:
        times = (f"{each.mean_ms:.1f}", f"{each.p50_ms:.1f}", f"{each.p99_ms:.1f}")
        paper = "" if each.name in NOT_IN_THE_PAPER else "yes"
        lines.append((each.name, str(each.succeeded), f"{each.tps:,.0f}", *times, paper))
    return table(lines)


def _mixed(some: Sequence[Reported], owns: Sequence[Own]) -> str:
    head = ("send rate", "Caliper: tps", "mean ms", "p99 ms", "own client: tps", "mean ms", "p99 ms", "processor µs")
    lines: list[tuple[str, ...]] = [head]
    for place, each in enumerate(some):
        cells = (each.name, f"{each.tps:,.0f}", f"{each.mean_ms:.1f}", f"{each.p99_ms:.1f}")
        own = owns[place] if place < len(owns) else None
        said = (
            ("", "", "", "")
            if own is None
            else (f"{own.tps:,.0f}", f"{own.mean_ms:.1f}", f"{own.p99_ms:.1f}", f"{_of_nodes(own):,.0f}")
        )
        lines.append((*cells, *said))
    return table(lines)


def _of_nodes(own: Own) -> float:
    return sum(spent for role, spent in own.processor_us.items() if role != "clients")


def _running(urls: str, folder: Path | None) -> Engine:
    def start(signed: Signed) -> AbstractContextManager[nodes.Running]:
        if folder is not None:
            (folder / "network.json").write_bytes(signed.network.encode())
            print(f"{folder / 'network.json'} is the network of these actions; start its nodes, then press Enter")
            sys.stdin.readline()
        return nullcontext(nodes.Running(urls=tuple(urls.split(",")), roles={}))

    return Engine(start=start, network="fabric", rates=(50, 100, 200))


def _even(count: float) -> int:
    """Markets for two workers."""
    return 2 * max(1, round(count / 2))


if __name__ == "__main__":
    sys.exit(main())
