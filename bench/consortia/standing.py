"""A network in this process that faults happen to, under load, and what is asked of it afterwards.

Nothing that was acknowledged may be missing or stand elsewhere, nothing may be recorded twice, all honest operators
must hold the same blocks, and a stranger who executes all of it again must come to the same state.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from consortia.crowd import Crowd
from consortia.members import Turns
from consortia.validators import Seat
from freehold.contract.host import Contract
from freehold.ledger import blocks
from freehold.ledger.cometbft.client import CometLedger
from freehold.ledger.cometbft.supervisor import Program
from freehold.ledger.proofs.state_tree import StateTree
from freehold.ledger.replay import Replay
from freehold.node.runtime import read_network
from freehold.node.validator import program
from freehold.ports.ledger import Block
from freehold.protocol.digests import sha256

Applications = Callable[[Path], Program]
LEVEL_SECONDS: Final = 90.0


class Lost(AssertionError):
    """Something that must hold after a fault does not."""


class Standing:
    """Running operators, the people at each of them, and what these were told."""

    def __init__(self, seats: Sequence[Seat], markets: Sequence[Turns], validators: int) -> None:
        self.seats = seats
        self.ledgers: dict[int, CometLedger] = {}
        self.validators = validators
        self._markets = [list(markets[number::validators]) for number in range(validators)]
        self._crowds: list[Crowd] = []
        self._threads: list[threading.Thread] = []

    def start(self, number: int, application: Applications = program) -> CometLedger:
        """Starts an operator, with another application than the market's if one is given."""
        self.ledgers[number] = self.seats[number].start(application)
        return self.ledgers[number]

    def stop(self, number: int) -> None:
        """Ends an operator in good order."""
        self.ledgers.pop(number).close()

    def kill(self, numbers: Sequence[int]) -> None:
        """Kills node and application of some operators; whoever watches over them starts both again."""
        for number in numbers:
            for process in self.ledgers[number].pair.processes:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)

    def close(self) -> None:
        """Ends everybody."""
        self.rest()
        for number in list(self.ledgers):
            self.stop(number)

    def act(self, numbers: Sequence[int], markets: int) -> None:
        """Lets people act at these operators, so many markets at each, until they are told to rest."""
        for number in numbers:
            some, self._markets[number] = self._markets[number][:markets], self._markets[number][markets:]
            crowd = Crowd(self.ledgers[number], some)
            self._crowds.append(crowd)
            self._threads.append(threading.Thread(target=crowd.act, name=f"people-{number}", daemon=True))
            self._threads[-1].start()

    def rest(self) -> None:
        """Nobody acts any more; what is on its way may still be decided."""
        for crowd in self._crowds:
            crowd.stopping.set()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def acknowledged(self, number: int | None = None) -> int:
        """How many actions were acknowledged so far, by one operator or by all."""
        own = None if number is None else self.ledgers.get(number)
        return sum(len(crowd.acknowledged) for crowd in self._crowds if number is None or crowd.engine is own)

    def waited(self, since: float) -> list[float]:
        """How long each waited who was answered since then (monotonic), in seconds, ascending."""
        seen = [pair for crowd in self._crowds for pair in list(crowd.seen)]
        return sorted(took for began, took in seen if began + took >= since)

    def await_decision(self, numbers: Sequence[int], seconds: float = LEVEL_SECONDS) -> float:
        """Waits until each of these operators has acknowledged something more; how long it took."""
        before = {number: self.acknowledged(number) for number in numbers}
        began = time.monotonic()
        until(lambda: all(self.acknowledged(number) > before[number] for number in numbers), seconds)
        return time.monotonic() - began

    def await_level(self, numbers: Sequence[int], seconds: float = LEVEL_SECONDS) -> float:
        """Waits until these operators have come equally far, while nobody acts; how long it took."""
        began = time.monotonic()
        until(lambda: len({self.ledgers[number].info().size for number in numbers}) == 1, seconds)
        return time.monotonic() - began

    def require_sound(self, numbers: Sequence[int], *, people_of: Sequence[int] | None = None) -> int:
        """Lost unless all that was acknowledged stands where it was said to be, at each of these operators, and their
        blocks are the same; how many actions are recorded. `people_of` leaves out whoever asked a liar."""
        self.rest()
        self._await_quiet(numbers)
        chains = [_chain(self.ledgers[number]) for number in numbers]
        if any(chain != chains[0] for chain in chains):
            raise Lost("operators hold different blocks")
        actions = [action for block in chains[0] for action in block.actions]
        if len({sha256(action) for action in actions}) != len(actions):
            raise Lost("an action is recorded twice")
        trusted = None if people_of is None else [self.ledgers[number] for number in people_of]
        for crowd in self._crowds:
            if trusted is not None and crowd.engine not in trusted:
                continue
            if crowd.refused:
                raise Lost(f"an honest action was refused: {crowd.refused[0]}")
            for action, told in crowd.acknowledged:
                if any(self.ledgers[number].resolve(action) != told for number in numbers):
                    raise Lost("an acknowledged action is missing, or stands elsewhere")
        replay = Replay(Contract(read_network(self.seats[0].folder)), None)
        for block in chains[0]:
            replay.apply(block)
        root = StateTree(dict(replay.state.scan(""))).root.hex()
        if chains[0] and blocks.parse_header(chains[0][-1].header).state != root:
            raise Lost("the state is not what the blocks make of it")
        return len(actions)

    def _await_quiet(self, numbers: Sequence[int]) -> None:
        """Waits until all are level and nothing was decided for a moment: some of it may still have been on its way."""
        sizes, since = {0}, time.monotonic()
        deadline = since + LEVEL_SECONDS
        while len(sizes) != 1 or time.monotonic() - since < 1.5:
            time.sleep(0.05)
            now = {self.ledgers[number].info().size for number in numbers}
            if now != sizes:
                sizes, since = now, time.monotonic()
            if time.monotonic() > deadline:
                raise Lost(f"operators do not come level: {sorted(now)}")


@contextmanager
def standing(
    seats: Sequence[Seat],
    markets: Sequence[Turns],
    validators: int,
    *,
    others: dict[int, Applications] | None = None,
) -> Iterator[Standing]:
    """All validators running; some with another application."""
    network = Standing(seats, markets, validators)
    try:
        for number in range(validators):
            network.start(number, (others or {}).get(number, program))
        yield network
    finally:
        network.close()


def until(true: Callable[[], bool], seconds: float) -> None:
    """Waits for something to become true; Lost if it does not."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise Lost(f"it did not happen within {seconds:.0f} seconds")
        time.sleep(0.02)


def _chain(ledger: CometLedger) -> list[Block]:
    found: list[Block] = []
    while some := ledger.export(len(found), 64):
        found += some
    return found
