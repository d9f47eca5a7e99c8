"""`python -m tests.ledger calls|images|clients|faults`: every fault of the disk, power losses, and killed nodes.

`calls` tries every system call, `images` draws `--count` images of power losses, `clients` kills nodes `--count` times
while clients send and ask; `faults` is all three.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

from tests.ledger.clients import play
from tests.ledger.linear import Sent, violations
from tests.ledger.power import Count, try_images
from tests.ledger.system_calls import every_trial, run, strace_works

PORTION = 5_000
_KILLS_OF_ONE = 10


def main() -> int:
    """Tries what was asked for; 1 if anything was lost, 2 if nothing could be tried."""
    parser = argparse.ArgumentParser(prog="python -m tests.ledger", description=__doc__)
    parser.add_argument("what", choices=("calls", "images", "clients", "faults"))
    parser.add_argument("--count", type=int, help="images (100,000 unless given), or kills (100)")
    asked = parser.parse_args()
    match asked.what:
        case "calls":
            return calls()
        case "images":
            return images(asked.count or 100_000)
        case "clients":
            return clients(asked.count or 100)
    return max(calls(), images(asked.count or 100_000), clients(100))


def calls() -> int:
    """Every system call and every fault."""
    if not strace_works():
        print("NOT TRIED: strace is not installed here, or may not follow processes", file=sys.stderr)
        return 2
    trials = every_trial()
    tried: dict[str, Counter[str]] = defaultdict(Counter)
    lost = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for outcome in pool.map(run, trials):
            tried[outcome.trial.call][outcome.trial.fault] += 1
            if outcome.wrong:
                lost += 1
                print(f"{outcome.trial}: {outcome.wrong}")
    faults = list(dict.fromkeys(trial.fault for trial in trials))
    print("  ".join(["call".ljust(10), *faults]))
    for call, counts in tried.items():
        print("  ".join([call.ljust(10), *(str(counts[fault]).rjust(len(fault)) for fault in faults)]))
    print(f"{len(trials)} faults, {lost} of them lost something or were met without words")
    return 1 if lost else 0


def images(count: int) -> int:
    """So many images, on all processors."""
    seeds = range(-(-count // PORTION))
    tried = second = 0
    bad: list[str] = []
    with ProcessPoolExecutor() as pool:
        for each in pool.map(_portion, seeds):
            tried, second, bad = tried + each.images, second + each.second, [*bad, *each.bad]
            if sys.stderr.isatty():
                print(f"\r{tried:,} of {count:,}", end="", file=sys.stderr, flush=True)
    for line in _unique(bad):
        print(line)
    print(f"{tried:,} images of power losses, {second:,} of a second one during recovery: {len(bad)} lost something")
    return 1 if bad else 0


def clients(kills: int) -> int:
    """So many kills of nodes whose clients send and ask, ten of each ledger."""
    sent: Counter[str] = Counter()
    asked = wrong = 0
    ledgers = -(-kills // _KILLS_OF_ONE)
    for seed in range(ledgers):
        with tempfile.TemporaryDirectory(prefix="freehold-clients-") as name:
            played = play(Path(name), seed, _KILLS_OF_ONE)
        found = violations(played.log, played.told)
        for line in found:
            print(f"seed {seed}: {line}")
        wrong += len(found)
        sent.update(each.outcome for each in played.told if isinstance(each, Sent))
        asked += sum(not isinstance(each, Sent) for each in played.told)
    said = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(sent.items()))
    print(f"{ledgers * _KILLS_OF_ONE} kills, {sent.total():,} sent ({said}), {asked:,} questions: {wrong} violations")
    return 1 if wrong else 0


def _portion(seed: int) -> Count:
    return try_images(PORTION, seed)


def _unique(lines: list[str]) -> Iterator[str]:
    yield from dict.fromkeys(lines)


if __name__ == "__main__":
    sys.exit(main())
