"""How a training goes on: round by round, until somebody ends it.

Only the model owner starts a round, and a round names the base that all its replicas evaluate, so no two of them can be
led apart. The whole price of a round leaves the balance when it starts: who works is paid from money that nobody can
take back. Whoever has a dataset or money in a training may end it once no round is open, and after `due`
anybody may: refusing, cancelling, stopping and expiring are all this one call.
"""

from collections.abc import Iterator, Mapping, Sequence

from freehold.contract.agreement import datasets_of, owners
from freehold.contract.call import Call
from freehold.contract.effects import Effects, Put, Step, require
from freehold.contract.money import pay
from freehold.contract.settlement import settle, subsets_of_turn
from freehold.contract.view import View
from freehold.errors import Broken
from freehold.protocol import actions, commitments, events
from freehold.protocol.assets import Ballot, Budget, Dataset, DataSubset, TrainCouple, TrainJob, with_changes
from freehold.protocol.events import Event
from freehold.protocol.identifiers import BallotId, DatasetId, Digest, Secret, SubsetId, ballot_id, job_id
from freehold.protocol.limits import JOBS_PER_ROUND


def start_round(call: Call[actions.StartRound], view: View) -> Effects:
    """Settles the last round and opens the next: a ballot for each subset of this turn, a job for each filled slot.

    Refuses: unknown, not-yours, state, rounds-spent, withdrawn, bad-opening, round-open, replica-missing, limit.
    With eight parts and 32 ballots of three jobs it reads 75 records and writes 169: the largest call there is.
    """
    asked = call.arguments
    couple = view.get(TrainCouple, asked.couple)
    datasets = datasets_of(view, couple)
    require(couple.mo == call.member, "not-yours")
    require(couple.state in ("approved", "training") and asked.round == couple.round + 1, "state")
    require(asked.round <= couple.rounds, "rounds-spent")
    require(all(dataset.state != "withdrawn" for dataset in datasets.values()), "withdrawn")
    seed = _opened_seed(call, couple)
    settled = settle(call, view, asked.couple)
    couple = view.seeing(settled).get(TrainCouple, asked.couple)
    held = _held(view, datasets, subsets_of_turn(datasets, seed, couple.turn))

    ballots = _open_ballots(call, datasets, held)
    parts = tuple(with_changes(part, fee=datasets[part.dataset].terms.price_round) for part in couple.parts)
    locked = sum(ballot.left for ballot in ballots.values()) + sum(part.fee for part in parts)
    if locked > couple.balance:
        raise Broken(f"training {asked.couple} cannot pay round {asked.round}, though its escrow covers every round")

    until = next(iter(ballots.values()))
    running = with_changes(
        couple,
        state="training",
        parts=parts,
        balance=couple.balance - locked,
        round=asked.round,
        seed=seed,
        base=asked.base,
        commit_until=until.commit_until,
        close_until=until.close_until,
        due=until.close_until + max(dataset.terms.idle_window for dataset in datasets.values()),
    )
    return Effects(
        asked.couple,
        *settled,
        Put(asked.couple, running),
        *(Put(ballot, record) for ballot, record in ballots.items()),
        *(step for ballot, record in ballots.items() for step in _open_jobs(ballot, record, held[record.subset])),
    )


def end_training(call: Call[actions.EndTC], view: View) -> Effects:
    """Ends a training: unused rounds return to the data owners' budgets, unused money to the model owner.

    Refuses: unknown, not-yours, state, too-early, round-open.
    """
    asked = call.arguments
    couple = view.get(TrainCouple, asked.couple)
    datasets = datasets_of(view, couple)
    members = sorted({couple.mo, *owners(datasets)})
    require(asked.final is None or call.member == couple.mo, "not-yours")
    require(couple.state != "ended", "state")
    require(call.member in members or call.after(couple.due), "too-early")
    settled = settle(call, view, asked.couple)
    couple = view.seeing(settled).get(TrainCouple, asked.couple)

    return Effects(
        asked.couple,
        *settled,
        *_unused_rounds(view, couple),
        *pay(couple.mo, couple.balance, asked.couple, since=call.time),
        Put(asked.couple, with_changes(couple, state="ended", balance=0, final=asked.final)),
        *(Event(events.TRAINING_ENDED, asked.couple, member) for member in members),
    )


def _opened_seed(call: Call[actions.StartRound], couple: TrainCouple) -> Digest:
    """The seed of the draw: opened with the first round by the model owner's secret, kept ever after."""
    asked = call.arguments
    require((asked.secret is not None) == (couple.seed is None), "bad-opening")
    if couple.seed is not None:
        return couple.seed
    secret = Secret(asked.secret or "")
    require(commitments.draw(asked.couple, couple.mo, secret) == couple.draw_commitment, "bad-opening")
    shares = [part.share for part in couple.parts if part.share is not None]
    if len(shares) != len(couple.parts):
        raise Broken(f"training {asked.couple} was approved without all its shares")
    return commitments.seed(asked.couple, secret, shares)


def _held(
    view: View, datasets: Mapping[DatasetId, Dataset], turn: Mapping[DatasetId, Sequence[SubsetId]]
) -> dict[SubsetId, DataSubset]:
    """The subsets of a turn, if enough replicas hold each of them; refuses `replica-missing`, `limit`."""
    held = view.every(DataSubset, [subset for group in turn.values() for subset in group])
    for subset in held.values():
        require(2 * len(subset.slots) > datasets[subset.dataset].n, "replica-missing")
    require(sum(len(subset.slots) for subset in held.values()) <= JOBS_PER_ROUND, "limit")
    return held


def _open_ballots(
    call: Call[actions.StartRound], datasets: Mapping[DatasetId, Dataset], held: Mapping[SubsetId, DataSubset]
) -> dict[BallotId, Ballot]:
    """A ballot for each held subset, at its own dataset's price; the windows are the longest of the parts."""
    asked = call.arguments
    terms = [dataset.terms for dataset in datasets.values()]
    commit_until = call.time + max(each.commit_window for each in terms)
    close_until = commit_until + max(each.close_window for each in terms)
    ballots: dict[BallotId, Ballot] = {}
    for subset, record in held.items():
        dataset = datasets[record.dataset]
        ballot = ballot_id(asked.couple, asked.round, subset)
        ballots[ballot] = Ballot(
            couple=asked.couple,
            round=asked.round,
            subset=subset,
            base=asked.base,
            jobs=tuple(job_id(ballot, slot.instance) for slot in record.slots),
            n=dataset.n,
            price=dataset.terms.price_job,
            left=dataset.terms.price_job * len(record.slots),
            commit_until=commit_until,
            close_until=close_until,
            state="open",
        )
    return ballots


def _open_jobs(id: BallotId, ballot: Ballot, subset: DataSubset) -> Iterator[Step]:
    """A job for each filled slot of a ballot's subset, and the call to work."""
    for job, slot in zip(ballot.jobs, subset.slots, strict=True):
        yield Put(job, TrainJob(ballot=id, instance=slot.instance, co=slot.co, state="open"))
        yield Event(events.JOB_OPEN, job, slot.co)


def _unused_rounds(view: View, couple: TrainCouple) -> Iterator[Step]:
    """Gives the rounds that were granted and never started back to each dataset's budget."""
    unused = couple.rounds - couple.round
    for part in couple.parts:
        if part.share is not None and unused:
            budget = view.get(Budget, part.dataset)
            yield Put(part.dataset, Budget(granted=budget.granted - unused))
