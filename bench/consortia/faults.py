"""What happens to four operators, and what they make of it: faults of links, machines and people, one after the other.

Every scenario begins with a fresh network under load, does its harm, sees whether the network goes on or halts as it
should, removes the cause, and notes how long it takes until everybody who acts is answered again. Afterwards nothing
that was acknowledged may be missing (`standing`).
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final, TypedDict

from consortia import liars
from consortia.links import Links
from consortia.members import Turns
from consortia.standing import LEVEL_SECONDS, Applications, Lost, Standing, standing, until
from consortia.toxiproxy import started
from consortia.validators import founded
from freehold.ledger.cometbft.rpc import Rpc
from freehold.protocol.network import NetworkRecord

ALL: Final = (0, 1, 2, 3)
DELAYS: Final = (0, 20, 80, 200)
"""Milliseconds each way, give or take a tenth."""
NARROW: Final = 256
"""Kilobytes a second of each link."""
MARKETS: Final = 6
"""At each operator: about a hundred actions are on their way at a time."""
MANY_MARKETS: Final = 16
"""Where throughput is asked for: long ways need more people under way."""
WHILE: Final = 6.0
"""Seconds that a fault lasts, where nothing else says when it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of one scenario."""

    scenario: str
    recorded: int
    """Actions in the ledger at the end, all of them checked."""
    tps: float | None = None
    """While the fault lasted."""
    p50_ms: float | None = None
    p95_ms: float | None = None
    recovery_s: float | None = None
    """From the end of the fault until everybody who acts was answered again."""
    level_s: float | None = None
    """From then until all operators had come equally far, once nobody acted."""
    note: str = ""

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(slots=True)
class Ground:
    """What scenarios are made of."""

    record: NetworkRecord
    markets: Sequence[Turns]
    proxies: str
    """The program."""
    pause: int
    seconds: float = WHILE
    links: Links = field(init=False)

    @contextmanager
    def network(self, others: Mapping[int, Applications] | None = None, observers: int = 0) -> Iterator[Standing]:
        """Four operators with every link through a proxy; some with another application."""
        with ExitStack() as stack:
            self.links = Links(stack.enter_context(started(self.proxies)))
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="freehold-faults-")))
            seats = founded(
                folder, self.record, len(ALL), observers=observers, way=self.links.between, pause=self.pause
            )
            yield stack.enter_context(standing(seats, self.markets, len(ALL), others=dict(others or {})))


class Measured(TypedDict, total=False):
    """Some figures of a scenario."""

    tps: float
    p50_ms: float
    p95_ms: float
    recovery_s: float


def _under_load(network: Standing, seconds: float) -> Measured:
    """Throughput and latency of the next seconds."""
    before, began = network.acknowledged(), time.monotonic()
    time.sleep(seconds)
    waited = network.waited(began)
    if not waited:
        raise Lost("nothing was decided")
    return {
        "tps": (network.acknowledged() - before) / (time.monotonic() - began),
        "p50_ms": 1e3 * waited[len(waited) // 2],
        "p95_ms": 1e3 * waited[len(waited) * 95 // 100],
    }


def _settled(network: Standing, name: str, found: Measured, note: str = "") -> Told:
    """The end of a scenario: people rest, and all is checked."""
    network.rest()
    level = network.await_level(ALL)
    return Told(scenario=name, recorded=network.require_sound(ALL), level_s=level, note=note, **found)


def delayed(ground: Ground, milliseconds: int) -> Told:
    """Every link takes so long each way."""
    with ground.network() as network:
        ground.links.delay(milliseconds)
        network.act(ALL, MANY_MARKETS)
        network.await_decision(ALL)
        found = _under_load(network, 2 * ground.seconds)
        network.rest()
        ground.links.heal()
        return _settled(network, f"{milliseconds} ms each way", found)


def narrow(ground: Ground) -> Told:
    """Every link lets little through."""
    with ground.network() as network:
        ground.links.narrow(NARROW)
        network.act(ALL, MANY_MARKETS)
        network.await_decision(ALL)
        found = _under_load(network, ground.seconds)
        return _settled(network, f"links of {NARROW} kB/s", found)


def one_apart(ground: Ground) -> Told:
    """3|1: three go on, the fourth decides nothing, and comes back."""
    with ground.network() as network:
        network.act(ALL, MARKETS)
        network.await_decision(ALL)
        ground.links.part(ALL[:3], ALL[3:])
        time.sleep(1)
        alone = network.acknowledged(3)
        network.await_decision(ALL[:3])
        found = _under_load(network, ground.seconds)
        if network.acknowledged(3) != alone:
            raise Lost("one operator of four decided something alone")
        ground.links.heal()
        return _settled(network, "parted 3|1", Measured(recovery_s=network.await_decision(ALL), **found))


def half_and_half(ground: Ground) -> Told:
    """2|2: nobody decides anything until the halves meet again."""
    with ground.network() as network:
        network.act(ALL, MARKETS)
        network.await_decision(ALL)
        ground.links.part(ALL[:2], ALL[2:])
        _require_halt(network, ground.seconds)
        ground.links.heal()
        return _settled(network, "parted 2|2: halts", Measured(recovery_s=network.await_decision(ALL)))


def half_open(ground: Ground) -> Told:
    """3|1 with open connections through which nothing comes: nobody is told that they are dead."""
    with ground.network() as network:
        network.act(ALL, MARKETS)
        network.await_decision(ALL)
        ground.links.swallow(ALL[:3], ALL[3:])
        network.await_decision(ALL[:3])
        found = _under_load(network, ground.seconds)
        ground.links.heal()
        return _settled(network, "half open 3|1", Measured(recovery_s=network.await_decision(ALL), **found))


def cut_at_random(ground: Ground) -> Told:
    """Connections of one operator after the other are cut, all the time."""
    chance = Random("links")
    with ground.network() as network:
        network.act(ALL, MARKETS)
        network.await_decision(ALL)
        before, began, cuts = network.acknowledged(), time.monotonic(), 0
        while time.monotonic() - began < 2 * ground.seconds:
            own, other = chance.sample(ALL, 2)
            ground.links.part((own,), (other,))
            time.sleep(0.5)
            ground.links.heal()
            time.sleep(0.2)
            cuts += 1
        rate = (network.acknowledged() - before) / (time.monotonic() - began)
        recovery = network.await_decision(ALL)
        return _settled(network, "links cut at random", Measured(recovery_s=recovery, tps=rate), f"{cuts} cuts")


def one_down(ground: Ground) -> Told:
    """One operator is stopped and comes back."""
    with ground.network() as network:
        network.act(ALL[:3], MARKETS)
        network.await_decision(ALL[:3])
        network.stop(3)
        found = _under_load(network, ground.seconds)
        began, missing = time.monotonic(), network.ledgers[0].info().size
        network.start(3)
        until(lambda: network.ledgers[3].info().size >= missing, LEVEL_SECONDS)
        return _settled(network, "one down", Measured(recovery_s=time.monotonic() - began, **found))


def two_down(ground: Ground) -> Told:
    """Two operators are stopped: the others wait for one of them."""
    with ground.network() as network:
        network.act(ALL[:2], MARKETS)
        network.await_decision(ALL[:2])
        network.stop(2)
        network.stop(3)
        _require_halt(network, ground.seconds)
        network.start(2)
        recovery = network.await_decision(ALL[:2])
        network.start(3)
        return _settled(network, "two down: halts", Measured(recovery_s=recovery))


def killed(ground: Ground) -> Told:
    """kill -9 of every node and application at once, again and again."""
    chance = Random("kills")
    with ground.network() as network:
        network.act(ALL, MARKETS)
        recoveries = []
        for _ in range(3):
            network.await_decision(ALL)
            time.sleep(0.5 + chance.random())
            network.kill(ALL)
            recoveries.append(network.await_decision(ALL))
        slowest = Measured(recovery_s=max(recoveries))
        return _settled(network, "all killed, three times", slowest, "the slowest recovery")


def computing_wrongly(ground: Ground) -> Told:
    """One operator's application executes other rules: it is left behind, and says so."""
    with ground.network({3: liars.lying(liars.WRONG)}) as network:
        network.act(ALL[:3], MARKETS)
        network.await_decision(ALL[:3])
        until(lambda: network.ledgers[3].trouble is not None, 30)
        found = _under_load(network, ground.seconds)
        recorded = network.require_sound(ALL[:3])
        return Told(scenario="one computes wrongly", recorded=recorded, note="it says so and stops", **found)


def forging(ground: Ground) -> Told:
    """One operator proposes forged actions, garbage, and an action twice: its proposals are rejected."""
    with ground.network({3: liars.lying(liars.FORGING)}) as network:
        network.act(ALL[:3], MARKETS)
        network.await_decision(ALL[:3])
        found = _under_load(network, ground.seconds)
        network.rest()
        recorded = network.require_sound(ALL)
        heights = network.ledgers[0].info().height
        return Told(scenario="one proposes forgeries", recorded=recorded, note=f"{heights} blocks, none its", **found)


def equivocating(ground: Ground) -> Told:
    """One operator's key signs on two machines at once: the others go on, and the proof of it enters a block."""
    with ground.network(observers=1) as network:
        keys = [network.seats[number].folder / "config" / "priv_validator_key.json" for number in (3, 4)]
        shutil.copyfile(*keys)
        network.start(4)
        network.act(ALL[:3], MARKETS)
        network.await_decision(ALL[:3])
        began = time.monotonic()
        rpc = Rpc(network.ledgers[0].pair.rpc_socket)
        try:
            seen = _evidence(rpc, 60)
        finally:
            rpc.close()
        took = time.monotonic() - began
        found = _under_load(network, ground.seconds)
        network.stop(4)
        note = f"evidence in block {seen} after {took:.1f} s"
        network.rest()
        return Told(scenario="one key on two machines", recorded=network.require_sound(ALL[:3]), note=note, **found)


def _evidence(rpc: Rpc, seconds: float) -> int:
    """The height of the first block with evidence of a misbehaviour."""
    deadline, height = time.monotonic() + seconds, 1
    while time.monotonic() < deadline:
        if height > rpc.height():
            time.sleep(0.1)
            continue
        block = rpc.ask("block", {"height": str(height)})["block"]
        if (block.get("evidence") or {}).get("evidence"):
            return height
        height += 1
    raise Lost("two signatures of one validator for one height left no evidence")


def _require_halt(network: Standing, seconds: float) -> None:
    """What was decided when the fault came may still arrive; after that nothing may."""
    time.sleep(2)
    before = network.acknowledged()
    time.sleep(seconds)
    if network.acknowledged() != before:
        raise Lost("something was decided without two thirds of the validators")


COLUMNS: Final = (
    ("tps", ",.0f"),
    ("p50_ms", ",.0f"),
    ("p95_ms", ",.0f"),
    ("recovery_s", ".1f"),
    ("level_s", ".1f"),
    ("recorded", ",d"),
)
"""Of a table, each with its format."""
SCENARIOS: Final[Mapping[str, Callable[[Ground], Told]]] = {
    **{f"delay-{each}": lambda ground, each=each: delayed(ground, each) for each in DELAYS},  # type: ignore[misc]
    "narrow": narrow,
    "one-apart": one_apart,
    "half-and-half": half_and_half,
    "half-open": half_open,
    "cuts": cut_at_random,
    "one-down": one_down,
    "two-down": two_down,
    "killed": killed,
    "wrong": computing_wrongly,
    "forging": forging,
    "equivocating": equivocating,
}
