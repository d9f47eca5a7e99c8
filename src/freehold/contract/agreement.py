"""How a training is agreed: registered, requested with the money on the table, approved by every data owner.

The model owner commits to its part of the draw with the request; each data owner answers with a share. So nobody knows
anything of use when it chooses: the shares are missing while the secret is chosen, and the secret is hidden while the
shares are.
"""

from collections.abc import Mapping

from freehold.contract.call import Call
from freehold.contract.effects import Effects, Put, require
from freehold.contract.membership import require_admitted
from freehold.contract.money import debit
from freehold.contract.view import View
from freehold.protocol import actions, events
from freehold.protocol.assets import Budget, Dataset, Model, Part, TrainCouple, with_changes
from freehold.protocol.events import Event
from freehold.protocol.identifiers import DatasetId, MemberId, couple_id, model_id
from freehold.protocol.limits import HOLD_SMALLEST_IN_WINDOWS, JOBS_PER_ROUND


def create_model(call: Call[actions.CreateMod], view: View) -> Effects:
    """Registers a model: its exact method, its public parameters by digest, and a claim to be opened later.

    Refuses: malformed, exists, unknown.
    """
    asked = call.arguments
    method_type, _, _version = asked.method.rpartition("-")
    require(method_type == asked.type, "malformed")
    model = model_id(call.network_id, call.member, asked.nonce)
    require(view.find(Model, model) is None, "exists")
    require(asked.store in call.network.stores, "unknown")

    registered = Model(
        owner=call.member,
        type=asked.type,
        method=asked.method,
        map=asked.map,
        material=asked.material,
        hash=asked.hash,
        store=asked.store,
    )
    return Effects(model, Put(model, registered))


def request_training(call: Call[actions.RequestTC], view: View) -> Effects:
    """Asks to train one model over one to eight datasets, with the whole price locked.

    Refuses: unknown, not-yours, exists, withdrawn, state, not-admitted, limit, no-funds.
    """
    asked = call.arguments
    model = view.get(Model, asked.model)
    datasets = view.every(Dataset, asked.datasets)
    require(model.owner == call.member, "not-yours")
    couple = couple_id(call.network_id, call.member, asked.nonce)
    require(view.find(TrainCouple, couple) is None, "exists")
    for dataset in datasets.values():
        require(dataset.state != "withdrawn", "withdrawn")
        require(dataset.state == "published", "state")
    require_admitted(call, view)
    require(all(model.method in dataset.terms.methods for dataset in datasets.values()), "unknown")
    _require_bounds(asked.rounds, datasets)
    escrow = asked.rounds * sum(price_of_round(dataset) for dataset in datasets.values())

    requested = TrainCouple(
        mo=call.member,
        model=asked.model,
        parts=tuple(Part(dataset=dataset, fee=0) for dataset in asked.datasets),
        rounds=asked.rounds,
        balance=escrow,
        draw_commitment=asked.draw_commitment,
        round=0,
        turn=0,
        due=call.time + max(dataset.terms.answer_window for dataset in datasets.values()),
        state="requested",
    )
    return Effects(
        couple,
        *debit(view, call.member, escrow),
        Put(couple, requested),
        *(Event(events.TRAINING_REQUESTED, couple, owner) for owner in owners(datasets)),
    )


def approve_training(call: Call[actions.ApproveTC], view: View) -> Effects:
    """A data owner's yes for one of its datasets: rounds of its budget, and its share of the draw.

    Refuses: unknown, not-yours, state, withdrawn, too-late, rounds-spent.
    """
    asked = call.arguments
    couple = view.get(TrainCouple, asked.couple)
    dataset = view.get(Dataset, asked.dataset)
    part = next((part for part in couple.parts if part.dataset == asked.dataset), None)
    require(part is not None and dataset.owner == call.member, "not-yours")
    require(couple.state == "requested" and part is not None and part.share is None, "state")
    require(dataset.state != "withdrawn", "withdrawn")
    require(call.before(couple.due), "too-late")
    budget = view.get(Budget, asked.dataset)
    require(budget.granted + couple.rounds <= dataset.terms.rounds_total, "rounds-spent")

    parts = tuple(
        with_changes(part, share=asked.share) if part.dataset == asked.dataset else part for part in couple.parts
    )
    approved = with_changes(couple, parts=parts)
    if all(part.share is not None for part in parts):
        idle = max(part.terms.idle_window for part in datasets_of(view, couple).values())
        approved = with_changes(approved, state="approved", due=call.time + idle)
    return Effects(
        asked.couple,
        Put(asked.dataset, Budget(granted=budget.granted + couple.rounds)),
        Put(asked.couple, approved),
        Event(events.TRAINING_APPROVED, asked.couple, couple.mo),
    )


def datasets_of(view: View, couple: TrainCouple) -> dict[DatasetId, Dataset]:
    """The datasets of a training under their ids, in the order of its parts."""
    return view.every(Dataset, [part.dataset for part in couple.parts])


def owners(datasets: Mapping[DatasetId, Dataset]) -> list[MemberId]:
    """The data owners of these datasets, ascending, each once."""
    return sorted({dataset.owner for dataset in datasets.values()})


def price_of_round(dataset: Dataset) -> int:
    """What a round over the largest group of a dataset can cost at most, in micro-credits."""
    return jobs_of_round(dataset) * dataset.terms.price_job + dataset.terms.price_round


def jobs_of_round(dataset: Dataset) -> int:
    """How many jobs a round over the largest group has if every slot is filled."""
    return dataset.n * max(len(group) for group in dataset.groups or ())


def _require_bounds(rounds: int, datasets: Mapping[DatasetId, Dataset]) -> None:
    """Refuses `limit` if the parts do not bear this training together."""
    terms = [dataset.terms for dataset in datasets.values()]
    require(1 <= rounds <= min(each.rounds_per_training for each in terms), "limit")
    # A round lasts as long as its slowest part; a stake must outlast that by the time a referee needs.
    slowest = max(each.commit_window for each in terms) + max(each.close_window for each in terms)
    require(all(each.hold >= HOLD_SMALLEST_IN_WINDOWS * slowest for each in terms), "limit")
    require(sum(jobs_of_round(dataset) for dataset in datasets.values()) <= JOBS_PER_ROUND, "limit")
