"""One operator of four that lies: the others go on, and nothing of the lie is recorded."""

from __future__ import annotations

import shutil
import time

from tests.cometbft import liars

from consortia.ground import ALL, MARKETS, Ground, Told, under_load
from consortia.standing import Lost, until
from freehold.ledger.cometbft.rpc import Rpc


def computing_wrongly(ground: Ground) -> Told:
    """One operator's application executes other rules: it is left behind, and says so."""
    with ground.network({3: liars.lying(liars.WRONG)}) as network:
        network.act(ALL[:3], MARKETS)
        network.await_decision(ALL[:3])
        until(lambda: network.ledgers[3].trouble is not None, 30)
        found = under_load(network, ground.seconds)
        recorded = network.require_sound(ALL[:3])
        return Told(scenario="one computes wrongly", recorded=recorded, note="it says so and stops", **found)


def forging(ground: Ground) -> Told:
    """One operator proposes forged actions, garbage, and an action twice: its proposals are rejected."""
    with ground.network({3: liars.lying(liars.FORGING)}) as network:
        network.act(ALL[:3], MARKETS)
        network.await_decision(ALL[:3])
        found = under_load(network, ground.seconds)
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
        found = under_load(network, ground.seconds)
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
