"""The loop: one clock, one queue, one chance; who is due takes a turn, and after every accepted action all is checked.

Time stands still during a turn. Between turns it jumps to whoever is due next: because an event woke them, because
their plan said so, or because their process comes back. A run is over when everything is settled, or some time after it
became quiet.
"""

from __future__ import annotations

import hashlib
import heapq
import random
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from freehold.contract.host import Contract
from freehold.errors import Refused
from freehold.learning.prepared import Prepared
from freehold.ledger.memory import MemoryLedger
from freehold.ports.ledger import Accepted
from freehold.ports.machine import Executed
from freehold.ports.state_view import Read, RecordedView
from freehold.protocol.assets import Terms
from freehold.protocol.identifiers import Method, Nonce, PublicKey, StoreName
from freehold.protocol.network import NetworkRecord
from tests.agents.conftest import prepared_table
from tests.simulation.liars import LyingBuyer, LyingHospital, Outsider, lying_cloud_owner
from tests.simulation.people import Agent, Buyer, Hospital, Person, cloud_owner, keys_of, treasury
from tests.simulation.ports import Crash
from tests.simulation.referee import Referee
from tests.simulation.scenario import Scenario
from tests.simulation.witness import Witness

SKEW, GRACE, WINDOW = 250, 500, 2_000
START = 1_000_000
PATIENCE, PATIENCE_WITHOUT_TRAINING = 160_000, 25_000
BUSIEST = 60
"""Turns in which one member acts, within a hundred milliseconds: more is somebody who repeats a step for ever."""


@cache
def table() -> Prepared:
    """One small table, prepared once for all markets of this process."""
    return prepared_table(Path(tempfile.mkdtemp(prefix="simulation-")), rows=64)


class Watched:
    """The real rules, which remember the effects of their last call."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.genesis = contract.genesis
        self.last: Executed | None = None

    def execute(self, read: Read, action: bytes, time: int) -> Executed:
        self.last = self._contract.execute(read, action, time)
        return self.last

    def query(self, view: RecordedView, name: str, arguments: Mapping[str, object]) -> Any:
        return self._contract.query(view, name, arguments)


class Town:
    """A market and everybody in it, as one scenario wants it."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.chance = random.Random(scenario.seed)
        self.now = START
        self.table = table()
        self.asked = False
        self.network = NetworkRecord(
            grace=GRACE,
            nonce=Nonce("01" * 32),
            referees=(keys_of("referee").signing_key,) if scenario.stake else (),
            skew=SKEW,
            stores=(StoreName("main"),),
            treasury=keys_of("treasury").signing_key,
        )
        self.contract = Contract(self.network)
        self._rules = Watched(self.contract)
        self.ledger = MemoryLedger(self._rules, lambda: self.now)
        self.objects: dict[str, bytes] = {}
        self.recorded: list[bytes] = []
        self.history: list[str] = []
        self._digest = hashlib.sha256()
        self._queue: list[tuple[int, int, str, bytes]] = []
        self._due: dict[str, int] = {}
        self._number = 0
        self._busy: dict[str, tuple[int, int]] = {}
        self.witness = Witness(self)
        self.people: dict[str, Person] = {}
        self._settle()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing goes wrong any more but by people's will."""
        return self.now >= START + self.scenario.quiet_after

    @property
    def quiet_from(self) -> int:
        """When it becomes quiet."""
        return START + self.scenario.quiet_after

    def turns_per_pass(self) -> int:
        """Complete rounds that ask every subset once."""
        return 4 // self.scenario.group_min

    @property
    def digest(self) -> str:
        """The digest of everything that happened so far."""
        return self._digest.hexdigest()

    def terms(self) -> Terms:
        """The terms of every dataset."""
        stake = self.scenario.stake
        return Terms(
            answer_window=20_000,
            close_window=WINDOW,
            commit_window=WINDOW,
            group_min=self.scenario.group_min,
            hold=4 * WINDOW,
            idle_window=20_000,
            methods=(Method("linear-1"),),
            price_job=100,
            price_round=400,
            referee=PublicKey(keys_of("referee").signing_key) if stake else None,
            rounds_per_training=10,
            rounds_total=20,
            stake=stake,
            store=StoreName("main"),
        )

    def published(self) -> list[str]:
        """Every dataset that is open for trainings."""
        return [id for id, dataset in self.witness.whole.datasets.items() if dataset.state == "published"]

    def log(self, who: str, what: str) -> None:
        """Adds one line to the history."""
        line = f"{self.now - START:>7} {who}: {what}"
        self.history.append(line)
        self._digest.update(line.encode())

    def lives(self) -> None:
        """Everything that happens, until it is over; the witness remembers what should not have been."""
        while self._queue and not self.witness.accusations:
            time, _, who, action = heapq.heappop(self._queue)
            self.now = max(self.now, time)
            if self._is_over():
                return
            if action:
                self._arrives_late(who, action)
            elif self._due.get(who) == time:
                self._turn_of(self.people[who])

    def records(self, who: str, action: bytes) -> Accepted:
        """Hands an action to the ledger; if it is accepted, everything is checked and readers are woken."""
        try:
            accepted = self.ledger.submit(action)
        except Refused as refused:
            self.log(who, f"refused {refused.code}")
            raise
        executed = self._rules.last
        assert executed is not None
        self._digest.update(action)
        self.recorded.append(action)
        self.witness.accepted(who, action, executed)
        for person in self.people.values():
            if any(event.to == person.member for event in executed.events) and not self._misses_event(person):
                self.wakes(person.name, self.now + self.chance.randint(1, 40) + self._pause(person))
        return accepted

    def delivers_later(self, who: str, action: bytes) -> None:
        """The action is on its way, and overtaken by others."""
        self._push(self.now + self.chance.randint(5, 2 * WINDOW), who, action)

    def hides(self, owner: Person, name: str, data: bytes) -> None:
        """A base that its owner shows to some, or to nobody."""
        self.objects[name] = data
        for person in self.people.values():
            if person.role != "mo" and (owner.lie == "ghostly" or self.chance.random() < 0.5):
                person.hidden.add(name)

    def _settle(self) -> None:
        scenario = self.scenario
        lies = dict(scenario.hospital_lies)
        self._comes("treasury", "treasury", treasury)
        for number in range(scenario.hospitals):
            lie = lies.get(number, "")
            self._comes(f"hospital {number}", "do", LyingHospital if lie else Hospital, lie)
        lies = dict(scenario.clouds)
        for number in range(scenario.cloud_owners):
            lie = lies.get(number, "")
            self._comes(f"cloud {number}", "co", lying_cloud_owner if lie else cloud_owner, lie)
        self._comes("buyer", "mo", LyingBuyer if scenario.buyer_lies else Buyer, scenario.buyer_lies)
        if scenario.stake:
            self._comes("referee", "treasury", Referee)
        if scenario.outsider:
            self._comes("outsider", "outsider", Outsider, "outsider")

    def _comes(self, name: str, role: str, start: Callable[[Person], Agent], lie: str = "") -> None:
        self.people[name] = Person(self, name, role, start, lie=lie)
        self.wakes(name, self.now + self.chance.randint(0, 50))

    def _turn_of(self, person: Person) -> None:
        if person.is_gone:
            return
        if self.now < person.down_until:
            self.wakes(person.name, person.down_until, anew=True)
            return
        try:
            turn = person.takes_a_turn()
        except Crash as crash:
            self.log(person.name, f"dies {crash}")
            person.dies()
            self.wakes(person.name, max(self.now + 1, person.down_until), anew=True)
            return
        soon = self.now + self.chance.randint(1, 4)
        if turn.acted:
            self._notices_zeal(person)
        self.wakes(person.name, self._pause(person) + (soon if turn.acted else max(soon, turn.look_again)), anew=True)

    def _pause(self, person: Person) -> int:
        """How long somebody takes before a turn."""
        return self.chance.randint(300, 2_500) if person.is_slow else 0

    def _notices_zeal(self, person: Person) -> None:
        since, count = self._busy.get(person.name, (self.now, 0))
        since, count = (self.now, 1) if self.now > since + 100 else (since, count + 1)
        self._busy[person.name] = (since, count)
        if count > BUSIEST:
            self.witness.accuse("V-5", f"{person.name} repeats a step without end: {person.told[-1].step}")

    def _arrives_late(self, who: str, action: bytes) -> None:
        # refused, if its sender, who was told nothing, has sent another since
        with suppress(Refused):
            self.records(who, action)

    def _misses_event(self, person: Person) -> bool:
        faults = self.scenario.faults
        return not self.is_quiet and faults.unwoken > 0 and self.chance.randrange(1000) < faults.unwoken

    def wakes(self, name: str, time: int, *, anew: bool = False) -> None:
        """Somebody takes a turn at this time at the latest; `anew` forgets what was planned before."""
        if anew or time < self._due.get(name, time + 1):
            self._due[name] = time
            self._push(time, name, b"")

    def _push(self, time: int, who: str, action: bytes) -> None:
        self._number += 1
        heapq.heappush(self._queue, (time, self._number, who, action))

    def _is_over(self) -> bool:
        if not self.is_quiet:
            return self._is_settled()
        quiet = self.now - START - self.scenario.quiet_after
        if not self.asked and quiet > PATIENCE_WITHOUT_TRAINING:
            return True
        return quiet > PATIENCE or self._is_settled()

    def _is_settled(self) -> bool:
        whole = self.witness.whole
        if len(whole.couples) < self.scenario.trainings:
            return False
        buyer = self.people["buyer"]
        done = sum(kind == "finished" for kind, _ in buyer.home.notes)
        ended = all(couple.state == "ended" for couple in whole.couples.values())
        return ended and (done >= self.scenario.trainings or not buyer.is_honest)
