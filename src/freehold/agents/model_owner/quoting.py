"""What a training would cost and tell, before anything is sent.

The price is the most that can be locked; what is not spent returns. The disclosure is stated beside it, because
it is the other half of the price: who pays it is the data owner, and it is the data owner who has to agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from freehold.agents.agreements import Agreements
from freehold.agents.reading import DatasetSeen, Reader
from freehold.contract.agreement import jobs_of_round, price_of_round
from freehold.errors import Invalid, Refused
from freehold.learning.card import Card
from freehold.learning.disclosure import products, products_learned, require_enough_rows
from freehold.learning.maps import DEFAULT_MAP, FeatureMap, map_description
from freehold.learning.masks import require_apart
from freehold.learning.parameters import require_safe
from freehold.learning.statistics import balanced_weights, weighted_rows
from freehold.learning.training import LINEAR, STATISTICS, Training
from freehold.protocol import canonical
from freehold.protocol.assets import Dataset
from freehold.protocol.digests import raw
from freehold.protocol.identifiers import DatasetId, Method, PublicKey
from freehold.protocol.limits import JOBS_PER_ROUND

DEFAULT_METHOD: Final = Method(LINEAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a model owner asks for."""

    datasets: tuple[DatasetId, ...]
    rounds: int
    map_name: str = DEFAULT_MAP
    method: Method = DEFAULT_METHOD
    balanced: bool = False
    """Whether every class counts alike, however many rows it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a wish comes to; nothing was sent."""

    wish: Wish
    cost: int
    """Micro-credits that are locked at the request, at most spent."""
    jobs_per_round: int
    for_cloud_owners: int
    """Of the cost, at most."""
    for_data_owners: int
    answer_window: int
    """The longest time (ms) that a data owner has to answer."""
    groups: int
    """Rounds that it takes to ask every subset once."""
    rows: int
    """Of all datasets together."""
    features: int
    outputs: int
    numbers: int
    """How many different numbers a group's XᵀX has."""
    learned: int
    """How many of them the model owner knows after all rounds, if it keeps the rules."""
    warning: str
    """What a data owner will be told about too few rows per feature, or nothing."""
    map: bytes
    material: bytes
    store: str


def quote(reader: Reader, agreements: Agreements, sealing_key: PublicKey, wish: Wish) -> Quote:
    """The price and the disclosure of a wish; Refused or Invalid, with the reason, if it cannot be."""
    if list(wish.datasets) != sorted(set(wish.datasets)) or not wish.datasets:
        raise Invalid("A training names its datasets in ascending order, each once.", now="nothing was sent")
    seen = [_published(reader, dataset) for dataset in wish.datasets]
    datasets = [each.dataset.record for each in seen]
    require_apart([raw(part.subset.record.mask_key) for each in seen for part in each.subsets])
    cards = [agreements.card(dataset) for dataset in datasets]
    _require_terms(wish, datasets)
    described = map_description(cards, wish.map_name)
    feature_map = FeatureMap.parse(described)
    weights = balanced_weights(cards) if wish.balanced else ()
    material = canonical.encode({"noise": [], "part": "all", "weights": list(weights)})
    groups = {len(dataset.groups or ()) for dataset in datasets}
    if len(groups) != 1:
        raise Invalid(
            "These datasets have different numbers of groups, so no round could add up to the whole of each.",
            next="choose datasets with the same number of groups",
            now="nothing was sent",
        )
    group_count = groups.pop()
    features, outputs, whole = feature_map.dimension, feature_map.outputs, wish.method == STATISTICS
    training = _training(wish, seen, cards, feature_map, described, material, sealing_key)
    if not whole:
        largest = sum(max(len(group) for group in dataset.groups or ()) for dataset in datasets)
        require_safe(training, group=largest, rounds=wish.rounds)
    for_data_owners = wish.rounds * sum(dataset.terms.price_round for dataset in datasets)
    cost = wish.rounds * sum(price_of_round(dataset) for dataset in datasets)
    return Quote(
        wish=wish,
        cost=cost,
        jobs_per_round=sum(jobs_of_round(dataset) for dataset in datasets),
        for_cloud_owners=cost - for_data_owners,
        for_data_owners=for_data_owners,
        answer_window=max(dataset.terms.answer_window for dataset in datasets),
        groups=group_count,
        rows=sum(card.rows for card in cards),
        features=features,
        outputs=outputs,
        numbers=products(features),
        learned=products(features) if whole else products_learned(features, outputs, -(-wish.rounds // group_count)),
        warning=require_enough_rows(min(card.rows for card in cards) // group_count, features, feature_map.name),
        map=described,
        material=material,
        store=datasets[0].terms.store,
    )


def _published(reader: Reader, dataset: DatasetId) -> DatasetSeen:
    seen = reader.dataset(dataset)
    if seen is None:
        raise Refused("unknown", f"There is no dataset {dataset[:8]}.", now="nothing was sent")
    if seen.dataset.record.state == "withdrawn":
        raise Refused("withdrawn", f"Dataset {dataset[:8]} was withdrawn.", now="nothing was sent")
    if seen.dataset.record.state != "published":
        raise Refused("state", f"Dataset {dataset[:8]} is not published yet.", now="nothing was sent")
    return seen


def _require_terms(wish: Wish, datasets: list[Dataset]) -> None:
    """What RequestTC would refuse, said in words before anything is uploaded."""
    for dataset in datasets:
        if wish.method not in dataset.terms.methods:
            offered = ", ".join(dataset.terms.methods)
            raise Refused("unknown", f"The method {wish.method} is not offered: {offered}.", now="nothing was sent")
    most = min(dataset.terms.rounds_per_training for dataset in datasets)
    if not 1 <= wish.rounds <= most:
        raise Refused(
            "limit", f"{wish.rounds} rounds: the terms allow 1 to {most} in a training.", now="nothing was sent"
        )
    if sum(jobs_of_round(dataset) for dataset in datasets) > JOBS_PER_ROUND:
        raise Refused(
            "limit", f"A round over these datasets has more than {JOBS_PER_ROUND} jobs.", now="nothing was sent"
        )


def _training(
    wish: Wish,
    seen: list[DatasetSeen],
    cards: list[Card],
    feature_map: FeatureMap,
    described: bytes,
    material: bytes,
    sealing_key: PublicKey,
) -> Training:
    """The training that the wish would become; its id and draw are not known yet, and no condition hangs on them."""
    unknown = bytes(32)
    details = canonical.decode(material, largest=len(material))
    return Training(
        couple=unknown,
        draw_seed=unknown,
        method=wish.method,
        datasets=tuple(raw(each.dataset.id) for each in seen),
        map=described,
        material=material,
        rows=weighted_rows(cards, details["weights"]),
        features=feature_map.dimension,
        outputs=feature_map.outputs,
        subsets=sum(each.dataset.record.m for each in seen),
        sealing_key=raw(sealing_key),
    )
