"""The ledger under the market, what stands on it for whom, and the simulated time.

The rules are the real contract on the memory engine: every action is signed, sent and judged. Whatever else is here is
an index of what the contract wrote, so that thousands of members can be asked without scanning the state.
"""

from __future__ import annotations

import heapq
import random
from collections import defaultdict
from collections.abc import Callable
from itertools import count
from typing import Any, TypeVar

from freehold.agents.reading import NO_ACCOUNT, AccountSeen, BallotSeen, ReplicaSeen, Seen, Work
from freehold.contract import stored
from freehold.contract.host import Contract
from freehold.errors import Refused
from freehold.ledger.memory import MemoryLedger
from freehold.ports.ledger import Accepted
from freehold.ports.machine import Executed
from freehold.ports.state_view import Read, RecordedView
from freehold.protocol import assets, signatures
from freehold.protocol.events import Event
from freehold.protocol.identifiers import JobId, Nonce, PublicKey, StoreName
from freehold.protocol.network import NetworkRecord
from freehold.protocol.records import Record
from pseudonyms.habits import SECOND

R = TypeVar("R", bound=Record)
Told = Callable[[Event, int], None]
"""What somebody does who hears of an event at a time."""


class Watched:
    """The contract, and everything that it ever wrote."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.records: dict[str, Record] = {}
        self.instances: dict[str, list[str]] = defaultdict(list)
        self.jobs: dict[str, dict[str, None]] = defaultdict(dict)
        self.due: dict[str, dict[str, None]] = defaultdict(dict)

    def genesis(self) -> dict[str, bytes]:
        return self._contract.genesis()

    def query(self, view: RecordedView, name: str, arguments: Any) -> Any:
        return self._contract.query(view, name, arguments)

    def execute(self, read: Read, action: bytes, time: int) -> Executed:
        executed = self._contract.execute(read, action, time)
        for key, data in executed.writes.items():
            kind, _, id = key.partition("/")
            record = stored.decode(assets.KINDS[kind], data)
            if key not in self.records and isinstance(record, assets.CloudInstance):
                self.instances[record.co].append(id)
            if key not in self.records and isinstance(record, assets.TrainJob):
                self.jobs[record.instance][id] = None
            if isinstance(record, assets.Payout):
                self.due[record.payee].pop(id, None)
                if record.state == "due":
                    self.due[record.payee][id] = None
            self.records[key] = record
        return executed


class Ground:
    """One market: its time, its ledger, and who is told of what."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = 1_700_000_000_000
        self.start = self.now
        self.treasury_seed, self.referee_seed = self.chance.randbytes(32), self.chance.randbytes(32)
        treasury, referee = (signatures.public_key(seed).hex() for seed in (self.treasury_seed, self.referee_seed))
        self.network = NetworkRecord(
            grace=60 * SECOND,
            nonce=Nonce(self.nonce()),
            referees=(PublicKey(referee),),
            skew=30 * SECOND,
            stores=(StoreName("main"),),
            treasury=PublicKey(treasury),
        )
        contract = Contract(self.network)
        self.id = contract.network_id
        self.book = Watched(contract)
        self.ledger = MemoryLedger(self.book, lambda: self.now)
        self.listeners: dict[str, Told] = {}
        self.connections: list[int] = []
        """Whose connection each recorded action came over, by position: the node alone sees it."""
        self.delivered: list[tuple[int, str]] = []
        """When a member's result lay in the store: whoever reads the store sees it."""
        self.refusals: dict[str, int] = defaultdict(int)
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()

    def nonce(self) -> str:
        """32 random bytes, hex."""
        return self.chance.randbytes(32).hex()

    def at(self, time: float, do: Callable[[], None]) -> None:
        """Does something when the time comes."""
        heapq.heappush(self._events, (max(self.now, round(time)), next(self._order), do))

    def lives(self, until: int) -> None:
        """Time passes."""
        while self._events and self._events[0][0] <= until:
            self.now, _, do = heapq.heappop(self._events)
            do()

    def takes(self, action: bytes, connection: int) -> Accepted | Refused:
        """An action arrives; whoever its events name is told."""
        try:
            accepted = self.ledger.submit(action)
        except Refused as refused:
            self.refusals[refused.code] += 1
            return refused
        self.connections.append(connection)
        for event in accepted.events:
            if event.to in self.listeners:
                self.listeners[event.to](event, self.now)
        return accepted

    def find(self, kind: type[R], id: str) -> R | None:
        """A record as it stands."""
        found = self.book.records.get(stored.key_of(kind, id))
        return found if isinstance(found, kind) else None

    def get(self, kind: type[R], id: str) -> R:
        """A record that is there."""
        found = self.find(kind, id)
        assert found is not None, (kind, id)
        return found

    def account(self, member: str) -> AccountSeen:
        """What a member has and is owed."""
        account = self.find(assets.Account, member)
        if account is None:
            return NO_ACCOUNT
        due = tuple(Seen(id, self.get(assets.Payout, id)) for id in self.book.due[member])
        return AccountSeen(free=account.free, due=due)

    def replicas(self, member: str) -> tuple[ReplicaSeen, ...]:
        """What a member holds or was offered, and its work in trainings that go on."""
        return tuple(self._replica(id) for id in self.book.instances[member])

    def _replica(self, id: str) -> ReplicaSeen:
        instance = self.get(assets.CloudInstance, id)
        subset = self.get(assets.DataSubset, instance.subset)
        return ReplicaSeen(
            instance=Seen(id, instance),
            subset=Seen(instance.subset, subset),
            dataset=Seen(subset.dataset, self.get(assets.Dataset, subset.dataset)),
            work=tuple(self._work(id)),
        )

    def _work(self, instance: str) -> list[Work]:
        jobs, found = self.book.jobs[instance], []
        for id in list(jobs):
            job = self.get(assets.TrainJob, id)
            ballot = self.get(assets.Ballot, job.ballot)
            couple = self.get(assets.TrainCouple, ballot.couple)
            if couple.state == "ended":
                del jobs[id]
                continue
            votes = tuple(Seen(other, self.get(assets.TrainJob, other)) for other in ballot.jobs)
            seen = BallotSeen(ballot=Seen(job.ballot, ballot), jobs=votes)
            found.append(Work(job=Seen(JobId(id), job), vote=seen, couple=Seen(ballot.couple, couple)))
        return found
