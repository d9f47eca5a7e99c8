"""A profile opened: its keys, journal and ports put together into the agent that it is.

    FREEHOLD_HOME/NAME/          0700
        key                      0600, the keys (key_file)
        journal.sqlite           what was decided
        agent.lock               held by the one process that carries decisions out
        objects/                 what the agent must keep: packages, results, model files
        models/NAME.freehold     a model owner's finished models

Opening asks the node which network it serves, and refuses any but the one whose digest the configuration pins.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from freehold.agents.journal import JournalFile
from freehold.agents.key_file import KeyFile, Passphrase
from freehold.agents.loop import Follower, Steps, Tell, run, tell_nobody
from freehold.agents.only_one import only_one
from freehold.agents.private_files import private_folder
from freehold.agents.world import Signer, World, system_clock
from freehold.errors import Invalid
from freehold.node.configuration import SHORT_ROLES, Configuration, Profile
from freehold.node.folders import key_path, profile_folder
from freehold.ports.ledger import Ledger
from freehold.ports.object_store import ObjectStore
from freehold.protocol.identifiers import MemberId
from freehold.protocol.network import NetworkRecord, network_id

_NOTICE_SECONDS = 0.5
"""How soon a running agent notices a command's wish."""

if TYPE_CHECKING:
    from freehold.agents.cloud_owner import CloudOwner
    from freehold.agents.data_owner import DataOwner
    from freehold.agents.model_owner import ModelOwner
    from freehold.agents.purse import Purse
    from freehold.agents.referee.agent import Referee
    from freehold.agents.treasury import Treasury
    from freehold.transport.signed_reads import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenProfile:
    """A profile with everything that its agent needs; made by `open_profile`."""

    name: str
    profile: Profile
    folder: Path
    network: NetworkRecord
    keys: KeyFile
    journal: JournalFile
    world: World
    configuration: Configuration

    def only_one(self) -> AbstractContextManager[None]:
        """Holds this profile's place as the one that acts; Unavailable if another process does."""
        return only_one(self.folder / "agent.lock", f"the agent of profile {self.name}")

    def drive(self, agent: Steps, *, to: str | None, until: Callable[[], bool]) -> None:
        """Drives `agent`, woken by events (of the member `to`, if given), until `until()` holds."""
        cursor = int(self.journal.noted("cursor", "events") or 0)
        follower = Follower(self.world.ledger, time.sleep, after=cursor)
        follower.catch_up()
        self.journal.note("cursor", "events", str(follower.cursor))
        news = (self.journal.version(), self.keys.version())

        def wake(seconds: float) -> None:
            """Waits for an event, but also for what a command of the same profile wrote beside this process."""
            nonlocal news
            ends = time.monotonic() + seconds
            while not until():
                left = ends - time.monotonic()
                if left <= 0 or follower.wait(min(left, _NOTICE_SECONDS), to=to):
                    return
                seen, news = news, (self.journal.version(), self.keys.version())
                if seen != news:
                    return

        run(agent, clock=self.world.clock, wake=wake, until=until)

    def data_owner(
        self, tell: Tell = tell_nobody, *, misses_allowed: int = 1, wait_for_answer: int | None = None
    ) -> DataOwner:
        """This profile as a data owner; Invalid if it is something else."""
        from freehold.agents.data_owner import DataOwner
        from freehold.agents.data_owner.agent import WAIT_FOR_ANSWER

        self._require("data-owner")
        return DataOwner(
            network=self.network,
            keys=self.keys.ring().members[0],
            world=self.world,
            journal=self.journal,
            tell=tell,
            misses_allowed=misses_allowed,
            wait_for_answer=WAIT_FOR_ANSWER if wait_for_answer is None else wait_for_answer,
        )

    def cloud_owner(self, tell: Tell = tell_nobody) -> CloudOwner:
        """This profile as a cloud owner; Invalid if it is something else."""
        from freehold.agents.cloud_owner import CloudOwner, Rules

        self._require("cloud-owner")
        rules = self.configuration.cloud
        return CloudOwner(
            network=self.network,
            members=lambda: self.keys.ring().members,
            rules=Rules(
                min_price_job=rules.min_price_job,
                max_stake=rules.max_stake,
                max_rows=rules.max_rows,
                max_features=rules.max_features,
                spread=rules.spread,
            ),
            world=self.world,
            journal=self.journal,
            tell=tell,
        )

    def model_owner(self, tell: Tell = tell_nobody) -> ModelOwner:
        """This profile as a model owner; Invalid if it is something else."""
        from freehold.agents.model_owner import ModelOwner

        self._require("model-owner")
        return ModelOwner(
            network=self.network,
            keys=self.keys.ring().members[0],
            world=self.world,
            journal=self.journal,
            models=self.folder / "models",
            tell=tell,
        )

    def treasury(self, tell: Tell = tell_nobody) -> Treasury:
        """This profile as the network's treasury; Invalid if it is something else."""
        from freehold.agents.treasury import Treasury

        self._require("treasury")
        welcome = self.configuration.treasury
        return Treasury(
            network=self.network,
            keys=self.keys.ring().members[0],
            welcome={
                "do": welcome.welcome_data_owner,
                "co": welcome.welcome_cloud_owner,
                "mo": welcome.welcome_model_owner,
            },
            world=self.world,
            journal=self.journal,
            tell=tell,
        )

    def referee(self, tell: Tell = tell_nobody) -> Referee:
        """This profile as a referee of the network; Invalid if it is something else, or not on the network's list."""
        from freehold.agents.referee.agent import Referee

        self._require("referee")
        return Referee(
            network=self.network,
            keys=self.keys.ring().members[0],
            world=self.world,
            journal=self.journal,
            tell=tell,
        )

    def purse(self) -> Purse:
        """The money of all members of this profile; the treasury signs as the key that it is."""
        from freehold.agents.purse import Purse

        return Purse(self.world, self.journal, self.signers(), skew=self.network.skew)

    def signers(self) -> list[Signer]:
        """Everybody that this profile can sign for."""
        network, role = network_id(self.network), self.keys.ring().role
        own_key = role in ("treasury", "referee")
        return [
            Signer(
                network=network,
                member=MemberId(keys.signing_key) if own_key else keys.id_in(role, network),
                keys=keys,
            )
            for keys in self.keys.ring().members
        ]

    def agent(self, tell: Tell = tell_nobody) -> Steps:
        """The agent of this profile's role, whichever it is."""
        match self.profile.role:
            case "data-owner":
                return self.data_owner(tell)
            case "cloud-owner":
                return self.cloud_owner(tell)
            case "model-owner":
                return self.model_owner(tell)
            case "treasury":
                return self.treasury(tell)
            case "referee":
                return self.referee(tell)

    def _require(self, role: str) -> None:
        if self.profile.role != role:
            raise Invalid(
                f"The profile {self.name} belongs to a {self.profile.role}, not to a {role}.",
                next="name the right one with --profile",
            )


@contextmanager
def open_profile(
    configuration: Configuration,
    name: str,
    passphrase: Passphrase,
    *,
    environment: Mapping[str, str] = os.environ,
    clock: Callable[[], int] = system_clock,
) -> Iterator[OpenProfile]:
    """Opens the profile `name` for as long as the block runs; `passphrase` is asked for only if the keys are sealed.

    Raises Invalid (unknown profile, wrong passphrase, another network than the pinned one) or Unavailable.
    """
    # clients and stores bring an HTTP library along, which a command that only writes configuration should not pay for
    from freehold.ledger.remote import RemoteLedger
    from freehold.objects.folder import FolderStore
    from freehold.objects.remote import RemoteStore

    profile = configuration.profile(name)
    network = configuration.network(profile.network)
    folder = private_folder(profile_folder(name, environment))
    with ExitStack() as stack:
        ledger = RemoteLedger(network.nodes[0])
        stack.callback(ledger.close)
        record = _pinned(ledger, network.id, profile.network)
        keys = KeyFile(key_path(name, profile, environment), passphrase)
        if keys.ring().role != SHORT_ROLES[profile.role]:
            raise Invalid(f"The keys of {name} are not those of a {profile.role}.")
        reader = _reader(keys, record)
        if reader is not None:
            ledger.sign_reads(reader)
        journal = stack.enter_context(JournalFile(folder / "journal.sqlite"))
        stores = {
            alias: open_store(store.url, stack)
            for alias, store in configuration.stores.items()
            if alias in record.stores
        }
        for store in stores.values():
            if reader is not None and isinstance(store, RemoteStore):
                store.sign_reads(reader)
        world = World(ledger=ledger, stores=stores, kept=FolderStore(folder / "objects"), clock=clock)
        yield OpenProfile(
            name=name,
            profile=profile,
            folder=folder,
            network=record,
            keys=keys,
            journal=journal,
            world=world,
            configuration=configuration,
        )


def open_store(url: str, stack: ExitStack) -> ObjectStore:
    """The store at a configured address: `file:///…`, or a node's URL (its objects lie under `/objects`)."""
    from freehold.objects.folder import FolderStore
    from freehold.objects.remote import RemoteStore

    parts = urlsplit(url)
    if parts.scheme == "file":
        return FolderStore(Path(unquote(parts.path)))
    store = RemoteStore(url.rstrip("/").removesuffix("/objects"))
    stack.callback(store.close)
    return store


def _reader(keys: KeyFile, record: NetworkRecord) -> Reader | None:
    """The first member of a profile, or the key that the record names, as one who reads; None before it has any."""
    from freehold.transport.signed_reads import Reader

    ring, network = keys.ring(), network_id(record)
    if not ring.members:
        return None
    first = ring.members[0]
    own_key = ring.role in ("treasury", "referee")
    member = MemberId(first.signing_key) if own_key else first.id_in(ring.role, network)
    return Reader(network=network, member=member, seed=first.signing)


def _pinned(ledger: Ledger, pinned: str, name: str) -> NetworkRecord:
    """The record of the network that the node serves, if it is the pinned one."""
    record = NetworkRecord.parse(ledger.info().network)
    found = network_id(record)
    if found != pinned:
        raise Invalid(
            f"The node serves network {found[:8]}, not {name}, which is pinned to {pinned[:8]}.",
            why="a network is its record's digest; another record is another market",
            next="check the address of the node; change the pinned id only if you know why",
            now="nothing was sent",
        )
    return record
