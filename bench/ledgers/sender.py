"""A client process: sends signed actions to a node over HTTP, and says how long each took.

    python bench/ledgers/sender.py URL FILE --connections N --batch N [--rate N]

The file holds one list of actions for each connection, as frames of frames. Actions of one connection keep their
order. The process says "ready", waits for a line, sends its first tenth to warm everything up, says "warm", waits
for a line, sends the rest, and prints what it measured as JSON. With a rate each request has its moment, and
latency counts from that moment, whether or not the node kept up.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from freehold.ledger.frames import frame, unframe
from freehold.protocol.envelope import open_action

_WARM = 10
_LARGEST = 2**30


class Connection:
    """One connection and the actions that go through it."""

    def __init__(self, url: str, actions: Sequence[bytes], batch: int) -> None:
        host, port = urlsplit(url).hostname, urlsplit(url).port
        self._client = http.client.HTTPConnection(host or "", port, timeout=120)
        requests = [actions[at : at + batch] for at in range(0, len(actions), batch)]
        bodies = [(frame(some), [_function(action) for action in some]) for some in requests]
        cut = max(1, len(bodies) // _WARM)
        self.warm, self.rest = bodies[:cut], bodies[cut:]
        self.seen: list[tuple[str, float]] = []
        self.failed: list[str] = []

    def send(self, bodies: Sequence[tuple[bytes, list[str]]], start: float, step: float) -> None:
        """Sends requests one after the other, each at its moment if `step` (seconds) is not 0."""
        for number, (body, functions) in enumerate(bodies):
            due = start + number * step
            if step and (left := due - time.monotonic()) > 0:
                time.sleep(left)
            began = due if step else time.monotonic()
            self._client.request("POST", "/actions", body)
            response = self._client.getresponse()
            data = response.read()
            spent = time.monotonic() - began
            if response.status != 200:
                self.failed.append(f"{response.status}: {data[:200]!r}")
                continue
            for function, answer in zip(functions, unframe(data, largest=_LARGEST, most=_LARGEST), strict=True):
                self.seen.append((function, spent))
                if not answer.startswith(b'{"accepted"'):
                    self.failed.append(f"{function}: {answer[:200]!r}")


def _function(action: bytes) -> str:
    return open_action(action, signature_checked=True).function


def _phase(connections: Sequence[Connection], part: str, seconds: float) -> tuple[float, float]:
    """Runs all connections side by side, over so many seconds if not 0; when they began and ended, by the clock that
    all processes share."""
    began = time.monotonic()
    threads = []
    for place, each in enumerate(connections):
        bodies = getattr(each, part)
        step = seconds / max(1, len(bodies))
        # moments of different connections lie between each other
        start = began + step * place / len(connections)
        threads.append(threading.Thread(target=each.send, args=(bodies, start, step)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return began, time.monotonic()


def main() -> None:
    """Sends everything, and prints what it measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("file", type=Path)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--rate", type=float, default=0.0, help="actions a second, of this process")
    asked = parser.parse_args()
    hands = unframe(asked.file.read_bytes(), largest=_LARGEST, most=_LARGEST)
    lists = [unframe(hand, largest=_LARGEST, most=_LARGEST) for hand in hands]
    connections = [Connection(asked.url, actions, asked.batch) for actions in lists]
    actions = sum(len(functions) for each in connections for _, functions in each.rest)
    seconds = actions / asked.rate if asked.rate else 0.0

    print("ready", flush=True)
    sys.stdin.readline()
    _phase(connections, "warm", 0.0)
    for each in connections:
        each.seen.clear()
    print("warm", flush=True)
    sys.stdin.readline()
    began, ended = _phase(connections, "rest", seconds)
    found: dict[str, Any] = {
        "began": began,
        "ended": ended,
        "processor": time.process_time(),
        "seen": [pair for each in connections for pair in each.seen],
        "failed": [said for each in connections for said in each.failed],
    }
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
