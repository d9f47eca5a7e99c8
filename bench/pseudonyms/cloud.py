"""A cloud owner of the simulated market: the product's own plan decides what its members do, and when.

`freehold.agents.cloud_owner.plan.next_steps` is the code that runs in earnest. What is modelled is the machine around
it: how long a message, a download and a job take, when it is switched off, what its owner does by hand. Packages and
results are not computed; their receipts, commitments and locators are made by the real functions.
"""

from __future__ import annotations

import random
from functools import partial

from freehold.agents.closing import all_committed, earliest_closing, would_decide
from freehold.agents.cloud_owner.plan import (
    AnswerOffer,
    Close,
    CollectFor,
    Commit,
    Compute,
    Deliver,
    Join,
    Known,
    MemberKnown,
    Retire,
    next_steps,
    open_ids,
)
from freehold.agents.discretion import claimed_time, pace_of
from freehold.agents.keys import MemberKeys, recovery_seed
from freehold.agents.loop import Pace, Step, Wait
from freehold.errors import Refused
from freehold.ports.ledger import Accepted
from freehold.protocol import actions, assets, commitments, signatures
from freehold.protocol.digests import H, sha256
from freehold.protocol.envelope import sign_action
from freehold.protocol.events import Event
from freehold.protocol.identifiers import BallotId, Digest, InstanceId, JobId, MemberId, Nonce, StoreName
from freehold.protocol.sealing import seal_locator, sealing_public_key
from pseudonyms import habits
from pseudonyms.ground import Ground

PACKAGE_BYTES, BASE_BYTES, RESULT_BYTES = 4_000_000, 1_000_000, 200_000
JOB_MILLISECONDS = 25
LOCATOR_STORE = StoreName("main")


class CloudPerson:
    """One owner with several members on one machine."""

    def __init__(self, ground: Ground, number: int, conduct: habits.Conduct, days: int) -> None:
        self.ground = ground
        self.number = number
        self.conduct = conduct
        self.chance = random.Random(ground.chance.getrandbits(64))
        self.machine = habits.Machine.of(self.chance)
        self.rules = habits.rules(self.chance, conduct.spread)
        self.members: dict[MemberId, MemberKeys] = {}
        self.joins_at: dict[MemberId, int] = {}
        self.computed: dict[str, tuple[Digest, Nonce]] = {}
        self.receipts: dict[str, tuple[Digest, Nonce]] = {}
        self.delivered: set[str] = set()
        self.given_up: set[str] = set()
        self.joined: set[MemberId] = set()
        self._complete_since: dict[str, int] = {}
        self._open_since: dict[str, int] = {}
        self._pace = Pace()
        self._busy_until = 0
        self._wakes_at: int | None = None
        self._words = self.chance.randbytes(32)
        self._sealing = self.chance.randbytes(32)
        self.off = [(ground.start + start, ground.start + end) for start, end in habits.outages(self.chance, days)]
        for at, slots in habits.sessions(self.chance, days):
            ground.at(ground.start + at, partial(self.opens, slots))
        for at in habits.withdrawals(self.chance, days):
            ground.at(ground.start + at, self.withdraws)
        if self.chance.random() < conduct.rotates:
            # in the second half, when all members are there
            ground.at(ground.start + self.chance.randrange(days * habits.DAY // 2, days * habits.DAY), self.rotates)
        if conduct.collects_together:
            for day in range(0, days, 2):
                moment = (day + self.chance.random()) * habits.DAY
                ground.at(ground.start + moment, self.collects_all)

    def opens(self, slots: int) -> None:
        """`freehold cloud open --slots`, and the running agent notices."""
        for _ in range(slots):
            number = len(self.members)
            keys = MemberKeys(
                number=number,
                signing=self.chance.randbytes(32),
                sealing=self._sealing if self.conduct.one_key else self.chance.randbytes(32),
                recovery=signatures.public_key(recovery_seed(self._words, number)),
            )
            member = keys.id_in("co", self.ground.id)
            self.members[member] = keys
            self.joins_at[member] = self.ground.now + self.chance.randint(0, self.rules.spread)
            self.ground.listeners[member] = self._hears
        self.wakes(self.ground.now)

    def wakes(self, at: float) -> None:
        """Takes a turn then, or earlier if it would anyway."""
        time = max(round(at), round(self._busy_until))
        for start, end in self.off:
            if start <= time < end:
                time = max(time, end)
        if self._wakes_at is None or time < self._wakes_at:
            self._wakes_at = time
            self.ground.at(time, self._turn)

    def _hears(self, event: Event, now: int) -> None:
        self.wakes(now + self._on_the_way())

    def _on_the_way(self) -> float:
        return self.machine.one_way + self.chance.expovariate(1 / self.machine.jitter)

    def _turn(self) -> None:
        now = self.ground.now
        if self._wakes_at is None or now < self._wakes_at:
            return
        self._wakes_at = None
        if now < self._busy_until or any(start <= now < end for start, end in self.off):
            self.wakes(now)
            return
        known = self._look(now)
        steps = [step for step in next_steps(known, now) if not self._waits_for_sunday(step)]
        at = now + 2 * self._on_the_way() * (1 + 2 * len(self.members))
        acted = False
        for step in steps:
            if isinstance(step, Wait) or self._pace.rests(step, now):
                continue
            at, acted = self._begins(step, known, at), True
        self._busy_until = round(at) if acted else now
        waits = [step.until for step in steps if isinstance(step, Wait)]
        if acted:
            self.wakes(at + 1)
        elif waits or self._pace.earliest(steps, 0):
            self.wakes(max(now + 1, self._pace.earliest(steps, min(waits, default=now + habits.HOUR))))

    def _waits_for_sunday(self, step: Step) -> bool:
        """Whether the agent leaves this to its owner, who collects for all members at once."""
        by_hand = self.conduct.collects_together and isinstance(step, CollectFor)
        return by_hand and bool(self.ground.book.instances[step.member])  # type: ignore[attr-defined]

    def _look(self, now: int) -> Known:
        replicas = {member: self.ground.replicas(member) for member in self.members}
        works = [work for held in replicas.values() for replica in held for work in replica.work]
        complete = {work.vote.ballot.id for work in works if all_committed(work.vote)}
        self._complete_since = {ballot: self._complete_since.get(ballot, now) for ballot in complete}
        self.joined |= {member for member in self.members if self.ground.find(assets.Member, member) is not None}
        decides = {
            work.vote.ballot.id
            for work in works
            if work.job.id in self.computed and would_decide(work.vote, self.computed[work.job.id][0])
        }
        members = tuple(
            MemberKnown(
                member=member,
                joined=member in self.joined,
                account=self.ground.account(member),
                replicas=replicas[member],
                joins_at=self.joins_at[member],
                pace=pace_of(keys) if self.rules.spread else b"",
            )
            for member, keys in self.members.items()
        )
        self._open_since = {each: self._open_since.get(each, now) for each in open_ids(members)}
        return Known(
            grace=self.ground.network.grace,
            members=members,
            computed=frozenset(self.computed),
            delivered=frozenset(self.delivered),
            given_up=frozenset(self.given_up),
            opens=frozenset(decides),
            complete_since=self._complete_since,
            open_since=self._open_since,
            spread=self.rules.spread,
        )

    def _begins(self, step: Step, known: Known, at: float) -> float:
        """Does one step from the time `at` on, and says when it is done."""
        work = {work.job.id: work for member in known.members for held in member.replicas for work in held.work}
        line = self.machine.bytes_a_millisecond
        match step:
            case Join(member):
                keys = self.members[member]
                create = actions.CreateCO(
                    signing_key=keys.signing_key, sealing_key=keys.sealing_key, recovery_key=keys.recovery_key
                )
                return self._sends(step, member, create, at)
            case AnswerOffer(member, instance):
                return self._answers(step, member, instance, known, at)
            case Compute(member, job):
                started = at + BASE_BYTES / line + JOB_MILLISECONDS * self.machine.speed * self.chance.uniform(1, 1.3)
                return self._commits(step, member, job, work[job].vote.ballot.id, started)
            case Commit(member, job):
                return self._commits(step, member, job, work[job].vote.ballot.id, at)
            case Close(member, job, ballot):
                since = earliest_closing(work[job].vote, None, known.grace)
                close = actions.CloseRound(ballot=BallotId(ballot), digest=self.computed[job][0])
                return self._sends(step, member, close, at, at_least=since)
            case Deliver(job):
                self.delivered.add(job)
                at += RESULT_BYTES / line + 2 * self._on_the_way()
                self.ground.delivered.append((round(at), self.ground.get(assets.TrainJob, job).co))
                return at
            case Retire(member, instance):
                return self._sends(step, member, actions.RetireCI(instance=InstanceId(instance)), at)
            case CollectFor(member, collect):
                since = max(self.ground.get(assets.Payout, each).since for each in collect.payouts)
                return self._sends(step, member, actions.Collect(payouts=collect.payouts), at, at_least=since)
        raise AssertionError(step)

    def _answers(self, step: Step, member: MemberId, instance: str, known: Known, at: float) -> float:
        offer = self.ground.get(assets.CloudInstance, instance)
        dataset = self.ground.get(assets.Dataset, self.ground.get(assets.DataSubset, offer.subset).dataset)
        if self.rules.objection(dataset.terms):
            self.given_up.add(instance)
            return at
        at += PACKAGE_BYTES / self.machine.bytes_a_millisecond * self.chance.uniform(0.9, 1.3) + 2 * self._on_the_way()
        if instance not in self.receipts:
            nonce = Nonce(self.chance.randbytes(32).hex())
            made = commitments.receipt(InstanceId(instance), member, nonce, sha256(offer.subset.encode()))
            self.receipts[instance] = (made, nonce)
        receipt, nonce = self.receipts[instance]
        join = actions.JoinCI(instance=InstanceId(instance), receipt=receipt, nonce=nonce)
        return self._sends(step, member, join, at)

    def _commits(self, step: Step, member: MemberId, job: str, ballot: str, at: float) -> float:
        id = JobId(job)
        if job not in self.computed:
            result = Digest(H("result", bytes.fromhex(ballot)).hex())
            self.computed[job] = (result, Nonce(self.chance.randbytes(32).hex()))
        result, nonce = self.computed[job]
        couple = self.ground.get(assets.TrainCouple, self.ground.get(assets.Ballot, ballot).couple)
        owner = self.ground.get(assets.Member, couple.mo)
        update = actions.UpdateTJ(
            job=id,
            commitment=commitments.result(id, member, nonce, result),
            nonce=nonce,
            locator=seal_locator(owner.sealing_key, id, LOCATOR_STORE, job),
        )
        return self._sends(step, member, update, at)

    def _sends(
        self, step: Step, member: MemberId, arguments: actions.Arguments, at: float, *, at_least: int = 0
    ) -> float:
        """Signs at the time `at` by this machine's clock; the agent waits for the answer before its next step."""
        arrives = at + self._on_the_way()
        action = self.signs(member, arguments, at, at_least=at_least)
        self.ground.at(arrives, lambda: self._arrived(step, self.ground.takes(action, self.number)))
        return arrives + 2 + self._on_the_way()

    def signs(self, member: MemberId, arguments: actions.Arguments, at: float, *, at_least: int = 0) -> bytes:
        """An action of a member, with the time that it claims."""
        clock = round(at + self.machine.clock)
        skew = self.ground.network.skew
        return sign_action(
            self.members[member].signing,
            network=self.ground.id,
            function=type(arguments).__name__,
            member=member,
            time=clock if self.conduct.own_clock else claimed_time(clock, skew, at_least=at_least),
            arguments=arguments,
        )

    def _arrived(self, step: Step, answer: Accepted | Refused) -> None:
        if isinstance(answer, Refused):
            self._pace.failed(step, answer, self.ground.now)
        else:
            self._pace.done(step)

    def _rotated(self, action: bytes) -> None:
        self.ground.takes(action, self.number)

    def by_hand(self, orders: list[tuple[MemberId, actions.Arguments]]) -> None:
        """A command of the same profile sends one action after the other."""
        at = float(self.ground.now)
        for member, arguments in orders:
            at = self._sends(("by hand", member, at), member, arguments, at)

    def withdraws(self) -> None:
        """`freehold money withdraw`: most of what is there, from the fullest accounts, as `Purse` does it."""
        free = sorted(((self.ground.account(member).free, member) for member in self.joined), reverse=True)
        if self.conduct.withdraws == "one":
            free = free[:1]
        left = int(sum(each for each, _ in free) * self.chance.uniform(0.5, 0.95)) // 10_000 * 10_000
        orders: list[tuple[MemberId, actions.Arguments]] = []
        for each, member in free:
            if left and each:
                nonce = Nonce(self.chance.randbytes(32).hex())
                orders.append((member, actions.Withdraw(nonce=nonce, amount=min(left, each))))
                left -= min(left, each)
        self.by_hand(orders)

    def collects_all(self) -> None:
        """`freehold money collect`: everything that is due, for every member, one after the other."""
        orders: list[tuple[MemberId, actions.Arguments]] = []
        for member in self.joined:
            due = sorted(each.id for each in self.ground.account(member).due if each.record.since <= self.ground.now)
            if due:
                orders.append((member, actions.Collect(payouts=tuple(due[:64]))))  # type: ignore[arg-type]
        self.by_hand(orders)

    def rotates(self) -> None:
        """`freehold key rotate`: fresh keys for every member, one after the other, signed by the words' keys."""
        at = float(self.ground.now)
        for member in sorted(self.joined):
            keys = self.members[member]
            fresh = self.chance.randbytes(32), self.chance.randbytes(32)
            rotate = actions.RotateKey(
                version=self.ground.get(assets.Member, member).version,
                signing_key=signatures.public_key(fresh[0]).hex(),  # type: ignore[arg-type]
                sealing_key=sealing_public_key(fresh[1]).hex(),  # type: ignore[arg-type]
                recovery_key=keys.recovery_key,
            )
            action = sign_action(
                recovery_seed(self._words, keys.number),
                network=self.ground.id,
                function="RotateKey",
                member=member,
                time=round(at + self.machine.clock),
                arguments=rotate,
            )
            arrives = at + self._on_the_way()
            self.ground.at(arrives, partial(self._rotated, action))
            self.members[member] = MemberKeys(
                number=keys.number,
                signing=fresh[0],
                sealing=fresh[1],
                recovery=keys.recovery,
                first=(bytes.fromhex(keys.signing_key), bytes.fromhex(keys.sealing_key)),
            )
            at = arrives + 2 + self._on_the_way()
