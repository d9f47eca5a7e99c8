"""What an action costs a network of so many operators on this machine: processor by process, bytes sent, bytes kept.

Every node runs as an operator would run it, with its HTTP; the members' clients run beside them. Bytes on the wire are
those of the connections between the CometBFT nodes, as Linux counts them for each connection (`ss`).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from caliper import nodes
from caliper.generate import by_market, sign
from caliper.launching import Round
from caliper.own import drive
from freehold.contract.host import Contract
from freehold.ledger.remote import RemoteLedger
from freehold.ledger.state import State
from freehold.node.validator import MarketIntroduction
from ledgers.processes import processor_seconds

LANES: Final = 16
BATCH: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """What all nodes did in some time."""

    seconds: float
    actions: int
    blocks: int
    processor: Mapping[str, float]
    """Seconds, of all processes of a kind together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One network: under load (16 connections, 50 actions in each request), with one action at a time, and idle."""

    operators: int
    actions_per_second: float
    p50_ms: float
    p99_ms: float
    alone_ms: float
    """The median of actions sent one at a time to a network that is idle otherwise."""
    load: Phase
    alone: Phase
    idle: Phase
    action_bytes: float
    wire_bytes: float
    """For each action, sent by one operator to the others."""
    disk_bytes: Mapping[str, float]
    """For each action, of one operator, by where it lies."""

    def processor_of(self, role: str) -> tuple[float, float, float]:
        """Seconds of the processes of a kind: under load, with one action at a time, idle."""
        return tuple(each.processor[role] for each in (self.load, self.alone, self.idle))  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What the application does for an action, one step after the other on one processor, microseconds."""

    signature: float
    admission: float
    """Everything else before an action may wait."""
    rules: float


def measure(operators: int, markets: int, *, idle_seconds: float = 6.0) -> Measured:
    """Drives a fresh network."""
    with nodes.site(operators) as site:
        signed = sign(markets + 1, site.cards)
        many, few = signed.markets[:markets], signed.markets[markets:]
        with site.running(signed) as running:
            watch = _Watch(running)
            before = _sent(running.roles["node"])
            found = drive(running, Round(name="many", lanes=by_market(many, LANES), batch=BATCH))
            load = watch.phase(sum(map(len, many)))
            sent = _sent(running.roles["node"]) - before
            # One market, action after action: nobody else sends meanwhile.
            single = drive(running, Round(name="few", lanes=few, batch=1))
            alone = watch.phase(len(few[0]))
            kept = [_kept(folder) for folder in running.folders]
            time.sleep(idle_seconds)
            idle = watch.phase(0)
    actions = sum(map(len, many))
    return Measured(
        operators=operators,
        actions_per_second=found.tps,
        p50_ms=found.p50_ms,
        p99_ms=found.p99_ms,
        alone_ms=single.p50_ms,
        load=load,
        alone=alone,
        idle=idle,
        action_bytes=sum(len(action) for market in many for action in market) / actions,
        wire_bytes=sent / operators / actions,
        disk_bytes={
            place: sum(each[place] for each in kept) / operators / (actions + len(few[0])) for place in kept[0]
        },
    )


class _Watch:
    """Looks at all processes and at the height from time to time."""

    def __init__(self, running: nodes.Running) -> None:
        self._running = running
        self._seen = self._look()

    def phase(self, actions: int) -> Phase:
        """Since the last time."""
        before, self._seen = self._seen, self._look()
        return Phase(
            seconds=self._seen[0] - before[0],
            actions=actions,
            blocks=self._seen[1] - before[1],
            processor={role: spent - before[2][role] for role, spent in self._seen[2].items()},
        )

    def _look(self) -> tuple[float, int, dict[str, float]]:
        ledger = RemoteLedger(self._running.urls[0])
        with closing(ledger):
            height = ledger.info().height
        spent = {role: sum(map(processor_seconds, some)) for role, some in self._running.roles.items()}
        return time.monotonic(), height, spent


def steps(markets: int = 40) -> Steps:
    """Times the application's steps in this process, over whole markets."""
    signed = sign(markets)
    contract = Contract(signed.network)
    introduction, state = MarketIntroduction(contract), State(contract.genesis())
    spent = {"signature": 0.0, "admission": 0.0, "rules": 0.0}
    actions = [action for market in signed.markets for action in market]
    for action in actions:
        with_time = _timed(spent)
        with_time("signature", lambda action=action: introduction.check(action))  # type: ignore[misc]
        with_time("admission", lambda action=action: introduction.sender(state.read, action))  # type: ignore[misc]
        began = time.process_time()
        done = contract.execute(state.read, action, signed.now, signature_checked=True)
        state.apply(done.writes)
        spent["rules"] += time.process_time() - began
    return Steps(**{name: 1e6 * seconds / len(actions) for name, seconds in spent.items()})


def _timed(spent: dict[str, float]) -> Callable[[str, Callable[[], object]], None]:
    def run(name: str, what: Callable[[], object]) -> None:
        began = time.process_time()
        what()
        spent[name] += time.process_time() - began

    return run


def _sent(nodes_of_comet: Sequence[int]) -> float:
    """Bytes that these processes have sent over TCP so far."""
    if shutil.which("ss") is None:
        return float("nan")
    lines = subprocess.run(["ss", "-tinpHO"], capture_output=True, text=True, check=True).stdout.splitlines()
    return float(sum(_bytes(line) for line in lines if set(_owners(line)) & set(nodes_of_comet)))


def _owners(line: str) -> Iterator[int]:
    yield from map(int, re.findall(r"pid=([0-9]+)", line))


def _bytes(line: str) -> int:
    found = re.search(r"bytes_sent:([0-9]+)", line)
    return int(found[1]) if found else 0


def _kept(folder: Path) -> dict[str, int]:
    """Bytes in an operator's folder by what they are for."""
    places = {"blocks": "data/blockstore.db", "results": "data/state.db", "log": "data/cs.wal"}
    found = {name: _size(folder / place) for name, place in places.items()}
    own = sum(each.stat().st_size for each in folder.glob("application.sqlite*"))
    return {**found, "application": own}


def _size(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
