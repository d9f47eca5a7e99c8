"""Who trains when follows from what was published and drawn."""

from collections.abc import Iterator

from freehold.contract.draw import deal_groups
from freehold.contract.invariants.whole import Whole
from freehold.contract.settlement import subsets_of_turn
from freehold.protocol.identifiers import ballot_id, job_id, subset_id
from freehold.protocol.limits import JOBS_PER_ROUND, REPLICAS


def slots_belong_to_different_people(whole: Whole) -> Iterator[str]:
    """S-6: no member and no handle holds two slots of a subset; each slot is that of a verified instance of it."""
    for id, subset in whole.subsets.items():
        for holders in ([slot.co for slot in subset.slots], [slot.handle for slot in subset.slots]):
            if len(set(holders)) != len(holders):
                yield f"subset {id} has two slots of one holder"
        for slot in subset.slots:
            instance = whole.instances[slot.instance]
            if (instance.state, instance.subset, instance.co) != ("verified", id, slot.co):
                yield f"subset {id} has a slot of instance {slot.instance}, which is not verified for it"
        if len(subset.slots) > whole.datasets[subset.dataset].n:
            yield f"subset {id} has more slots than its dataset replicas"
    held = {slot.instance for subset in whole.subsets.values() for slot in subset.slots}
    for each, record in whole.instances.items():
        if record.state == "verified" and each not in held:
            yield f"instance {each} is verified and has no slot"


def a_ballot_lists_most_replicas(whole: Whole) -> Iterator[str]:
    """S-7: a ballot has a job for at least (n + 1) / 2 replicas of its own subset, n odd."""
    for id, ballot in whole.ballots.items():
        if ballot.n not in REPLICAS or not ballot.n < 2 * len(ballot.jobs) <= 2 * ballot.n:
            yield f"ballot {id} lists {len(ballot.jobs)} of {ballot.n} replicas"
        for job, record in whole.jobs_of(ballot).items():
            instance = whole.instances[record.instance]
            own = job_id(id, record.instance)
            if (own, record.ballot, instance.subset, instance.co) != (job, id, ballot.subset, record.co):
                yield f"job {job} is none of ballot {id}"


def groups_follow_from_the_publication(whole: Whole) -> Iterator[str]:
    """S-8: the groups of a dataset are dealt from its digests, and stay."""
    for id, dataset in whole.datasets.items():
        if dataset.groups is not None:
            subsets = [whole.subsets[subset_id(id, index)] for index in range(dataset.m)]
            dealt = deal_groups(id, [subset.digest for subset in subsets], dataset.terms.group_min)
            if [list(group) for group in dataset.groups] != dealt:
                yield f"dataset {id} has other groups than its digests give"
        elif dataset.state == "published":
            yield f"dataset {id} is published without groups"


def rounds_follow_from_the_draw(whole: Whole) -> Iterator[str]:
    """S-8, S-9, S-16: each round has the ballots of its turn and one base; a turn ends with a complete round."""
    for id, couple in whole.couples.items():
        if couple.round > couple.rounds:
            yield f"training {id} had more rounds than were approved"
        datasets = whole.datasets_of(couple)
        if couple.round == 0:
            continue
        if couple.seed is None or not all(dataset.groups for dataset in datasets.values()):
            yield f"training {id} had a round before its draw was opened or its datasets were published"
            continue
        turn = 0
        for number in range(1, couple.round + 1):
            ballots = whole.ballots_of_round(id, couple, number)
            groups = subsets_of_turn(datasets, couple.seed, turn)
            expected = [ballot_id(id, number, subset) for group in groups.values() for subset in group]
            if sorted(ballots) != sorted(expected):
                yield f"round {number} of training {id} is about other subsets than its turn"
            if len({ballot.base for ballot in ballots.values()}) != 1:
                yield f"round {number} of training {id} has several bases"
            if sum(len(ballot.jobs) for ballot in ballots.values()) > JOBS_PER_ROUND:
                yield f"round {number} of training {id} has too many jobs"
            settled = number < couple.round or couple.state == "ended"
            turn += settled and all(ballot.state == "decided" for ballot in ballots.values())
            if settled and any(ballot.state == "open" or ballot.left for ballot in ballots.values()):
                yield f"round {number} of training {id} was left without being settled"
        if turn != couple.turn:
            yield f"training {id} counts {couple.turn} complete rounds, its ballots {turn}"


def budgets_count_approvals(whole: Whole) -> Iterator[str]:
    """S-8: granted rounds are those of approved trainings, of ended ones those that were started; never too many."""
    granted = dict.fromkeys(whole.datasets, 0)
    for couple in whole.couples.values():
        for part in couple.parts:
            if part.share is not None:
                granted[part.dataset] += couple.round if couple.state == "ended" else couple.rounds
    for id, dataset in whole.datasets.items():
        if not whole.budgets[id].granted == granted[id] <= dataset.terms.rounds_total:
            yield f"dataset {id} granted {whole.budgets[id].granted} rounds, its trainings have {granted[id]}"
