"""What happened in one training: rounds, votes, who was out-voted, and where the money went."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from freehold.agents.auditor.history import History
from freehold.agents.auditor.training import Round, Training, Vote
from freehold.protocol.assets import Account, Deposits, Finding, Payout, Withdrawal
from freehold.protocol.identifiers import CoupleId, DatasetId, MemberId, fee_cause, payout_id

CONDITION = "if most replicas of this subset were honest"
"""Under which being out-voted says anything about who was right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """One subset's vote in one round; `votes` are job states in the order of the slots, `members` who they are of."""

    dataset: str
    subset: int
    """Index from 0."""
    state: str
    digest: str | None
    members: tuple[str, ...]
    votes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundAccount:
    """One round and its ballots."""

    number: int
    complete: bool
    started: int
    """The ledger's time, milliseconds."""
    ballots: tuple[Ballot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """What the votes and rulings say about one member: how often, and never more than that."""

    member: str
    jobs: int
    rejected: int
    missing: int
    findings: int
    statement: str
    condition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Where a training's escrow went, in micro-credits."""

    escrow: int
    cloud_owners: int
    data_owners: int
    returned: int
    locked: int
    """Still in the balance, in fees and in ballots of a training that goes on."""
    by_member: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingAccount:
    """The account of one training."""

    couple: str
    state: str
    method: str
    map: str
    model_owner: str
    datasets: tuple[str, ...]
    data_owners: tuple[str, ...]
    rounds_approved: int
    rounds_started: int
    rounds_complete: int
    jobs: dict[str, int]
    """How many jobs ended in which state."""
    rounds: tuple[RoundAccount, ...]
    blamed: tuple[Blame, ...]
    money: Money


def account_of(training: Training) -> TrainingAccount:
    """The account of one training."""
    rounds = tuple(_round(each) for each in training.rounds)
    states = Counter(vote for round in rounds for ballot in round.ballots for vote in ballot.votes)
    return TrainingAccount(
        couple=training.id,
        state=training.record.state,
        method=training.model.method,
        map=training.model.map,
        model_owner=training.record.mo,
        datasets=tuple(training.datasets),
        data_owners=tuple(dict.fromkeys(dataset.owner for dataset in training.datasets.values())),
        rounds_approved=training.record.rounds,
        rounds_started=len(rounds),
        rounds_complete=sum(round.complete for round in rounds),
        jobs=dict(sorted(states.items())),
        rounds=rounds,
        blamed=tuple(_blame(training)),
        money=_money(training),
    )


def _round(round: Round) -> RoundAccount:
    ballots = tuple(
        Ballot(
            dataset=vote.subset.dataset,
            subset=vote.subset.index,
            state=vote.record.state,
            digest=vote.record.digest,
            members=tuple(job.record.co for job in vote.jobs),
            votes=tuple(_state(vote, job.record.state) for job in vote.jobs),
        )
        for vote in round.votes
    )
    return RoundAccount(
        number=round.number, complete=round.complete, started=round.started.action.time, ballots=ballots
    )


def _state(vote: Vote, state: str) -> str:
    """A job's state as a reader sees it: under a void ballot nobody was judged."""
    if vote.record.state == "void":
        return {"committed": "undecided", "open": "missing"}.get(state, state)
    return state


def _blame(training: Training) -> Iterator[Blame]:
    """Every member that was out-voted or missing in a decided ballot, or that a referee found against."""
    jobs: dict[MemberId, Counter[str]] = {}
    for job in training.jobs:
        jobs.setdefault(job.record.co, Counter())[job.record.state] += 1
    ids = {job.id for job in training.jobs}
    found_against = Counter(each.co for _, each in training.history.every(Finding) if each.job in ids)
    for member, states in jobs.items():
        rejected, missing, found = states["rejected"], states["missing"], found_against[member]
        if not (rejected or missing or found):
            continue
        total = states.total()
        said = [f"out-voted in {rejected} of {total} jobs"] if rejected else []
        said += [f"missing in {missing} of {total} jobs"] if missing else []
        said += ["1 finding of the referee" if found == 1 else f"{found} findings of the referee"] if found else []
        condition = CONDITION if rejected else "its commitment was not recorded in time, for whatever reason"
        yield Blame(
            member=member,
            jobs=total,
            rejected=rejected,
            missing=missing,
            findings=found,
            statement="; ".join(said),
            condition="as the referee named in the terms ruled" if found else condition,
        )


def _money(training: Training) -> Money:
    couple, couple_id = training.record, CoupleId(training.id)
    paid: Counter[str] = Counter()
    cloud = data = 0
    for job in training.jobs:
        if job.record.state == "accepted":
            cloud += (amount := _paid(training, job.id, job.record.co))
            paid[job.record.co] += amount
    for round in training.rounds:
        for id, dataset in training.datasets.items():
            cause = fee_cause(couple_id, round.number, DatasetId(id))
            data += (amount := _paid(training, cause, dataset.owner))
            paid[dataset.owner] += amount
    returned = _paid(training, training.id, couple.mo)
    rest = sum(vote.record.left for round in training.rounds for vote in round.votes)
    locked = couple.balance + sum(part.fee for part in couple.parts) + rest
    return Money(
        escrow=cloud + data + returned + locked,
        cloud_owners=cloud,
        data_owners=data,
        returned=returned,
        locked=locked,
        by_member={member: total for member, total in paid.items() if total},
    )


def _paid(training: Training, cause: str, payee: MemberId) -> int:
    payout = training.history.find(Payout, payout_id(cause, payee))
    return 0 if payout is None else payout.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketMoney:
    """Where all money of a market is, in micro-credits."""

    deposited: int
    withdrawn: int
    held: int
    """In accounts, balances, fees, ballots, stakes and payouts that are due."""
    burned: int


def market_money(history: History) -> MarketMoney:
    """Where all money of a market is; `deposited - withdrawn = held + burned` was checked action by action."""
    deposited = history.get(Deposits, history.network_id).amount
    withdrawn = sum(record.amount for _, record in history.every(Withdrawal))
    burned = sum(record.amount for _, record in history.every(Payout) if record.state == "burned")
    return MarketMoney(deposited=deposited, withdrawn=withdrawn, held=deposited - withdrawn - burned, burned=burned)


def wealth(history: History, member: str) -> int:
    """What a member owns: its account, and every payout that it may collect now or later, in micro-credits."""
    account = history.find(Account, member)
    due = sum(r.amount for _, r in history.every(Payout) if r.payee == member and r.state == "due")
    return due + (0 if account is None else account.free)
