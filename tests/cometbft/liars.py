"""Validators that lie, in place of the market's: `python tests/cometbft/liars.py KIND FOLDER SOCKET BELL`.

wrong      executes other rules: every record that it writes says something else
forging    proposes what nobody signed, garbage, and the same action twice
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from freehold.contract.host import Contract
from freehold.ledger.cometbft import abci
from freehold.ledger.cometbft.application import Application
from freehold.ledger.cometbft.client import FILE
from freehold.ledger.cometbft.file import CommitFile
from freehold.ledger.cometbft.server import serve
from freehold.node.executor import CheckedContract
from freehold.node.runtime import read_network
from freehold.node.validator import MarketIntroduction
from freehold.ports.machine import Executed
from freehold.ports.state_view import Read

WRONG, FORGING = "wrong", "forging"
GARBAGE: Final = b"nobody said this, and it is no action at all" * 4


class Wrong(CheckedContract):
    """The market's rules, with a record too many."""

    def execute(self, read: Read, action: bytes, time: int) -> Executed:
        done = super().execute(read, action, time)
        writes: Mapping[str, bytes] = {**done.writes, "wrong/record": action[:32]}
        return Executed(writes=writes, result=done.result, events=done.events)


class Forging(Application):
    """Adds to its own proposals what no honest validator may accept."""

    def prepare_proposal(self, request: abci.PrepareProposal) -> bytes:
        some = request.transactions
        forged = tuple(bytes([*each[:-2], each[-2] ^ 1, each[-1]]) for each in some[:1])
        return abci.prepare_proposal((*some, *forged, GARBAGE, *some[:1]))


def lying(kind: str) -> Callable[[Path], Callable[[Path, Path], list[str]]]:
    """The command of a liar, as the supervisor wants it."""
    return lambda folder: lambda door, bell: [sys.executable, __file__, kind, str(folder), str(door), str(bell)]


def main() -> None:
    """Serves one liar."""
    kind, folder, door, bell = sys.argv[1], *map(Path, sys.argv[2:])
    contract = Contract(read_network(folder))
    made = Forging if kind == FORGING else Application
    machine = Wrong(contract) if kind == WRONG else CheckedContract(contract)
    with closing(CommitFile.open(folder / FILE, contract.network.encode())) as file:
        application = made(file, machine, MarketIntroduction(contract))
        serve(application, door, bell, lifeline=sys.stdin.fileno())


if __name__ == "__main__":
    main()
