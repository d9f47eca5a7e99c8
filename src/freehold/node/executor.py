"""The program of a node's second process: `python -m freehold.node.executor FOLDER SOCKET`, started by the first.

It holds the ledger's file and executes the rules; nobody but the front that started it can reach it.
"""

from __future__ import annotations

import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from freehold.agents.world import system_clock
from freehold.contract.host import Contract
from freehold.errors import Unavailable
from freehold.ledger.embedded.executor import Executor
from freehold.ledger.embedded.service import serve
from freehold.node.runtime import LEDGER, operator_seed, read_network
from freehold.ports.machine import Executed
from freehold.ports.state_view import Read, RecordedView

_PATIENCE_SECONDS = 3.0
"""The executor of a node that was just killed may still write its last block."""


def main(folder: Path, connection: socket.socket) -> None:
    """Serves the ledger in the folder to whoever holds the other end, and ends with it."""
    # Ctrl-C, a service's stop and a closed terminal reach both processes: the front decides what is still recorded.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    with connection:
        serve(lambda: _opened(folder), connection)


def _opened(folder: Path) -> Executor:
    machine, seed = CheckedContract(Contract(read_network(folder))), operator_seed(folder)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return Executor.open(folder / LEDGER, machine, seed, system_clock)
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


class CheckedContract:
    """The rules, for actions whose signatures the front has checked; satisfies `ports.machine.Machine`."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.network = contract.network

    def genesis(self) -> Mapping[str, bytes]:
        """As the contract's."""
        return self._contract.genesis()

    def execute(self, read: Read, action: bytes, time: int) -> Executed:
        """As the contract's, without the signature."""
        return self._contract.execute(read, action, time, signature_checked=True)

    def query(self, view: RecordedView, name: str, arguments: Mapping[str, object]) -> Any:
        """As the contract's."""
        return self._contract.query(view, name, arguments)


def _main(arguments: Sequence[str]) -> None:
    folder, descriptor = arguments
    main(Path(folder), socket.socket(fileno=int(descriptor)))


if __name__ == "__main__":
    _main(sys.argv[1:])
