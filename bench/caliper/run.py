"""Hyperledger Caliper on the ledger's engines, beside our own client: the paper's fifteen transactions.

    python bench/caliper/run.py [--quick] [--only embedded,cometbft-1,cometbft-4] [--url URL,…]

starts the nodes, prints tables, and writes bench/results/caliper.json (of a part or a quick run: caliper-part.json).
With --url it drives nodes that run already, for example over Hyperledger Fabric. They must serve the network that the
actions are signed for: `--found FOLDER` takes the operators of the network.json in it, writes the record of these
actions in its place, and waits for a line. Caliper is installed by `npm ci --ignore-scripts` in this folder; CometBFT
is named by FREEHOLD_COMETBFT.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(1, str(Path(__file__).parents[2]))

from caliper import nodes
from caliper.generate import NOT_IN_THE_PAPER, Signed, by_market, by_turns, sign, staged
from caliper.launching import HERE, Reported, Round, installed, launch
from caliper.own import Own, drive
from freehold.errors import FreeholdError
from freehold.protocol.network import NetworkRecord, Operator
from ledger import table

RESULTS: Final = HERE.parent / "results" / "caliper.json"
HIGHEST: Final = "highest"
_LANES: Final = 16
_BATCH: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What is driven, and how hard."""

    operators: int
    """0: one machine."""
    network: str
    rates: tuple[int, ...]
    patience: float
    """Seconds that an answer may take at these rates: one action of a market is on its way at a time, so there are as
    many markets as actions come in this time."""


_RATES: Final = (100, 200, 400)
ENGINES: Final = {
    "embedded": Engine(operators=0, network="embedded", rates=(500, 1_000, 1_500), patience=0.15),
    "cometbft-1": Engine(operators=1, network="cometbft", rates=_RATES, patience=0.6),
    "cometbft-4": Engine(operators=4, network="cometbft", rates=_RATES, patience=0.6),
}


def main() -> int:
    """Measures what was asked for; 2 if Caliper is not there."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--only", default=",".join(ENGINES), help=f"some of {','.join(ENGINES)}")
    parser.add_argument("--url", help="nodes that run already, separated by commas")
    parser.add_argument("--found", type=Path, help="with --url: a folder for the network record")
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
        found["engines"]["running"] = measure_running(asked.url, asked.found, asked.quick)
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
    with nodes.site(engine.operators) as site:
        signed, stages, mixed = rounds_of(engine, quick, site.cards)
        with site.running(signed) as running:
            reported = _launched([*stages, *mixed], engine, running.urls)
        with site.running(signed) as running:
            owns = [drive(running, each) for each in mixed]
    return _told(name, reported, len(stages), owns)


def measure_running(urls: str, folder: Path | None, quick: bool) -> dict[str, Any]:
    """Nodes that run already, by Caliper alone: what they recorded cannot be recorded again."""
    engine = Engine(operators=0, network="fabric", rates=(50, 100, 200), patience=1.0)
    path = None if folder is None else folder / "network.json"
    present = NetworkRecord.parse(path.read_bytes()).operators if path is not None and path.exists() else None
    signed, stages, mixed = rounds_of(engine, quick, present or ())
    if path is not None:
        path.write_bytes(signed.network.encode())
        print(f"{path} is the network of these actions; start its nodes, then press Enter")
        sys.stdin.readline()
    return _told("running", _launched([*stages, *mixed], engine, urls.split(",")), len(stages), [])


def rounds_of(engine: Engine, quick: bool, operators: Sequence[Operator]) -> tuple[Signed, list[Round], list[Round]]:
    """The actions, and the rounds that send them: function by function, and whole markets at several rates."""
    staged_markets, highest = (20, 60) if quick else (200, 200)
    rates = engine.rates[:1] if quick else engine.rates
    counts = [_even(rate * engine.patience) for rate in rates]
    signed = sign(staged_markets + sum(counts) + highest, operators)
    cuts = [staged_markets]
    for count in counts:
        cuts.append(cuts[-1] + count)
    stages = [
        Round(name=function, lanes=by_turns(actions, _LANES), load=2 * _LANES)
        for function, actions in staged(signed.markets[: cuts[0]]).items()
    ]
    mixed = [
        Round(name=str(rate), lanes=by_market(signed.markets[start:end], end - start), rate=rate)
        for rate, start, end in zip(rates, cuts, cuts[1:], strict=False)
    ]
    last = signed.markets[cuts[-1] :]
    mixed.append(Round(name=HIGHEST, lanes=by_market(last, _LANES), batch=_BATCH, load=_LANES * _BATCH))
    return signed, stages, mixed


def _launched(rounds: Sequence[Round], engine: Engine, urls: Sequence[str]) -> list[Reported]:
    with tempfile.TemporaryDirectory(prefix="freehold-caliper-") as folder:
        return launch(rounds, HERE / "networks" / f"{engine.network}.yaml", urls, Path(folder))


def _told(name: str, reported: Sequence[Reported], stages: int, owns: Sequence[Own]) -> dict[str, Any]:
    print(f"\n{name}: Caliper, a round for each function ({_LANES} connections, an action in each request)")
    print(_by_function(reported[:stages]))
    print(f"\n{name}: whole markets, Caliper beside our own client ({HIGHEST}: {_LANES} × {_BATCH})")
    print(_mixed(reported[stages:], owns), flush=True)
    return {
        "functions": [asdict(each) for each in reported[:stages]],
        "mixed": [asdict(each) for each in reported[stages:]],
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
    seen = ("refused", "mean ms", "p99 ms")
    lines: list[tuple[str, ...]] = [
        ("send rate", "Caliper: tps", *seen, "own client: tps", *seen, "processor µs of the nodes")
    ]
    for place, each in enumerate(some):
        cells = (each.name, f"{each.tps:,.0f}", str(each.failed), f"{each.mean_ms:.1f}", f"{each.p99_ms:.1f}")
        said: tuple[str, ...] = ("",) * 5
        if place < len(owns):
            own = owns[place]
            said = (f"{own.tps:,.0f}", str(own.refused), f"{own.mean_ms:.1f}", f"{own.p99_ms:.1f}")
            said = (*said, f"{_of_nodes(own):,.0f}")
        lines.append((*cells, *said))
    return table(lines)


def _of_nodes(own: Own) -> float:
    return sum(spent for role, spent in own.processor_us.items() if role != "clients")


def _even(count: float) -> int:
    """Markets for two workers."""
    return 2 * max(1, round(count / 2))


if __name__ == "__main__":
    sys.exit(main())
