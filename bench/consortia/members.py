"""Who waits for whom: a market's actions as turns of people, who act once what they build on is decided.

A person has one action on its way at a time and waits for its outcome. It also waits for whatever its next action
reads or overwrites. What that is, the rules say: every action is executed once, and its reads and writes are noted.
Records that all markets write (the sum of all deposits) make nobody wait, since their writers commute.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from freehold.contract.host import Contract
from freehold.ledger.state import State
from freehold.protocol.envelope import open_action
from ledgers.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """One market's actions."""

    actions: tuple[bytes, ...]
    after: tuple[tuple[int, ...], ...]
    """For each action the places of those that it waits for, all of them before it."""

    @property
    def depth(self) -> int:
        """How many turns follow each other at least."""
        depths: list[int] = []
        for some in self.after:
            depths.append(1 + max((depths[each] for each in some), default=0))
        return max(depths, default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    member: str
    read: frozenset[str]
    written: frozenset[str]


def turns(workload: Workload) -> list[Turns]:
    """The turns of every market of a workload."""
    contract = Contract(workload.network)
    state = State(contract.genesis())
    seen = [[_seen(contract, state, action, workload.now) for action in market] for market in workload.markets]
    writers = Counter(key for some in seen for key in {key for each in some for key in each.written})
    shared = frozenset(key for key, count in writers.items() if count > 1)
    return [
        Turns(actions=market, after=tuple(_waits(some, shared)))
        for market, some in zip(workload.markets, seen, strict=True)
    ]


def in_lots(market: Sequence[bytes], size: int) -> Turns:
    """The turns of somebody who sends a market's actions in lots, each once the lot before is decided."""
    return Turns(
        actions=tuple(market),
        after=tuple(
            tuple(range(place - place % size - size, place - place % size)) if place >= size else ()
            for place in range(len(market))
        ),
    )


def _seen(contract: Contract, state: State, action: bytes, now: int) -> _Seen:
    read: set[str] = set()

    def reads(keys: Sequence[str]) -> list[bytes | None]:
        read.update(keys)
        return state.read(keys)

    done = contract.execute(reads, action, now, signature_checked=True)
    state.apply(done.writes)
    member = str(open_action(action, signature_checked=True).member)
    return _Seen(member=member, read=frozenset(read), written=frozenset(done.writes))


def _waits(some: Iterable[_Seen], shared: frozenset[str]) -> Iterable[tuple[int, ...]]:
    """For each action: the last one that wrote what it reads or writes, all that read what it writes, and the last of
    its own sender."""
    wrote: dict[str, int] = {}
    readers: dict[str, list[int]] = defaultdict(list)
    spoke: dict[str, int] = {}
    for place, each in enumerate(some):
        read, written = each.read - shared, each.written - shared
        found = {wrote[key] for key in read | written if key in wrote}
        found.update(reader for key in written for reader in readers[key])
        if each.member in spoke:
            found.add(spoke[each.member])
        spoke[each.member] = place
        for key in written:
            wrote[key] = place
            readers[key] = []
        for key in read - written:
            readers[key].append(place)
        yield tuple(sorted(found))
