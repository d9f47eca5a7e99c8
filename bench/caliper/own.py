"""Our own client on the same lanes, beside Caliper, and what the nodes' processes spent meanwhile."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from caliper.generate import encode
from caliper.launching import REFUSED_LARGEST, Round
from caliper.nodes import Running
from ledgers.processes import processor_seconds

_PROGRAM: Final = Path(__file__).parents[1] / "ledgers" / "sender.py"
_SENDERS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What our client saw; its first tenth warms up and is left out."""

    tps: float
    mean_ms: float
    p50_ms: float
    p99_ms: float
    refused: int
    processor_us: Mapping[str, float]
    """Of all nodes' processes by what they do, and of the clients, for each action."""


def drive(running: Running, some: Round) -> Own:
    """Sends the round's lanes as Caliper does: as many connections, requests of the same size, the same rate."""
    count = max(_SENDERS, len(running.urls))
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="freehold-sender-")))
        senders = []
        for number in range(count):
            file = scratch / f"{number}"
            file.write_bytes(encode(some.lanes[number::count]))
            url = running.urls[number % len(running.urls)]
            command = [sys.executable, str(_PROGRAM), url, str(file), "--batch", str(some.batch)]
            command += ["--rate", str(some.rate / count)]
            senders.append(
                stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            )
        _all_say(senders, "ready")
        _all_say(senders, "warm")
        before = _spent(running)
        found = [json.loads(_line(sender)) for sender in senders]
        spent = {role: seconds - before[role] for role, seconds in _spent(running).items()}
    return _summed(found, spent)


def _spent(running: Running) -> dict[str, float]:
    return {role: sum(map(processor_seconds, some)) for role, some in running.roles.items()}


def _all_say(senders: Sequence[subprocess.Popen[str]], word: str) -> None:
    for sender in senders:
        if (said := _line(sender).strip()) != word:
            raise RuntimeError(f"a sender said {said!r} instead of {word!r}")
    for sender in senders:
        assert sender.stdin is not None
        sender.stdin.write("go\n")
        sender.stdin.flush()


def _line(sender: subprocess.Popen[str]) -> str:
    assert sender.stdout is not None
    return sender.stdout.readline()


def _summed(found: Sequence[dict[str, Any]], processor: Mapping[str, float]) -> Own:
    failed = [said for each in found for said in each["failed"]]
    if len(failed) > REFUSED_LARGEST * sum(len(each["seen"]) for each in found):
        raise RuntimeError(f"{len(failed)} actions were not accepted, the first: {failed[0]}")
    spent = sorted(1e3 * seconds for each in found for _, seconds in each["seen"])
    seconds = max(each["ended"] for each in found) - min(each["began"] for each in found)
    return Own(
        tps=len(spent) / seconds,
        mean_ms=statistics.fmean(spent),
        p50_ms=spent[len(spent) // 2],
        p99_ms=spent[len(spent) * 99 // 100],
        refused=len(failed),
        processor_us={
            role: 1e6 * seconds / len(spent)
            for role, seconds in {**processor, "clients": sum(each["processor"] for each in found)}.items()
        },
    )
