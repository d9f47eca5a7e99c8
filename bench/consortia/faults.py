"""What happens to four operators, and what they make of it: faults of links, machines and people, one after the other.

Every scenario begins with a fresh network under load, does its harm, sees whether the network goes on or halts as it
should, removes the cause, and notes how long it takes until everybody who acts is answered again. Afterwards nothing
that was acknowledged may be missing (`standing`).
"""

from __future__ import annotations

import time
from random import Random

from consortia.ground import (
    ALL,
    MANY_MARKETS,
    MARKETS,
    NARROW,
    Ground,
    Measured,
    Told,
    require_halt,
    settled,
    under_load,
)
from consortia.standing import LEVEL_SECONDS, Lost, until


def delayed(ground: Ground, milliseconds: int) -> Told:
    """Every link takes so long each way."""
    with ground.network() as network:
        ground.links.delay(milliseconds)
        network.act(ALL, MANY_MARKETS)
        network.await_decision(ALL)
        found = under_load(network, 2 * ground.seconds)
        network.rest()
        ground.links.heal()
        return settled(network, f"{milliseconds} ms each way", found)


def narrow(ground: Ground) -> Told:
    """Every link lets little through."""
    with ground.network() as network:
        ground.links.narrow(NARROW)
        network.act(ALL, MANY_MARKETS)
        network.await_decision(ALL)
        found = under_load(network, ground.seconds)
        return settled(network, f"links of {NARROW} kB/s", found)


def one_apart(ground: Ground) -> Told:
    """3|1: three go on, the fourth decides nothing, and comes back."""
    with ground.network() as network:
        network.act(ALL, MARKETS)
        network.await_decision(ALL)
        ground.links.part(ALL[:3], ALL[3:])
        time.sleep(1)
        alone = network.acknowledged(3)
        network.await_decision(ALL[:3])
        found = under_load(network, ground.seconds)
        if network.acknowledged(3) != alone:
            raise Lost("one operator of four decided something alone")
        ground.links.heal()
        return settled(network, "parted 3|1", Measured(recovery_s=network.await_decision(ALL), **found))


def half_and_half(ground: Ground) -> Told:
    """2|2: nobody decides anything until the halves meet again."""
    with ground.network() as network:
        network.act(ALL, MARKETS)
        network.await_decision(ALL)
        ground.links.part(ALL[:2], ALL[2:])
        require_halt(network, ground.seconds)
        ground.links.heal()
        return settled(network, "parted 2|2: halts", Measured(recovery_s=network.await_decision(ALL)))


def half_open(ground: Ground) -> Told:
    """3|1 with open connections through which nothing comes: nobody is told that they are dead."""
    with ground.network() as network:
        network.act(ALL, MARKETS)
        network.await_decision(ALL)
        ground.links.swallow(ALL[:3], ALL[3:])
        network.await_decision(ALL[:3])
        found = under_load(network, ground.seconds)
        ground.links.heal()
        return settled(network, "half open 3|1", Measured(recovery_s=network.await_decision(ALL), **found))


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
        return settled(network, "links cut at random", Measured(recovery_s=recovery, tps=rate), f"{cuts} cuts")


def one_down(ground: Ground) -> Told:
    """One operator is stopped and comes back."""
    with ground.network() as network:
        network.act(ALL[:3], MARKETS)
        network.await_decision(ALL[:3])
        network.stop(3)
        found = under_load(network, ground.seconds)
        began, missing = time.monotonic(), network.ledgers[0].info().size
        network.start(3)
        until(lambda: network.ledgers[3].info().size >= missing, LEVEL_SECONDS)
        return settled(network, "one down", Measured(recovery_s=time.monotonic() - began, **found))


def two_down(ground: Ground) -> Told:
    """Two operators are stopped: the others wait for one of them."""
    with ground.network() as network:
        network.act(ALL[:2], MARKETS)
        network.await_decision(ALL[:2])
        network.stop(2)
        network.stop(3)
        require_halt(network, ground.seconds)
        network.start(2)
        recovery = network.await_decision(ALL[:2])
        network.start(3)
        return settled(network, "two down: halts", Measured(recovery_s=recovery))


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
        return settled(network, "all killed, three times", slowest, "the slowest recovery")
