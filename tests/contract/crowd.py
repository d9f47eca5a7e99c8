"""A crowd: members who do whatever comes to their mind, sensible or not, decided by a seed.

Its ledger is watched: after every accepted action the state is there to be looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from random import Random
from typing import Any

from freehold.contract import records
from freehold.errors import Refused
from freehold.ledger.memory import MemoryLedger
from freehold.ledger.state import State
from freehold.ports.machine import Executed, Machine
from freehold.ports.state_view import Read, RecordedView
from freehold.protocol.assets import Ballot as BallotRecord
from freehold.protocol.assets import TrainJob
from freehold.protocol.identifiers import JobId
from tests.market import Ballot, Dataset, Market, Member, Replica, Training


class Watched:
    """A machine that keeps what it did: satisfies `ports.machine.Machine`."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.state = State(machine.genesis())
        self.accepted: list[tuple[bytes, int]] = []
        self.events: Counter[str] = Counter()
        self.look: Callable[[State], None] = lambda state: None

    def genesis(self) -> Mapping[str, bytes]:
        """As the machine's."""
        return self._machine.genesis()

    def execute(self, read: Read, action: bytes, time: int) -> Executed:
        """As the machine's; what it did is kept and looked at."""
        executed = self._machine.execute(read, action, time)
        self.state.apply(executed.writes)
        self.accepted.append((action, time))
        self.events.update(event.name for event in executed.events)
        self.look(self.state)
        return executed

    def query(self, view: RecordedView, name: str, arguments: Mapping[str, object]) -> Any:
        """As the machine's."""
        return self._machine.query(view, name, arguments)


class Crowd:
    """Two data owners, two model owners, a crowd of cloud owners, and a seed that decides."""

    def __init__(self, seed: int) -> None:
        self.choose = Random(seed)
        self.watched: Watched | None = None
        self.market = Market(engine=self._engine, seed=seed)
        self.datasets = [self._dataset() for _ in range(2)]
        self.model_owners = [self.market.model_owner(funds=self.choose.choice([3_000, 50_000])) for _ in range(2)]
        self.trainings: list[Training] = []

    @property
    def machine(self) -> Watched:
        """The watched machine."""
        assert self.watched is not None
        return self.watched

    def lives(self, moves: int) -> int:
        """Makes so many moves; refused ones are moves too. Says how many were accepted."""
        before = len(self.machine.accepted)
        options = [move for move, weight in self._moves().items() for _ in range(weight)]
        for _ in range(moves):
            with suppress(Refused):
                self.choose.choice(options)()
        return len(self.machine.accepted) - before

    def goes_home(self) -> None:
        """Time passes and everybody leaves: trainings end, replicas retire, everything is collected."""
        market = self.market
        market.waits(10**7)
        stranger = market.cloud_owner()
        for training in self.trainings:
            with suppress(Refused):
                training.ends(by=stranger)
        for instance in market.records("instance"):
            if instance["state"] in ("free", "joined", "verified"):
                market.people[instance["co"]].does("RetireCI", instance=instance["id"])
        market.waits(10**6)
        for person in list(market.people.values()):
            person.collects()

    def _engine(self, machine: Machine, clock: Callable[[], int]) -> MemoryLedger:
        self.watched = Watched(machine)
        return MemoryLedger(self.watched, clock)

    def _dataset(self) -> Dataset:
        subsets = self.choose.randint(2, 4)
        terms: dict[str, Any] = {
            "group_min": self.choose.randint(2, subsets),
            "price_job": self.choose.choice([0, 1, 100]),
            "price_round": self.choose.choice([0, 7, 400]),
            "rounds_per_training": 5,
            "rounds_total": 12,
        }
        if self.choose.random() < 0.2:
            terms |= {"stake": 0, "referee": None}
        return self.market.publishes(subsets, **terms)

    def _moves(self) -> dict[Callable[[], object], int]:
        return {
            self._commit: 30,
            self._close: 16,
            self._start: 8,
            self._wait: 6,
            self._request: 2,
            self._approve: 3,
            self._replace: 2,
            self._retire: 2,
            self._rule: 2,
            self._collect: 2,
            self._end: 1,
            self._withdraw_money: 1,
            self._rotate: 1,
            self._reject: 1,
            self._withdraw_dataset: 1,
            self._send_again: 3,
        }

    def _someone(self) -> Member:
        return self.choose.choice(list(self.market.people.values()))

    def _training(self) -> Training:
        return self.choose.choice(self.trainings or [self._request()])

    def _wait(self) -> None:
        self.market.waits(self.choose.choice([10, 1_000, 5_000, 12_000, 40_000]))

    def _request(self) -> Training:
        datasets = self.choose.sample(self.datasets, self.choose.randint(1, 2))
        owner = self.choose.choice(self.model_owners)
        training = self.market.requests(*datasets, rounds=self.choose.randint(1, 5), owner=owner)
        self.trainings.append(training)
        if self.choose.random() < 0.7:
            training.is_approved()
        return training

    def _approve(self) -> None:
        training = self._training()
        dataset = self.choose.choice(training.datasets)
        dataset.owner.does("ApproveTC", couple=training.id, dataset=dataset.id, share=self.market.fresh())

    def _start(self) -> None:
        self._training().starts_round()

    def _commit(self) -> None:
        ballots = dict(records.every(self.machine.state, BallotRecord))
        jobs = dict(records.every(self.machine.state, TrainJob))
        waiting = [id for id, job in jobs.items() if job.state == "open" and ballots[job.ballot].state == "open"]
        for id in self.choose.sample(waiting, min(3, len(waiting))):
            replica = Replica(self.market, JobId(id))
            peers = [jobs[peer] for peer in ballots[jobs[id].ballot].jobs if jobs[peer].commitment]
            if peers and self.choose.random() < 0.1:
                replica.sends(str(peers[0].commitment), str(peers[0].nonce))
            else:
                replica.commits(self.choose.choice([b"right"] * 5 + [b"wrong"]))

    def _close(self) -> None:
        for id, ballot in list(records.every(self.machine.state, BallotRecord)):
            if ballot.state == "open":
                result = self.choose.choice([b"right"] * 4 + [b"wrong"])
                with suppress(Refused):
                    Ballot(self.market, id).closes_with(result, by=self._someone())

    def _rule(self) -> None:
        ballots = [id for id, _ in records.every(self.machine.state, BallotRecord)]
        for id in self.choose.sample(ballots, min(1, len(ballots))):
            Ballot(self.market, id).is_ruled(self.choose.choice([b"right"] * 4 + [b"wrong"]))

    def _end(self) -> None:
        self._training().ends(by=self._someone())

    def _replace(self) -> None:
        dataset = self.choose.choice(self.datasets)
        dataset.is_held_by(self.choose.randrange(dataset.shape["m"]))

    def _reject(self) -> None:
        dataset = self.choose.choice(self.datasets)
        joined = dataset.is_joined_by(self.choose.randrange(dataset.shape["m"]))
        dataset.owner.does("VerifyCI", instance=joined.instance, verdict="rejected")

    def _retire(self) -> None:
        dataset = self.choose.choice(self.datasets)
        for slot in self.choose.sample(dataset.slots(0), min(1, len(dataset.slots(0)))):
            leaver = self.choose.choice([dataset.owner, self.market.people[slot["co"]]])
            leaver.does("RetireCI", instance=slot["instance"])

    def _withdraw_dataset(self) -> None:
        if self.choose.random() < 0.1:
            dataset = self.choose.choice(self.datasets)
            dataset.owner.does("WithdrawDS", dataset=dataset.id)

    def _collect(self) -> None:
        self._someone().collects()

    def _withdraw_money(self) -> None:
        amount = self.choose.choice([1, 500, 10**6])
        owner = self.choose.choice([self._someone(), *self.model_owners])
        owner.does("Withdraw", nonce=self.market.fresh(), amount=amount)

    def _rotate(self) -> None:
        self._someone().rotates()

    def _send_again(self) -> None:
        action, _ = self.choose.choice(self.machine.accepted)
        self.market.ledger.submit(action)
        raise AssertionError("an action that was recorded was accepted again")
