"""One action at a time: how long somebody waits on an idle network, how long a training takes, and who catches up."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from consortia.members import Turns
from consortia.standing import Standing, standing, until
from consortia.validators import founded
from freehold.errors import FreeholdError
from freehold.ports.ledger import Accepted
from freehold.protocol.envelope import open_action
from ledgers.node import FUNCTIONS_OF_THE_PAPER
from ledgers.workload import Workload

QUIET_SECONDS: Final = 0.4
"""Longer than any pause between blocks: whoever acts then finds an idle network."""
_PATIENCE: Final = 120.0


class Node(Protocol):
    """As much of an engine as somebody needs who acts alone."""

    def submit(self, action: bytes) -> Accepted:
        """Sends an action and waits."""
        ...

    def submit_all(self, actions: Sequence[bytes]) -> list[Accepted | FreeholdError]:
        """Sends some, and waits once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """A network on which nobody else acts."""

    latency_ms: float
    """Of one action after a quiet moment; the middle."""
    in_sequence_ms: float
    """Of one action that follows another at once."""
    lifecycle_ms: float
    """Fifteen functions of one training, one after the other, the first of each in a market; the middle of some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUp:
    """How fast an operator comes level."""

    missed: int
    back_s: float
    """Of a validator that was down while so many actions were decided, from its start on."""
    new_s: float
    """Of a node that has nothing, from its start on, for the same actions."""


def idle(workload: Workload, validators: int, *, pause: int, times: int) -> Idle:
    """Members of some markets act in turn, each at another operator."""
    with tempfile.TemporaryDirectory(prefix="freehold-idle-") as folder:
        seats = founded(Path(folder), workload.network, validators, pause=pause)
        with standing(seats, [], validators) as network:
            return one_after_the_other([network.ledgers[number] for number in range(validators)], workload, times)


def one_after_the_other(ledgers: Sequence[Node], workload: Workload, times: int) -> Idle:
    """Members of some markets act in turn, each at another node."""
    lifecycles, following = [], []
    for number, market in enumerate(workload.markets[: times + 1]):
        spent = _lived(ledgers[number % len(ledgers)], market)
        following += spent
        lifecycles.append(sum(spent))
    quiet = []
    for action in workload.markets[times + 1][:20]:
        time.sleep(QUIET_SECONDS)
        began = time.monotonic()
        ledgers[0].submit(action)
        quiet.append(time.monotonic() - began)
    return Idle(
        latency_ms=1e3 * statistics.median(quiet),
        in_sequence_ms=1e3 * statistics.median(following),
        lifecycle_ms=1e3 * statistics.median(lifecycles[1:]),
    )


def _lived(ledger: Node, market: tuple[bytes, ...]) -> list[float]:
    """Seconds of the first action of each of the fifteen functions; the others are sent too, in lots between them."""
    left, spent = set(FUNCTIONS_OF_THE_PAPER), []
    others: list[bytes] = []
    for action in market:
        function = open_action(action, signature_checked=True).function
        if function not in left:
            others.append(action)
            continue
        left.remove(function)
        if others:
            ledger.submit_all(others)
            others = []
        began = time.monotonic()
        ledger.submit(action)
        spent.append(time.monotonic() - began)
        if not left:
            break
    return spent


def catching_up(workload: Workload, markets: list[Turns], *, pause: int) -> CatchUp:
    """One of four validators is down while all markets act at the others; then it starts, and then a new node."""
    with tempfile.TemporaryDirectory(prefix="freehold-catching-up-") as folder:
        seats = founded(Path(folder), workload.network, 4, observers=1, pause=pause)
        # The fourth share is nobody's: its operator is down.
        shared = [
            each for at in range(0, len(markets), 3) for each in (*markets[at : at + 3], Turns(actions=(), after=()))
        ]
        with standing(seats, shared, 4) as network:
            network.stop(3)
            network.act((0, 1, 2), len(markets))
            count = sum(len(market.actions) for market in markets)
            until(lambda: network.acknowledged() == count, 10 * _PATIENCE)
            network.rest()
            back, new = (_started(network, number, count) for number in (3, 4))
            network.require_sound((0, 1, 2, 3, 4))
    return CatchUp(missed=count, back_s=back, new_s=new)


def _started(network: Standing, number: int, count: int) -> float:
    began = time.monotonic()
    ledger = network.start(number)
    until(lambda: ledger.info().size == count, _PATIENCE)
    return time.monotonic() - began
