"""What is sent: signed actions of many markets that know nothing of each other, each in its own order.

A market is a data owner, twelve cloud owners, a model owner; one dataset of four subsets with three replicas each,
three trainings of six rounds, and everything else that happens to members: every function of the protocol occurs,
in the mix of real trainings. Markets share the network alone, so any number of clients may send them side by side.

All of it is signed before anybody looks at a clock. The network's skew is hours, so that what was signed a while
ago is still taken; no function costs more or less for that.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.market import Market

from freehold.contract.host import Contract
from freehold.ledger.state import State
from freehold.protocol import limits
from freehold.protocol.envelope import open_action
from freehold.protocol.network import NetworkRecord

SUBSETS: Final = 4
REPLICAS: Final = 3
ROUNDS: Final = 6
TRAININGS: Final = 3
_SKEW: Final = limits.DAY // 4
_TERMS: Final = {
    **dict.fromkeys(("answer_window", "close_window", "commit_window", "idle_window"), 5 * limits.DAY),
    "hold": 40 * limits.DAY,
}

Progress = Callable[[float], None]
"""Told which part of the work is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Signed actions of one network."""

    network: NetworkRecord
    now: int
    """When they claim to happen, milliseconds."""
    markets: tuple[tuple[bytes, ...], ...]
    """Each in its own order."""

    @property
    def size(self) -> int:
        """Actions of all markets."""
        return sum(map(len, self.markets))


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What one function asks of a store, on average over a workload."""

    function: str
    share: float
    """Of all actions."""
    reads: float
    updates: float
    """Records that were there before."""
    inserts: float
    record: float
    """Bytes of a written record."""
    action: float
    result: float
    """Bytes of result and events."""


def prepare(actions: int, progress: Progress = lambda _: None) -> Workload:
    """At least so many actions, signed now."""
    market = Market(now=time.time_ns() // 1_000_000, grace=2 * _SKEW, skew=_SKEW)
    markets: list[tuple[bytes, ...]] = []
    done = 0
    while done < actions:
        _lives(market)
        blocks = market.ledger.export(done, 1 << 30)
        markets.append(tuple(block.actions[0] for block in blocks))
        done += len(blocks)
        progress(min(1.0, done / actions))
    return Workload(network=market.network, now=market.now, markets=tuple(markets))


def _lives(market: Market) -> None:
    """One market from its first member to its end."""
    dataset = market.publishes(SUBSETS, REPLICAS, **_TERMS)
    for _ in range(TRAININGS):
        training = market.requests(dataset, rounds=ROUNDS).is_approved()
        for _ in range(ROUNDS - 1):
            training.starts_round().is_agreed()
        first, *others = training.starts_round().ballots
        for ballot in others:
            ballot.is_agreed()
        liar, *honest = first.replicas
        liar.commits(b"something else")
        for replica in honest:
            replica.commits()
        first.closes_with(b"gradient", by=honest[0].person)
        training.ends()
    first.is_ruled(b"gradient")
    slot = dataset.slots(1)[0]
    market.people[slot["co"]].does("RetireCI", instance=slot["instance"])
    dataset.owner.does("WithdrawDS", dataset=dataset.id)
    for name in list(market.people):
        market.people[name].collects()
    honest[0].person.does("Withdraw", nonce=market.fresh(), amount=10)
    honest[0].person.rotates()
    market.people.clear()


def demands(workload: Workload) -> list[Demand]:
    """What each function asks, counted by executing every action once."""
    contract = Contract(workload.network)
    state = State(contract.genesis())
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for market in workload.markets:
        for action in market:
            count = counted[open_action(action, signature_checked=True).function]
            read: set[str] = set()

            def reads(keys: Sequence[str], read: set[str] = read) -> list[bytes | None]:
                read.update(keys)
                return state.read(keys)

            done = contract.execute(reads, action, workload.now, signature_checked=True)
            there = sum(value is not None for value in state.read(list(done.writes)))
            count["calls"] += 1
            count["reads"] += len(read)
            count["updates"] += there
            count["inserts"] += len(done.writes) - there
            count["written"] += sum(map(len, done.writes.values()))
            count["action"] += len(action)
            count["result"] += len(done.result) + sum(
                len(e.name) + len(e.subject) + len(e.to) + 32 for e in done.events
            )
            state.apply(done.writes)
    total = workload.size
    return [
        Demand(
            function=function,
            share=count["calls"] / total,
            reads=count["reads"] / count["calls"],
            updates=count["updates"] / count["calls"],
            inserts=count["inserts"] / count["calls"],
            record=count["written"] / max(1, count["updates"] + count["inserts"]),
            action=count["action"] / count["calls"],
            result=count["result"] / count["calls"],
        )
        for function, count in sorted(counted.items())
    ]


def mean(demands: Sequence[Demand]) -> dict[str, Any]:
    """The mix as one average action."""
    names = ("reads", "updates", "inserts", "record", "action", "result")
    return {name: sum(each.share * getattr(each, name) for each in demands) for name in names}


def dealt(workload: Workload, hands: int) -> Iterator[list[bytes]]:
    """The markets dealt out to so many senders, each a list of actions in a valid order."""
    for hand in range(hands):
        yield [action for market in workload.markets[hand::hands] for action in market]
