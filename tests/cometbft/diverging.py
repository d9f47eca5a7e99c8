"""An application that computes wrongly: counters grow by one too much. Started as `tests.engines.application` is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from freehold.ledger.cometbft.application import Application
from freehold.ledger.cometbft.client import FILE
from freehold.ledger.cometbft.file import CommitFile
from freehold.ledger.cometbft.server import serve
from freehold.ports.machine import Executed
from freehold.ports.state_view import Read
from freehold.protocol import canonical
from tests.engines.application import Everybody
from tests.engines.notebook import NETWORK, Notebook


class Wrong(Notebook):
    """The notebook with a fault in its arithmetic."""

    def execute(self, read: Read, action: bytes, time: int) -> Executed:
        done = super().execute(read, action, time)
        return Executed(writes=_grown(done.writes), result=done.result, events=done.events)


def _grown(writes: Mapping[str, bytes]) -> dict[str, bytes]:
    wrong = dict(writes)
    for key, value in writes.items():
        if key.startswith("counter/"):
            wrong[key] = canonical.encode({"amount": canonical.decode(value, largest=1_000)["amount"] + 1})
    return wrong


def diverging_in(folder: Path) -> Callable[[Path, Path], list[str]]:
    """The command of the wrong application."""
    return lambda door, bell: [sys.executable, "-m", "tests.cometbft.diverging", str(folder), str(door), str(bell)]


if __name__ == "__main__":
    where, socket, hall = map(Path, sys.argv[1:])
    with closing(CommitFile.open(where / FILE, NETWORK.encode())) as file:
        serve(Application(file, Wrong(), Everybody()), socket, hall, lifeline=sys.stdin.fileno())
