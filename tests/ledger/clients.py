"""Clients that send and ask at once, of a node that is killed meanwhile; what each was told is kept, with its times."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from freehold.errors import FreeholdError, Invalid, Refused, Unavailable
from freehold.ledger.remote import RemoteLedger
from tests.engines.embedded import embedded
from tests.engines.notebook import add
from tests.ledger.linear import Read, Resolved, Sent, Told

CLIENTS = 6
COUNTERS = ("a", "b")
_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of a run."""

    log: tuple[bytes, ...]
    """All actions, in the order in which they lie in the file at the end."""
    told: tuple[Told, ...]
    kills: int


def play(folder: Path, seed: int, kills: int) -> Played:
    """Lets clients send and ask while the node, or its executor alone, is killed so many times; then reads the file."""
    market = _Market(folder, random.Random(seed))
    clients = [_Client(market, number, random.Random(f"{seed}/{number}")) for number in range(CLIENTS)]
    market.start()
    threads = [threading.Thread(target=client.run, daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    for _ in range(kills):
        market.kill_later()
        market.start()
    time.sleep(0.1)
    market.over.set()
    for thread in threads:
        thread.join(_PATIENCE_SECONDS)
        assert not thread.is_alive(), "a client never learnt what became of its action"
    market.end()
    with embedded(folder) as ledger:
        log = tuple(action for block in ledger.export(0, sys.maxsize) for action in block.actions)
    return Played(log=log, told=tuple(each for client in clients for each in client.told), kills=kills)


class _Market:
    """One node at one address, started again after each kill."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.over = threading.Event()
        self.life = 0
        """Which life of the node this is. Only a later one can say that an action is not there, and never will be."""
        self.shared: list[bytes] = []
        """Some actions, for others to send again and to ask about."""
        self._command = [sys.executable, "-m", "tests.ledger.node", str(folder), str(port)]
        self._chance = chance
        self._process: subprocess.Popen[str] | None = None
        self._executor = 0

    def start(self) -> None:
        """Starts the node and waits until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout is not None
        said = self._process.stdout.readline().split()
        assert said, "the node did not start again"
        self._executor = int(said[1])
        self.life += 1

    def kill_later(self) -> None:
        """After a moment kills the node, or its executor alone, and waits until the node is gone."""
        time.sleep(self._chance.uniform(0.05, 0.25))
        assert self._process is not None
        if self._chance.random() < 0.5:
            self._process.kill()
        else:
            os.kill(self._executor, signal.SIGKILL)
        self._process.communicate(timeout=_PATIENCE_SECONDS)

    def end(self) -> None:
        """Ends the node as an operator does."""
        assert self._process is not None
        self._process.terminate()
        self._process.communicate(timeout=_PATIENCE_SECONDS)


class _Client:
    """Sends and asks, one thing after the other."""

    def __init__(self, market: _Market, number: int, chance: random.Random) -> None:
        self.told: list[Told] = []
        self._market = market
        self._chance = chance
        self._ledger = RemoteLedger(market.url)
        self._nonces = count(number * 10**9)

    def run(self) -> None:
        """Goes on until it is over, and then until nothing is unknown."""
        while not self._market.over.is_set():
            try:
                match self._chance.randrange(6):
                    case 0:
                        self._read(self._chance.choice(("", *COUNTERS)))
                    case 1 if self._market.shared:
                        self._ask(self._chance.choice(self._market.shared[-20:]))
                    case 2 if self._market.shared:
                        self._send(self._chance.choice(self._market.shared[-5:]))
                    case _:
                        action = add(self._chance.choice(COUNTERS), self._chance.randint(1, 9), next(self._nonces))
                        self._market.shared.append(action)
                        self._send(action)
            except Unavailable:
                time.sleep(0.02)
        self._ledger.close()

    def _read(self, counter: str) -> None:
        began = time.monotonic_ns()
        amount = self._ledger.evaluate("counter", {"name": counter}) if counter else self._ledger.info().size
        self.told.append(Read(counter=counter, amount=amount, began=began, ended=time.monotonic_ns()))

    def _ask(self, action: bytes) -> int | None:
        began = time.monotonic_ns()
        found = self._ledger.resolve(action)
        position = None if found is None else found.position
        self.told.append(Resolved(action=action, position=position, began=began, ended=time.monotonic_ns()))
        return position

    def _send(self, action: bytes) -> None:
        life, began = self._market.life, time.monotonic_ns()
        position: int | None = None
        try:
            position, outcome = self._ledger.submit(action).position, "accepted"
        except Refused as refused:
            outcome = "refused" if refused.code == "exists" else "unknown"
        except FreeholdError as error:
            outcome = "absent" if isinstance(error, Unavailable) and "nothing was sent" in error.now else "unknown"
        if outcome == "unknown":
            position = self._found_later(action, life)
            outcome = "absent" if position is None else "found"
        self.told.append(
            Sent(action=action, began=began, ended=time.monotonic_ns(), outcome=outcome, position=position)  # type: ignore[arg-type]
        )

    def _found_later(self, action: bytes, life: int) -> int | None:
        """What became of an action whose answer was lost, asked of a later life of the node."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                now = self._market.life
                position = self._ask(action)
                if position is not None or now > life:
                    return position
            except (Unavailable, Invalid):
                pass
            time.sleep(0.02)
        raise TimeoutError("nobody could say what became of an action")
