"""What an agent reaches outside itself, handed in by whoever starts it: the node, a test, a simulator."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from freehold.agents.keys import MemberKeys, Random
from freehold.errors import Unavailable
from freehold.ports.ledger import Accepted, Ledger
from freehold.ports.object_store import ObjectStore
from freehold.protocol.actions import Arguments
from freehold.protocol.envelope import sign_action
from freehold.protocol.identifiers import MemberId, NetworkId

Milliseconds = int
Clock = Callable[[], Milliseconds]


def system_clock() -> Milliseconds:
    """This machine's time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The ports of one agent, its clock and its source of randomness."""

    ledger: Ledger
    stores: Mapping[str, ObjectStore]
    """Alias of the network record to a store, from the agent's own configuration and from nowhere else."""
    kept: ObjectStore
    """What this agent must still have after a crash: packages, results."""
    clock: Clock
    random: Random = os.urandom

    def store(self, alias: str) -> ObjectStore:
        """The store that this agent's owner configured for `alias`; Unavailable if there is none."""
        found = self.stores.get(alias)
        if found is None:
            raise Unavailable(
                f"No store {alias!r} is configured here.",
                why="a name on the ledger is never an address; only your own configuration says where a store lies",
                next=f"add [stores.{alias}] with its url to the configuration",
                retry=False,
            )
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """One member of one network that this process can sign for."""

    network: NetworkId
    member: MemberId
    keys: MemberKeys

    def send(self, world: World, arguments: Arguments, *, claims: Milliseconds | None = None) -> Accepted:
        """Signs an action that claims a time, by default the present, and submits it; raises what the ledger says."""
        action = sign_action(
            self.keys.signing,
            network=self.network,
            function=type(arguments).__name__,
            member=self.member,
            time=world.clock() if claims is None else claims,
            arguments=arguments,
        )
        return world.ledger.submit(action)
