"""Caliper itself: its benchmark file, its process, and what it reports."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

from caliper.generate import encode

HERE: Final = Path(__file__).parent
PROGRAM: Final = HERE / "node_modules" / ".bin" / "caliper"
COLUMNS: Final = ("Name", "Succ", "Fail", "Send Rate (TPS)", "Max Latency (s)", "Min Latency (s)")
WORKERS: Final = 2
REFUSED_LARGEST: Final = 0.05
"""The part of a round's actions that may be refused. None are where one machine orders them. Between several operators
an action that was not waited for may be overtaken by the one that builds on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round of Caliper."""

    name: str
    lanes: Sequence[Sequence[bytes]]
    """As many actions in the lanes of each worker."""
    batch: int = 1
    rate: int = 0
    """Actions a second; 0: as many as keep `load` of them unanswered."""
    load: int = 0

    @property
    def size(self) -> int:
        """Of all lanes."""
        return sum(map(len, self.lanes))

    def spec(self, folder: Path) -> dict[str, Any]:
        """For the benchmark file; the actions are written beside it."""
        shares = {sum(map(len, self.lanes[worker::WORKERS])) for worker in range(WORKERS)}
        if len(shares) != 1:
            raise ValueError(f"{self.name}: Caliper gives every worker the same number of actions, these have {shares}")
        file = folder / f"{self.name}.frames"
        file.write_bytes(encode(self.lanes))
        control = (
            {"type": "fixed-rate", "opts": {"tps": self.rate}}
            if self.rate
            else {"type": "./bounded-load.js", "opts": {"unanswered": self.load}}
        )
        return {
            "label": self.name,
            "txNumber": self.size,
            "rateControl": control,
            "workload": {
                "module": "./market-workload.js",
                "arguments": {
                    "file": str(file),
                    "name": self.name,
                    "batch": self.batch,
                    "latencies": str(folder),
                },
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What Caliper says of a round, and the latencies that its report rounds away."""

    name: str
    succeeded: int
    failed: int
    send_rate: float
    tps: float
    average_ms: float
    """As Caliper's table gives it: hundredths of a second."""
    mean_ms: float
    p50_ms: float
    p99_ms: float


def installed() -> bool:
    """Whether `npm ci` was done."""
    return PROGRAM.exists() and shutil.which("node") is not None


def launch(rounds: Sequence[Round], network: Path, urls: Sequence[str], folder: Path) -> list[Reported]:
    """Lets Caliper run the rounds one after the other; raises RuntimeError with its words if it fails."""
    benchmark = folder / "benchmark.json"
    described = {
        "test": {
            "name": "freehold",
            "workers": {"number": WORKERS},
            "rounds": [each.spec(folder) for each in rounds],
        }
    }
    benchmark.write_text(json.dumps(described, indent=1))
    report = folder / "report.html"
    command = [str(PROGRAM), "launch", "manager", "--caliper-workspace", str(HERE)]
    command += ["--caliper-benchconfig", str(benchmark), "--caliper-networkconfig", str(network)]
    command += [
        "--caliper-report-path",
        str(report),
        "--caliper-flow-only-test",
        "--caliper-progress-reporting-enabled=false",
    ]
    done = subprocess.run(
        command,
        env=os.environ | {"FREEHOLD_URLS": ",".join(urls)},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode or not report.exists():
        raise RuntimeError(f"Caliper ended with {done.returncode}:\n{done.stdout[-4_000:]}")
    rows = summary(report.read_text())
    if len(rows) != len(rounds):
        raise RuntimeError(f"Caliper reports {len(rows)} of {len(rounds)} rounds:\n{done.stdout[-4_000:]}")
    found = [_reported(row, folder, place) for place, row in enumerate(rows)]
    failed = sum(each.failed for each in found)
    if failed > REFUSED_LARGEST * sum(each.size for each in rounds):
        told = "\n".join(line for line in done.stdout.splitlines() if "error" in line)[:2_000]
        raise RuntimeError(f"{failed} actions were not accepted:\n{told}")
    return found


def summary(report: str) -> list[dict[str, str]]:
    """The rows of the report's first table, by column."""
    tables = _Tables()
    tables.feed(report)
    for table in tables.found:
        head, *rows = table
        if head[: len(COLUMNS)] == list(COLUMNS):
            return [dict(zip(head, row, strict=True)) for row in rows]
    raise RuntimeError("Caliper's report holds no table of rounds")


def _reported(row: dict[str, str], folder: Path, place: int) -> Reported:
    spent = sorted(
        milliseconds
        for worker in range(WORKERS)
        for milliseconds in json.loads((folder / f"{place}-{worker}.json").read_text())
    )
    return Reported(
        name=row["Name"],
        succeeded=int(row["Succ"]),
        failed=int(row["Fail"]),
        send_rate=float(row["Send Rate (TPS)"]),
        tps=float(row["Throughput (TPS)"]),
        average_ms=1e3 * float(row["Avg Latency (s)"]),
        mean_ms=statistics.fmean(spent),
        p50_ms=spent[len(spent) // 2],
        p99_ms=spent[len(spent) * 99 // 100],
    )


class _Tables(HTMLParser):
    """Every table of a page, as rows of text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[list[list[str]]] = []
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, _: object) -> None:
        if tag == "table":
            self.found.append([])
        elif tag == "tr" and self.found:
            self.found[-1].append([])
        elif tag in ("td", "th") and self.found and self.found[-1]:
            self._cell = []

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self._cell is not None:
            self.found[-1][-1].append("".join(self._cell).strip())
            self._cell = None
