"""Questions 7 and 8: who picked the subsets, and can the model owner reach the data?

Groups follow from the subsets' public digests, their order from a secret to which the model owner committed before the
data owners added their shares. Both are computed here a second time, from the recorded actions, and compared with what
every round in fact used.
"""

from freehold.agents.auditor.history import Entry
from freehold.agents.auditor.questions import Answer, Remark, Verdict
from freehold.agents.auditor.training import Training, proofs
from freehold.contract.draw import deal_groups, group_of_turn
from freehold.protocol import commitments
from freehold.protocol.actions import RequestTC, StartRound
from freehold.protocol.assets import Dataset, Member, TrainCouple
from freehold.protocol.identifiers import CoupleId

_KEYS = ("signing_key", "sealing_key", "recovery_key")


def owner_chose_subsets(training: Training) -> Answer:
    """Question 7: groups, seed and the group of every round, computed again."""
    published = [training.history.wrote(Dataset, id, "PublishDS") for id in training.datasets]
    verdict: Verdict = "no"
    evidence = [*published, training.requested, *training.approvals, *(round.started for round in training.rounds)]
    if not training.rounds:
        statement = "No round was started: nobody has chosen anything."
    elif _groups_follow(training) and _rounds_follow(training):
        statement = (
            f"The groups follow from the digests of the subsets, and the group of each of {len(training.rounds)}"
        )
        statement += " rounds from a draw that was committed to before the data owner added its share."
    else:
        verdict, statement = "yes", "A round used other subsets than the draw gives."
    return Answer(
        number=7,
        asked_by="data owner",
        question="Did the model owner choose which subsets train?",
        verdict=verdict,
        statement=statement,
        condition="if model owner and data owner did not agree on secret and share beforehand; even then they fix the"
        " order of the groups, never the groups",
        proof=proofs(evidence),
        remarks=_given_up(training),
    )


def owner_can_reach_data(training: Training) -> Answer:
    """Question 8: no offer to the model owner or its keys, and nothing beyond what was approved."""
    reached = _offers_to_the_model_owner(training)
    verdict: Verdict = "yes" if reached else "cannot be shown"
    rounds, granted = len(training.rounds), training.record.rounds
    smallest = min((len(round.votes) for round in training.rounds), default=0)
    if reached:
        count = "1 offer" if len(reached) == 1 else f"{len(reached)} offers"
        statement = f"{count} of its subsets went to the model owner itself."
    elif any(part.share is None for part in training.record.parts):
        statement = "The training was not approved, so nothing was computed; no subset was offered to the model owner."
        statement += " That no holder passes on its subset cannot be shown."
    else:
        statement = f"As approved: method {training.model.method}, {rounds} of at most {granted} rounds"
        statement += f", sums over {smallest} or more subsets" if rounds else ""
        statement += "; no subset was offered to the model owner. That no holder passes on its subset cannot be shown."
    known = "in an open network one person may be many members"
    if not training.history.network.is_open:
        known = "as far as the registrar knows its members"
    return Answer(
        number=8,
        asked_by="data owner",
        question="Can the model owner reach the data?",
        verdict=verdict,
        statement=statement,
        condition=f"{known}; a holder can always leak the subset that it holds",
        proof=proofs([*(offer.offered for offer in training.offers), training.requested, *training.approvals]),
        remarks=reached,
    )


def _groups_follow(training: Training) -> bool:
    for id, dataset in training.datasets.items():
        subsets = sorted(
            (each for each in training.subsets.values() if each.dataset == id), key=lambda each: each.index
        )
        dealt = deal_groups(id, [each.digest for each in subsets], dataset.terms.group_min)
        if [list(group) for group in dataset.groups or ()] != dealt:
            return False
    return True


def _rounds_follow(training: Training) -> bool:
    """Whether the draw opens, and every round used the group that its turn gives."""
    couple = training.record
    opening = training.rounds[0].started.action.arguments
    shares = [part.share for part in couple.parts if part.share is not None]
    if not isinstance(opening, StartRound) or opening.secret is None or len(shares) != len(couple.parts):
        return False
    id = CoupleId(training.id)
    seed = commitments.seed(id, opening.secret, shares)
    if couple.draw_commitment != commitments.draw(id, couple.mo, opening.secret) or couple.seed != seed:
        return False
    turn = 0
    for round in training.rounds:
        expected = {
            (dataset_id, index)
            for part, (dataset_id, dataset) in enumerate(training.datasets.items())
            for index in (dataset.groups or ())[group_of_turn(seed, part, turn, len(dataset.groups or ()))]
        }
        if {(vote.subset.dataset, vote.subset.index) for vote in round.votes} != expected:
            return False
        turn += round.complete
    return True


def _given_up(training: Training) -> tuple[Remark, ...]:
    """Earlier approved requests of the same handle for the same data that ended before their rounds: other draws."""
    given_up: list[Entry] = []
    for id, couple in training.history.every(TrainCouple):
        asked = training.history.creator(TrainCouple, id)
        if (
            isinstance(asked.action.arguments, RequestTC)
            and asked.position < training.requested.position
            and training.history.get(Member, couple.mo).handle == training.owner.handle
            and {part.dataset for part in couple.parts} & set(training.datasets)
            and couple.state == "ended"
            and couple.turn < couple.rounds
            and couple.seed is not None
        ):
            given_up.append(asked)
    if not given_up:
        return ()
    said = f"gave up {len(given_up)} earlier trainings on this data after seeing their draw"
    return (Remark(member=training.record.mo, statement=said, proof=proofs(given_up)),)


def _offers_to_the_model_owner(training: Training) -> tuple[Remark, ...]:
    """Offers of its subsets to a member with the model owner's handle, or with one of its keys."""
    own_keys = {getattr(training.owner, name) for name in _KEYS}
    remarks = []
    for offer in training.offers:
        member = training.history.get(Member, offer.record.co)
        same_person = member.handle == training.owner.handle
        same_key = own_keys & {getattr(member, name) for name in _KEYS}
        if same_person or same_key:
            said = "has the handle of the model owner" if same_person else "has a key of the model owner"
            said += f", and was offered subset {offer.subset.index + 1}"
            remarks.append(Remark(member=offer.record.co, statement=said, proof=proofs([offer.offered, offer.joined])))
    return tuple(remarks)
