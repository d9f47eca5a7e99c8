"""How a round's books are closed, by whoever moves the training on.

A round is over when each of its ballots is decided or out of time. What was not paid to replicas goes back to the
training's balance. If every subset was decided, the round is *complete*: its fees go to the data owners, and the next
turn begins. Otherwise the fees go back too, and the same group comes again. That a round was complete is stored
nowhere: it follows from its ballots.
"""

from collections.abc import Mapping

from freehold.contract.agreement import datasets_of
from freehold.contract.call import Call
from freehold.contract.draw import group_of_turn
from freehold.contract.effects import Put, Step, require
from freehold.contract.money import pay
from freehold.contract.view import View
from freehold.errors import Broken
from freehold.protocol import actions, events
from freehold.protocol.assets import Ballot, Dataset, TrainCouple, with_changes
from freehold.protocol.events import Event
from freehold.protocol.identifiers import CoupleId, DatasetId, Digest, SubsetId, ballot_id, fee_cause, subset_id


def settle(call: Call[actions.StartRound] | Call[actions.EndTC], view: View, id: CoupleId) -> list[Step]:
    """Closes the last round of a training, if there was one; refuses `round-open`. Writes each ballot of the round."""
    couple = view.get(TrainCouple, id)
    if couple.seed is None:
        return []
    datasets = datasets_of(view, couple)
    subsets = subsets_of_turn(datasets, couple.seed, couple.turn)
    ballots = view.every(
        Ballot, [ballot_id(id, couple.round, subset) for group in subsets.values() for subset in group]
    )
    complete = all(ballot.state == "decided" for ballot in ballots.values())
    over = complete or all(ballot.state == "decided" or call.after(ballot.close_until) for ballot in ballots.values())
    require(over, "round-open")

    steps: list[Step] = []
    returned = sum(ballot.left for ballot in ballots.values())
    for ballot, record in ballots.items():
        if record.state == "decided":
            steps.append(Put(ballot, with_changes(record, left=0)))
        else:
            steps.append(Put(ballot, with_changes(record, left=0, state="void")))
            steps.append(Event(events.BALLOT_VOID, ballot, couple.mo))
    if complete:
        for part in couple.parts:
            cause = fee_cause(id, couple.round, part.dataset)
            steps += pay(datasets[part.dataset].owner, part.fee, cause, since=call.time)
    else:
        returned += sum(part.fee for part in couple.parts)
    settled = with_changes(
        couple,
        parts=tuple(with_changes(part, fee=0) for part in couple.parts),
        balance=couple.balance + returned,
        turn=couple.turn + 1 if complete else couple.turn,
    )
    return [*steps, Put(id, settled)]


def subsets_of_turn(datasets: Mapping[DatasetId, Dataset], seed: Digest, turn: int) -> dict[DatasetId, list[SubsetId]]:
    """The subsets that a training visits in a turn, by part and then by index: one group of each dataset."""
    subsets: dict[DatasetId, list[SubsetId]] = {}
    for part, (dataset, record) in enumerate(datasets.items()):
        if not record.groups:
            raise Broken(f"dataset {dataset} trains without groups")
        group = record.groups[group_of_turn(seed, part, turn, len(record.groups))]
        subsets[dataset] = [subset_id(dataset, index) for index in group]
    return subsets
