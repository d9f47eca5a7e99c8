"""The people of a benchmark's market: what each has on disk, and how an honest agent of each trade is started."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol, TypeVar

from freehold.agents.cloud_owner import CloudOwner, Rules
from freehold.agents.data_owner import DataOwner
from freehold.agents.journal import JournalFile
from freehold.agents.keys import MemberKeys
from freehold.agents.loop import Told, Turn
from freehold.agents.model_owner import ModelOwner
from freehold.agents.referee.agent import Referee
from freehold.agents.treasury import Treasury
from freehold.agents.world import Signer, World
from freehold.errors import FreeholdError
from freehold.objects.folder import FolderStore
from freehold.protocol import signatures
from freehold.protocol.actions import Arguments
from freehold.protocol.identifiers import MemberId
from freehold.protocol.network import network_id

if TYPE_CHECKING:
    from freehold.bench.market import Market

C = TypeVar("C", bound=CloudOwner)
D = TypeVar("D", bound=DataOwner)
M = TypeVar("M", bound=ModelOwner)

WAIT_FOR_ANSWER: Final = 5_000
STAKE: Final = 5_000_000
WELCOME: Final = 1_000_000_000


class Agent(Protocol):
    """Anybody who takes turns."""

    def step(self, now: int) -> Turn:
        """One turn at the time `now` (ms)."""
        ...


class Chance:
    """Random bytes that follow from a name: no two calls alike, and no two people."""

    def __init__(self, name: str, drawn: int = 0) -> None:
        self._name = name
        self.drawn = drawn
        """How often something was drawn."""

    def __call__(self, size: int) -> bytes:
        self.drawn += 1
        return hashlib.shake_256(f"{self._name}/{self.drawn}".encode()).digest(size)

    def below(self, bound: int) -> int:
        """A number below `bound`."""
        return int.from_bytes(self(16), "big") % bound


def keys_from(chance: Chance) -> MemberKeys:
    """Real keys whose seeds follow from a name."""
    return MemberKeys(number=0, signing=chance(32), sealing=chance(32), recovery=signatures.public_key(chance(32)))


@dataclass(frozen=True, slots=True)
class Misread:
    """An object that somebody asked for and did not get as its name says."""

    at: int
    name: str
    trouble: FreeholdError


class Shelf:
    """The common store as one person sees it: whoever runs a store may show each reader something else."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self.misread: list[Misread] = []
        self.shows: Callable[[str, int, bytes], bytes] = lambda name, largest, data: data
        """What this reader is shown in the place of an object; raises what the reader then meets."""

    def put(self, name: str, data: bytes | BinaryIO) -> None:
        """As the store does."""
        self._market.store.put(name, data)

    def get(self, name: str, *, largest: int) -> bytes:
        """As the store does, but for what this reader is not to see; remembers what went wrong."""
        try:
            return self.shows(name, largest, self._market.store.get(name, largest=largest))
        except FreeholdError as trouble:
            self.misread.append(Misread(self._market.now, name, trouble))
            raise

    def exists(self, name: str) -> bool:
        """As the store does."""
        return self._market.store.exists(name)


class Person:
    """Somebody's machine, and the agent that runs on it."""

    def __init__(
        self,
        market: Market,
        name: str,
        role: str,
        keys: MemberKeys,
        starts: Callable[[Person], Agent],
        *,
        drawn: int = 0,
    ) -> None:
        folder = market.folder / name.replace(" ", "-")
        folder.mkdir(mode=0o700, exist_ok=True)
        self.market = market
        self.name = name
        self.role = role
        self.keys = keys
        self.starts = starts
        self.folder = folder
        self.chance = Chance(f"{market.seed}/{name}", drawn)
        identity = network_id(market.network)
        is_member = role in ("do", "co", "mo")
        self.member = keys.id_in(role, identity) if is_member else MemberId(keys.signing_key)
        self.signer = Signer(network=identity, member=self.member, keys=keys)
        self.journal = JournalFile(folder / "journal.sqlite")
        self.shelf = Shelf(market)
        self.told: list[Told] = []
        self.world = World(
            ledger=market.ledger,
            stores={"main": self.shelf},
            kept=FolderStore(folder / "kept"),
            clock=market.clock,
            random=self.chance,
        )
        self.agent = starts(self)

    def takes_a_turn(self) -> Turn:
        """One turn of the agent."""
        return self.agent.step(self.market.now)

    def becomes(self, agent: Agent) -> None:
        """From now on somebody else's program runs with these keys."""
        self.agent = agent
        self.market.cheats(self.name)

    def sends(self, arguments: Arguments) -> None:
        """Signs one action by hand and sends it."""
        self.signer.send(self.world, arguments)

    def closes(self) -> None:
        """The machine is turned off."""
        self.journal.close()


def treasury(person: Person) -> Treasury:
    """Who credits buyers what they spend, and cloud owners their stake."""
    return Treasury(
        network=person.market.network,
        keys=person.keys,
        welcome={"mo": WELCOME, "co": 2 * STAKE},
        world=person.world,
        journal=person.journal,
        tell=person.told.append,
    )


def referee(person: Person) -> Referee:
    """Who executes disputed jobs again."""
    return Referee(
        network=person.market.network,
        keys=person.keys,
        world=person.world,
        journal=person.journal,
        tell=person.told.append,
    )


def data_owner(person: Person, kind: type[D] = DataOwner) -> D:  # type: ignore[assignment]
    """A data owner that waits a few seconds for the answer to an offer."""
    return kind(
        network=person.market.network,
        keys=person.keys,
        world=person.world,
        journal=person.journal,
        tell=person.told.append,
        wait_for_answer=WAIT_FOR_ANSWER,
    )


def cloud_owner(person: Person, kind: type[C] = CloudOwner) -> C:  # type: ignore[assignment]
    """A cloud owner with one slot, which locks any stake."""
    return kind(
        network=person.market.network,
        members=lambda: (person.keys,),
        rules=Rules(max_stake=10**9),
        world=person.world,
        journal=person.journal,
        tell=person.told.append,
    )


def model_owner(person: Person, kind: type[M] = ModelOwner) -> M:  # type: ignore[assignment]
    """A buyer."""
    return kind(
        network=person.market.network,
        keys=person.keys,
        world=person.world,
        journal=person.journal,
        models=person.folder / "models",
        tell=person.told.append,
    )
