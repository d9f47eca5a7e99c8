"""A whole market in one process: real ledger file, objects, journals, keys, ciphers and agents; simulated time.

    market = Market(folder, table, seed=1)
    market.settles()
    market.publishes()
    market.trains()

Everybody takes a turn, which takes a moment; when nobody had anything to do, the clock jumps to the next time that
somebody waits for. All randomness but that of the seals follows from the seed, so two markets of one seed differ by
what is done in them and by nothing else. A market that was published can be left on disk and entered many times
(`Market.again`): agents start from their journals, as after a restart.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from freehold.agents.cloud_owner import CloudOwner
from freehold.agents.data_owner import DataOwner
from freehold.agents.keys import MemberKeys
from freehold.agents.model_owner import ModelOwner, Progress, Wish
from freehold.agents.reading import DatasetSeen, Reader, ReplicaSeen, TrainingSeen
from freehold.agents.referee.agent import Referee
from freehold.bench.people import (
    STAKE,
    WELCOME,
    Agent,
    Chance,
    Person,
    cloud_owner,
    data_owner,
    keys_from,
    model_owner,
    referee,
    treasury,
)
from freehold.contract.host import Contract
from freehold.errors import Broken, Invalid
from freehold.learning.prepared import Prepared
from freehold.ledger.embedded.ledger import EmbeddedLedger
from freehold.objects.folder import FolderStore
from freehold.protocol import signatures
from freehold.protocol.assets import Terms
from freehold.protocol.identifiers import CoupleId, DatasetId, Method, Nonce, StoreName
from freehold.protocol.network import NetworkRecord

SKEW: Final = 250
GRACE: Final = 500
WINDOW: Final = 2_000
START: Final = 1_000_000
PRICE_JOB: Final = 250_000
PRICE_ROUND: Final = 3_000_000
ROUNDS: Final = 3
SPARES: Final = 2
"""Cloud owners that hold nothing at first: who is let go can be replaced."""
MODEL: Final = "model"
_LONGEST: Final = 3_600_000
_BUSIEST: Final = 1_000
_TURN: Final = 25
"""Milliseconds from one turn of everybody to the next: what a message and its answer take."""
_SETTLING: Final = 40_000
"""Milliseconds in which every stake and payment comes back to an account."""


class Market:
    """A market and everybody in it."""

    def __init__(self, folder: Path, table: Prepared, *, seed: int, now: int = START) -> None:
        """Begins a market in `folder`, or goes on with the one that lies there."""
        self.folder = folder
        self.table = table
        self.seed = seed
        self.now = now
        self.chance = Chance(f"{seed}/market")
        """Of the attacks: which member cheats, and with what."""
        self.first_act: int | None = None
        """When somebody first cheated (ms)."""
        self.dishonest: set[str] = set()
        keys = {name: keys_from(Chance(f"{seed}/{name}/keys")) for name in ("treasury", "referee")}
        self.network = NetworkRecord(
            grace=GRACE,
            nonce=Nonce(hashlib.sha256(f"{seed}".encode()).hexdigest()),
            referees=(keys["referee"].signing_key,),
            skew=SKEW,
            stores=(StoreName("main"),),
            treasury=keys["treasury"].signing_key,
        )
        self.operator_seed = hashlib.sha256(f"{seed}/operator".encode()).digest()
        self.operator = signatures.public_key(self.operator_seed)
        self.contract = Contract(self.network)
        self.ledger = EmbeddedLedger.open(self.file, self.contract, self.operator_seed, self.clock)
        self.store = FolderStore(folder / "objects")
        self.reader = Reader(self.ledger)
        self.people: dict[str, Person] = {}
        self._gone: list[Person] = []
        self._busy = 0

    @classmethod
    def again(cls, before: Market, folder: Path) -> Market:
        """Goes on in `folder` from where `before`, which was closed, had come."""
        shutil.copytree(before.folder, folder, dirs_exist_ok=True)
        market = cls(folder, before.table, seed=before.seed, now=before.now)
        for person in before.people.values():
            market.comes(person.name, person.role, person.keys, person.starts, drawn=person.chance.drawn)
        return market

    @property
    def file(self) -> Path:
        """The ledger's file."""
        return self.folder / "ledger.sqlite"

    def clock(self) -> int:
        """The time of everybody, ledger and members, in milliseconds."""
        return self.now

    def comes(
        self, name: str, role: str, keys: MemberKeys | None, starts: Callable[[Person], Agent], *, drawn: int = 0
    ) -> Person:
        """Somebody comes to the market, with keys that follow from the seed unless they are given."""
        keys = keys or keys_from(Chance(f"{self.seed}/{name}/keys"))
        self.people[name] = person = Person(self, name, role, keys, starts, drawn=drawn)
        return person

    def settles(self) -> None:
        """Everybody comes: a treasury, a referee, a hospital, a buyer and the cloud owners."""
        self.comes("treasury", "treasury", None, treasury)
        self.comes("referee", "referee", None, referee)
        self.comes("hospital", "do", None, data_owner)
        for number in range(1, self.table.card.split.subsets * self.table.plan.replicas + SPARES + 1):
            self.comes(f"cloud {number:02}", "co", None, cloud_owner)
        self.comes("buyer", "mo", None, model_owner)

    def terms(self) -> Terms:
        """What the hospital asks."""
        return Terms(
            answer_window=20_000,
            close_window=WINDOW,
            commit_window=WINDOW,
            group_min=self.table.plan.group_min,
            hold=8 * WINDOW,
            idle_window=60_000,
            methods=(Method("linear-1"), Method("statistics-1")),
            price_job=PRICE_JOB,
            price_round=PRICE_ROUND,
            referee=self.network.referees[0],
            rounds_per_training=40,
            rounds_total=100,
            stake=STAKE,
            store=StoreName("main"),
        )

    def drafts(self) -> None:
        """The hospital decides to publish its table, and its agent begins."""
        self.hospital.publish(self.table, self.terms())

    def publishes(self) -> None:
        """The hospital publishes its table, and everybody does their part until it is published."""
        if not self.hospital.publications():
            self.drafts()
        (dataset,) = self.hospital.publications()
        self.lives(lambda: self.state("dataset", dataset) == "published")

    def state(self, kind: str, id: str) -> str | None:
        """The state of one record, None if it is not there."""
        record = self.ledger.evaluate("get", {"kind": kind, "id": id})
        return None if record is None else str(record["state"])

    def asks(self) -> CoupleId:
        """The buyer asks for a training as soon as there is a dataset, and the hospital says yes."""
        self.publishes()
        wish = Wish(datasets=(DatasetId(self.dataset.dataset.id),), rounds=ROUNDS, map_name="identity")
        order = self.buyer.train(MODEL, wish, max_cost=WELCOME)
        self.lives(lambda: self.reader.couple(order.couple) is not None)
        self.hospital.approve(order.couple)
        return order.couple

    def trains(self) -> None:
        """A whole training, and what follows from it until every payment is collected."""
        self.asks()
        self.finishes()

    def progress(self) -> Progress:
        """How the buyer's training stands, as its own agent sees it."""
        return self.buyer.progress(MODEL)

    def quotes(self, *others: DatasetId) -> None:
        """The buyer's tool says what a training on several datasets together would cost; Invalid if nobody should."""
        datasets = sorted((DatasetId(self.dataset.dataset.id), *others))
        self.buyer.quote(Wish(datasets=tuple(datasets), rounds=ROUNDS, map_name="identity"))

    def finishes(self) -> None:
        """The training goes on to its end, whatever that is, and everybody collects what is due."""
        self.lives(lambda: self.training.couple.record.state == "ended")
        self.rests(_SETTLING)

    def lives(self, until: Callable[[], bool], *, longest: int = _LONGEST) -> None:
        """Everybody takes turns until `until()`; Broken if nothing leads there."""
        end = self.now + longest
        while not until():
            if self.now > end:
                raise Broken("A market of the benchmark came to a standstill.", why="; ".join(self._troubles()))
            self._turn_of_all()

    def rests(self, milliseconds: int) -> None:
        """Some time goes by, and everybody does what is left to do."""
        end = self.now + milliseconds
        while self.now < end:
            self._turn_of_all()
            self.now = min(self.now, end)

    def leaves(self, name: str) -> None:
        """Somebody is never heard of again."""
        self._gone.append(self.people.pop(name))

    def cheats(self, *names: str) -> None:
        """These people count as dishonest from now on."""
        self.dishonest.update(names)

    def acts(self) -> None:
        """Somebody cheats now."""
        if self.first_act is None:
            self.first_act = self.now

    def told(self, name: str, event: str) -> int | None:
        """When the ledger first told somebody of an event of this kind (ms), None if it never did."""
        page = self.ledger.events(0, to=self.everybody[name].member)
        return next((each.time for each in page.events if each.name == event), None)

    def closes(self) -> None:
        """Everybody goes home; what is on disk stays."""
        for person in self.everybody.values():
            person.closes()
        self.ledger.close()

    @property
    def everybody(self) -> dict[str, Person]:
        """All people by name, those who left included."""
        return {**{person.name: person for person in self._gone}, **self.people}

    @property
    def hospital(self) -> DataOwner:
        """The data owner's agent."""
        agent = self.people["hospital"].agent
        if not isinstance(agent, DataOwner):
            raise Broken("The hospital is no data owner.")
        return agent

    @property
    def buyer(self) -> ModelOwner:
        """The model owner's agent."""
        agent = self.people["buyer"].agent
        if not isinstance(agent, ModelOwner):
            raise Broken("The buyer is no model owner.")
        return agent

    @property
    def referee(self) -> Referee:
        """The referee's agent."""
        agent = self.people["referee"].agent
        if not isinstance(agent, Referee):
            raise Broken("The referee is none.")
        return agent

    def cloud(self, name: str) -> CloudOwner:
        """An honest cloud owner's agent."""
        agent = self.people[name].agent
        if not isinstance(agent, CloudOwner):
            raise Broken(f"{name} is no honest cloud owner.")
        return agent

    @property
    def dataset(self) -> DatasetSeen:
        """The hospital's dataset as the ledger shows it; Invalid before it is drafted."""
        for id in self.hospital.publications():
            seen = self.reader.dataset(id)
            if seen is not None:
                return seen
        raise Invalid("The hospital has drafted nothing so far.")

    @property
    def training(self) -> TrainingSeen:
        """The buyer's training as the ledger shows it."""
        buyer = self.everybody["buyer"].agent
        couple = next(iter(buyer.orders().values())).couple if isinstance(buyer, ModelOwner) else ""
        seen = self.reader.training(couple)
        if seen is None:
            raise Invalid("The buyer has asked for nothing so far.")
        return seen

    def holders(self, index: int) -> list[str]:
        """Who holds the slots of a subset, in the order of the slots."""
        by_member = {person.member: person.name for person in self.everybody.values()}
        return [by_member[slot.co] for slot in self.dataset.subsets[index].subset.record.slots]

    def replica(self, name: str) -> ReplicaSeen:
        """The one replica that somebody holds or was offered."""
        return self.reader.replicas(self.everybody[name].member)[0]

    def _turn_of_all(self) -> None:
        turns = [person.takes_a_turn() for person in list(self.people.values())]
        if any(turn.acted for turn in turns):
            self._busy += 1
            if self._busy > _BUSIEST:
                raise Broken("Somebody in a market of the benchmark repeats a step without end.")
            self.now += _TURN
        else:
            self._busy = 0
            self.now = max(self.now + 1, min(turn.look_again for turn in turns))

    def _troubles(self) -> list[str]:
        told = [(person.name, told) for person in self.people.values() for told in person.told[-20:]]
        return [f"{name}: {each.step}: {each.trouble}" for name, each in told if each.trouble is not None][-5:]
