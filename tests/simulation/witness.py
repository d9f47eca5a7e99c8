"""Who sees everything: after every accepted action it asks each S- predicate that the action could have broken.

Those over a state are the package's own (`freehold.contract.invariants`), asked of records that are kept up to date
write by write. Those that no state shows stand here: who signed (S-2), which transitions occurred (S-4), who verified
(S-5), who was told a digest when (S-10), who is blamed (S-12), what is written (S-17, S-19) and how much (S-20). S-1
and S-3 need the whole history, and stand in `endings` with S-18 and the V- predicates.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from freehold.contract import stored
from freehold.contract.invariants import INVARIANTS
from freehold.contract.invariants.whole import Whole
from freehold.ports.machine import Executed
from freehold.protocol import assets
from freehold.protocol.envelope import open_action
from freehold.protocol.limits import RECORD_LARGEST, WRITES_PER_CALL

if TYPE_CHECKING:
    from tests.simulation.people import Person
    from tests.simulation.town import Town

_KEPT: Final = {
    "dataset": "datasets",
    "budget": "budgets",
    "subset": "subsets",
    "instance": "instances",
    "couple": "couples",
    "ballot": "ballots",
    "job": "jobs",
    "payout": "payouts",
    "finding": "findings",
    "account": "accounts",
    "deposits": "deposits",
    "withdrawal": "withdrawals",
    "member": "members",
}
_ASKED_AFTER: Final = {
    "S-6": {"subset"},
    "S-7": {"ballot"},
    "S-8 groups": {"dataset"},
    "S-8 rounds, S-9, S-16": {"couple"},
    "S-8 budgets": {"budget", "couple"},
    "S-10, S-11": {"ballot"},
    "S-12, S-13": {"finding", "ballot"},
    "S-14 not negative": {"couple", "payout", "ballot", "instance"},
    "S-14 paid once": {"ballot"},
    "S-15": {"finding", "payout"},
}
_MOVES: Final[dict[str, set[tuple[str | None, str]]]] = {
    "dataset": {(None, "draft"), ("draft", "published"), ("draft", "withdrawn"), ("published", "withdrawn")},
    "instance": {
        (None, "free"),
        ("free", "joined"),
        ("joined", "verified"),
        ("joined", "rejected"),
        ("free", "retired"),
        ("joined", "retired"),
        ("verified", "retired"),
    },
    "couple": {
        (None, "requested"),
        ("requested", "approved"),
        ("approved", "training"),
        ("requested", "ended"),
        ("approved", "ended"),
        ("training", "ended"),
    },
    "ballot": {(None, "open"), ("open", "decided"), ("open", "void")},
    "job": {
        (None, "open"),
        ("open", "committed"),
        ("committed", "accepted"),
        ("committed", "rejected"),
        ("open", "missing"),
    },
    "payout": {(None, "due"), (None, "burned"), ("due", "collected"), ("due", "burned")},
}
_TEXT: Final = re.compile(rb'"([^"]*)"')
_HARMLESS: Final = re.compile(rb"[0-9a-f]{64}|[0-9a-f]{1120}|[a-z][a-z0-9_]{0,31}|main|linear-1|statistics-1")


class Accusation(NamedTuple):
    """A predicate that does not hold, and why."""

    predicate: str
    what: str


class Witness:
    """Remembers every record, and everything that should not have been."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self.accusations: list[Accusation] = []
        self.whole: Any = Whole.__new__(Whole)
        for name in _KEPT.values():
            setattr(self.whole, name, {})
        self.truth: dict[str, Any] = {}
        """What honest replicas computed, by ballot."""
        self._told: dict[str, str] = {}
        self._senders: dict[bytes, str] = {}
        self._read: set[bytes] = set()

    def accuse(self, predicate: str, what: str) -> None:
        """Something should not have been."""
        self._town.log("witness", f"{predicate}: {what}")
        self.accusations.append(Accusation(predicate, what))

    def sent(self, person: Person, action: bytes) -> None:
        """Somebody lets an action out of the house."""
        self._senders[action] = person.keys.signing_key
        envelope = open_action(action, signature_checked=True)
        if envelope.function == "CloseRound" and person.is_honest:
            ballot = envelope.arguments.ballot  # type: ignore[attr-defined]
            self._told.setdefault(ballot, person.name)

    def accepted(self, who: str, action: bytes, executed: Executed) -> None:
        """Something was recorded."""
        envelope = open_action(action, signature_checked=True)
        self._town.log(who, f"{envelope.function} {executed.result[7:15].decode()}")
        if self._senders.get(action) != envelope.key:
            self.accuse("S-2", f"{envelope.function} was accepted, and the holder of its key never sent it")
        if len(executed.writes) > WRITES_PER_CALL or not executed.writes:
            self.accuse("S-20", f"{envelope.function} wrote {len(executed.writes)} records")
        kinds = set()
        for key, value in executed.writes.items():
            kinds.add(self._written(key, value, envelope.member))
        self._whole_is_sound(kinds)

    def person_of(self, member: str) -> Person | None:
        """Whose member this is."""
        return next((person for person in self._town.people.values() if person.member == member), None)

    def _written(self, key: str, value: bytes, by: str) -> str:
        kind, _, id = key.partition("/")
        if len(value) > RECORD_LARGEST:
            self.accuse("S-20", f"{key} has {len(value)} bytes")
        for text in _TEXT.findall(value):
            if text not in self._read and not _HARMLESS.fullmatch(text):
                self.accuse("S-17", f"{key} says {text!r}")
            self._read.add(text)
        if kind not in _KEPT:
            return kind
        kept = getattr(self.whole, _KEPT[kind])
        before, record = kept.get(id), stored.decode(assets.KINDS[kind], value)
        kept[id] = record
        if kind in _MOVES:
            self._moved(kind, id, before, record, by)
        return kind

    def _moved(self, kind: str, id: str, before: Any, record: Any, by: str) -> None:
        if before is not None and before.state == record.state:
            return
        move = (None if before is None else before.state, record.state)
        if move not in _MOVES[kind]:
            self.accuse("S-4", f"{kind} {id[:8]} went from {move[0]} to {move[1]}")
        if kind == "couple" and move[1] == "requested":
            self._town.asked = True
        if kind == "dataset" and move[1] == "published":
            self._town.wakes("buyer", self._town.now + 100)
        if kind == "instance":
            self._replica_moved(id, record, by)
        if kind == "job":
            self._job_moved(id, record)
        if kind == "ballot" and record.state == "decided":
            self._told.setdefault(id, by)
            self._decided(id, record)

    def _replica_moved(self, id: str, record: Any, by: str) -> None:
        owner = self.whole.datasets[self.whole.subsets[record.subset].dataset].owner
        if record.state == "verified" and by != owner:
            self.accuse("S-5", f"instance {id[:8]} was verified by {by[:8]}")
        if self.whole.members[record.co].role != "co":
            self.accuse("S-19", f"a subset was offered to {record.co[:8]}, who is no cloud owner")

    def _decided(self, id: str, ballot: Any) -> None:
        """A ballot is closed when all have committed, or when no honest clock can think that it is still time."""
        network, jobs = self._town.network, [self.whole.jobs[job] for job in ballot.jobs]
        latest = self._town.now + network.skew
        if latest <= ballot.commit_until + network.grace and any(job.commitment is None for job in jobs):
            self.accuse("S-10", f"ballot {id[:8]} was closed before everybody could have committed")

    def _job_moved(self, id: str, record: Any) -> None:
        person = self.person_of(record.co)
        if record.state == "committed":
            teller = self._told.get(record.ballot)
            if teller is not None:
                self.accuse("S-10", f"{teller} told the digest of ballot {record.ballot[:8]} before a commitment")
            if person is not None and person.is_honest:
                self._honest_agree(id, record, person)
        elif record.state == "rejected" and person is not None and person.is_honest:
            ballot = self.whole.ballots[record.ballot]
            accomplices = [self.person_of(self.whole.jobs[job].co) for job in ballot.jobs]
            if 2 * sum(other is not None and not other.is_honest for other in accomplices) <= ballot.n:
                self.accuse("S-12", f"{person.name} was out-voted though most of its neighbours are honest")

    def _honest_agree(self, id: str, record: Any, person: Person) -> None:
        """All honest replicas of a subset commit to the same bytes."""
        made = msgspec.json.decode(person.home.decisions["Computed"][id])
        if made["commitment"] != record.commitment:
            self.accuse("V-5", f"{person.name} committed to something else than it had decided")
        if self.truth.setdefault(record.ballot, made["result"]) != made["result"]:
            self.accuse("S-1", f"{person.name} computed other bytes than an honest neighbour")

    def _whole_is_sound(self, kinds: set[str]) -> None:
        for name, after in _ASKED_AFTER.items():
            if kinds & after:
                for what in INVARIANTS[name](self.whole):
                    self.accuse(name, what)
        if kinds != {"job"}:
            self._money_is_conserved()
        if "finding" in kinds:
            for finding in self.whole.findings.values():
                person = self.person_of(finding.co)
                if person is not None and person.is_honest:
                    self.accuse("S-12", f"{person.name}, who is honest, got a finding")

    def _money_is_conserved(self) -> None:
        whole = self.whole
        there = (
            sum(account.free for account in whole.accounts.values())
            + sum(couple.balance + sum(part.fee for part in couple.parts) for couple in whole.couples.values())
            + sum(ballot.left for ballot in whole.ballots.values())
            + sum(instance.stake for instance in whole.instances.values())
            + sum(payout.amount for payout in whole.payouts.values() if payout.state != "collected")
        )
        came = sum(deposits.amount for deposits in whole.deposits.values())
        left = sum(withdrawal.amount for withdrawal in whole.withdrawals.values())
        if there != came - left:
            self.accuse("S-14 conserved", f"{came - left} came in and stayed, {there} are there")
