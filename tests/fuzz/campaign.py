"""One format under the fuzzer for some time: a process of its own, begun again after each thing that it finds."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

KEPT: Final = Path(__file__).parent.parent / "vectors" / "fuzz"
"""Where bytes that a reader once handled wrongly stay, for the ordinary tests: FORMAT/<16 hex digits>."""
MEGABYTES: Final = 1_024
"""Of a process, the product and its libraries included: a reader that allocates more for small bytes is wrong."""
SECONDS_PER_INPUT: Final = 10
_MOST_CRASHES: Final = 20
_MARGIN: Final = 60
_PROGRESS: Final = re.compile(r"^#\d+\s.* cov: (\d+) .* corp: (\d+)/", re.MULTILINE)
_COUNT: Final = re.compile(r"^(?:#(\d+)\s|stat::number_of_executed_units:\s*(\d+))", re.MULTILINE)
_WHAT: Final = re.compile(r"^(?!INFO|WARNING)(?:\w+\.)*\w+: .*|^==\d+== ?ERROR: .*", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash:
    """Bytes that a reader handled wrongly: where they are kept, and what happened."""

    vector: str
    what: str


@dataclass(slots=True, kw_only=True)
class Found:
    """What became of one format."""

    format: str
    executions: int = 0
    edges: int = 0
    corpus: int = 0
    crashes: list[Crash] = field(default_factory=list)
    trouble: str = ""


def campaign(name: str, corpus: Path, seconds: float, kept: Path = KEPT) -> Found:
    """Runs a format's child until the time is over; what it finds is copied to `kept`."""
    corpus.mkdir(parents=True, exist_ok=True)
    found, end = Found(format=name), time.monotonic() + seconds
    while (left := int(end - time.monotonic())) >= 1 and len(found.crashes) < _MOST_CRASHES:
        with tempfile.TemporaryDirectory(prefix="freehold-fuzz-") as artifacts:
            said, ended_well = _run(name, corpus, Path(artifacts), left)
            _add_figures(found, said)
            crashes = [each for each in sorted(Path(artifacts).iterdir()) if not each.name.startswith("slow-unit-")]
            for crash in crashes:
                again, well = _run_one(name, crash)
                if not well:
                    _keep(found, crash, kept, again)
        if not crashes:
            if not ended_well:
                found.trouble = said.strip().rpartition("\n")[2][:300]
            break
    return found


def _run_one(name: str, crash: Path) -> tuple[str, bool]:
    """What a fresh child said of one input, and whether it handled it well.

    The fuzzer's own tracing keeps the results of comparisons of arrays for ever, so that after some ten thousand
    inputs a child may reach its limit of memory at one that is innocent: only what happens again counts.
    """
    limits = [f"-rss_limit_mb={MEGABYTES}", f"-timeout={SECONDS_PER_INPUT}", f"-artifact_prefix={crash.parent}/again-"]
    command = [sys.executable, "-m", "tests.fuzz.child", name, *limits, str(crash)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False
    )
    return done.stdout, done.returncode == 0


def _run(name: str, corpus: Path, artifacts: Path, seconds: int) -> tuple[str, bool]:
    """What a child printed, and whether it ended as it should."""
    command = [
        *(sys.executable, "-m", "tests.fuzz.child", name),
        f"-max_total_time={seconds}",
        f"-rss_limit_mb={MEGABYTES}",
        f"-timeout={SECONDS_PER_INPUT}",
        f"-artifact_prefix={artifacts}/",
        "-len_control=0",
        "-print_final_stats=1",
        str(corpus),
    ]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True
    )
    try:
        said, _ = child.communicate(timeout=seconds + _MARGIN + SECONDS_PER_INPUT)
    finally:
        child.kill()
        child.wait()
    return said, child.returncode == 0


def _add_figures(found: Found, said: str) -> None:
    counts = [int(first or second) for first, second in _COUNT.findall(said)]
    found.executions += max(counts, default=0)
    for edges, corpus in _PROGRESS.findall(said):
        found.edges = max(found.edges, int(edges))
        found.corpus = int(corpus)


def _keep(found: Found, crash: Path, kept: Path, said: str) -> None:
    data = crash.read_bytes()
    vector = kept / found.format / sha256(data).hexdigest()[:16]
    vector.parent.mkdir(parents=True, exist_ok=True)
    vector.write_bytes(data)
    what = _WHAT.findall(said)
    found.crashes.append(Crash(vector=str(vector), what=(what[0] if what else crash.name)[:300]))
