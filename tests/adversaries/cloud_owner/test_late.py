"""A cloud owner that does not compute, and commits once somebody has told the digest.

Whoever calls for the close of a ballot names the digest, and even a refused call tells it. So nobody may be able to
commit any more when the first honest member calls: the ledger sees to that with its grace, and honest agents see to it
by never calling on a guess.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from freehold.agents.cloud_owner import agent as cloud_agent
from freehold.agents.cloud_owner import plan as cloud_plan
from freehold.agents.cloud_owner.plan import Commit, Compute, Deliver, Known
from freehold.agents.loop import Step, Wait
from freehold.agents.reading import ReplicaSeen, Work
from freehold.contract.call import Call
from freehold.demo.cheaters import Cheater, work_of
from freehold.errors import Refused
from freehold.learning.prepared import Prepared
from freehold.ports.ledger import Accepted, Ledger
from freehold.protocol import commitments
from freehold.protocol.actions import CloseRound
from freehold.protocol.envelope import open_action
from freehold.protocol.identifiers import Digest, MemberId, Nonce
from tests.adversaries.attack import Attack
from tests.agents.perils import PerilousLedger, Perils, dies
from tests.agents.test_trouble import slots_of
from tests.agents.town import PRICE_JOB, Town
from tests.market import SKEW, Ballot, Market, Replica, Training, digest_of

LATE = Attack(
    by="cloud owner",
    does="overtakes a call to close, and commits to the digest that it tells",
    stopped_by="S-10: with grace of at least twice the skew nobody commits any more once somebody may close",
)
LISTENS = Attack(
    by="cloud owner",
    does="listens for calls to close too early, and commits to what they tell",
    stopped_by="S-10: honest agents never call on a guess, since even a refused call tells the digest",
)


def sends_late(idler: Replica, digest: Digest) -> None:
    """Commits to somebody else's digest, and claims the earliest time that the ledger takes."""
    market = idler.market
    nonce = Nonce(market.fresh())
    commitment = commitments.result(idler.job, idler.id, nonce, digest)
    said = {"job": idler.job, "commitment": commitment, "nonce": nonce, "locator": "cd" * 560}
    market.now -= SKEW
    action = idler.person.signs("UpdateTJ", **said)
    market.now += SKEW
    with suppress(Refused):
        market.ledger.submit(action)


def overtakes_the_close(training: Training) -> Ballot:
    """A ballot whose third replica waits for the first call to close that the rules allow, and overtakes it."""
    market = training.market
    ballot = training.starts_round().ballot(subset=0)
    caller, honest, idler = ballot.replicas
    caller.commits(b"gradient")
    honest.commits(b"gradient")
    deadline = ballot.record["commit_until"]
    for first_moment in (deadline + 1, deadline + market.network.grace + 1):
        market.now = first_moment
        call = caller.person.signs("CloseRound", ballot=ballot.id, digest=digest_of(b"gradient"))
        with suppress(Refused):
            market.executes(call)
            break
    told = open_action(call).arguments
    assert isinstance(told, CloseRound)
    sends_late(idler, told.digest)
    market.ledger.submit(call)
    return ballot


def ledger_without_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger on which a deadline has passed for everybody as soon as one clock shows it."""
    monkeypatch.setattr(Call, "after", lambda call, deadline: call.time > deadline)


@LATE.without
def test_where_there_is_no_grace_somebody_commits_after_it_heard_the_digest_and_is_paid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ledger_without_grace(monkeypatch)
    market = Market()

    ballot = overtakes_the_close(market.trains(subsets=2))

    assert list(ballot.verdicts().values()) == ["accepted", "accepted", "accepted"]
    assert market.earned(ballot.replicas[2]) == 100


@LATE.against
def test_when_the_first_may_close_a_commitment_is_too_late_whatever_time_it_claims() -> None:
    market = Market()

    ballot = overtakes_the_close(market.trains(subsets=2))

    assert list(ballot.verdicts().values()) == ["accepted", "accepted", "missing"]
    assert market.earned(ballot.replicas[2]) == 0


@LATE.unharmed
def test_who_was_overtaken_at_the_close_is_paid_and_the_next_round_begins() -> None:
    market = Market()
    training = market.trains(subsets=2)

    ballot = overtakes_the_close(training)

    caller, honest, _ = ballot.replicas
    assert market.earned(caller) == market.earned(honest) == 100
    assert market.records("finding") == []
    market.waits_until_after(ballot.record["close_until"])
    assert training.starts_round().number == 2
    assert market.money_is_conserved()


class Overheard(PerilousLedger):
    """A ledger on whose line somebody listens: every call to close tells a digest, also one that is refused."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger, Perils(dies))
        self.told: dict[str, Digest] = {}

    def submit(self, action: bytes) -> Accepted:
        said = open_action(action).arguments
        if isinstance(said, CloseRound):
            self.told.setdefault(said.ballot, said.digest)
        return self._ledger.submit(action)


class Listener(Cheater):
    """Computes nothing; commits to the first digest that it hears of."""

    def __init__(self, town: Town, name: str, line: Overheard) -> None:
        super().__init__("listening", town.cloud_owner(name), town.people[name].world)
        self._line = line

    def next_steps(self, known: Known, now: int) -> Iterator[Step]:
        """As a cheater; it has nothing to deliver."""
        return (step for step in super().next_steps(known, now) if not isinstance(step, Deliver))

    def _instead(self, step: Compute | Commit, known: Known, now: int) -> Iterator[Step]:
        if work_of(known, step.job)[1].vote.ballot.id in self._line.told:
            yield from super()._instead(step, known, now)
        else:
            yield Wait(now + 25)

    def _claimed(self, member: MemberId, replica: ReplicaSeen, work: Work) -> Digest:
        return self._line.told[work.vote.ballot.id]


def with_a_listener(town: Town, prepared: Prepared) -> dict[str, str]:
    """One round in which the first holder of a subset only listens: what each holder's job of that subset became."""
    town.ledger = line = Overheard(town.ledger)
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    names = slots_of(town, dataset)[1]
    couple = town.requests("heart", dataset, rounds=1, map_name="identity")
    town.people[names[0]].agent = Listener(town, names[0], line)
    town.approves(couple)
    town.lives(lambda: town.buyer().progress("heart").phase in ("finished", "failed"))
    town.rests()
    states = [job.record.state for job in town.training(couple).of_round(1)[1].jobs]
    return dict(zip(("listener", "second", "third"), states, strict=True))


def calls_on_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents that call to close as soon as their own digest would decide, and let the ledger say whether it is time."""
    monkeypatch.setattr(cloud_plan, "earliest_closing", lambda vote, complete_since, grace: 0)
    monkeypatch.setattr(cloud_agent, "require_over", lambda vote, ledger_time, network: None)


@LISTENS.without
def test_where_agents_call_on_a_guess_a_listener_is_paid_for_their_work(
    town: Town, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls_on_a_guess(monkeypatch)

    states = with_a_listener(town, prepared)

    assert states == {"listener": "accepted", "second": "accepted", "third": "accepted"}


@LISTENS.against
@LISTENS.unharmed
def test_honest_agents_tell_a_listener_nothing_in_time_and_are_paid_while_it_is_not(
    town: Town, prepared: Prepared
) -> None:
    states = with_a_listener(town, prepared)

    assert states == {"listener": "missing", "second": "accepted", "third": "accepted"}
    assert town.buyer().progress("heart").phase == "finished"
    paid = [
        account.free for account in (town.reader.account(each.id) for each in town.reader.members("co", after=None))
    ]
    assert sorted(paid) == [0] + [PRICE_JOB] * 11
    assert town.ledger.evaluate("list", {"kind": "finding"}) == []
    town.money()
