"""One training as everybody who takes part must see it: from the ledger, the cards and the model's public objects.

Two replicas of one subset answer with equal bytes only if they agree on every public fact: datasets, map,
weights, the number of rows, the group of the round. None of it is told by one member to another. Each reads it
from the ledger, and from objects that lie under the digest that the ledger names; a wrong object is refused by
its hash, wherever it came from.
"""

from __future__ import annotations

from dataclasses import dataclass

from freehold.agents.reading import DatasetSeen, Reader, Seen, SubsetSeen
from freehold.agents.world import World
from freehold.contract.draw import group_of_turn
from freehold.errors import Invalid, Unavailable
from freehold.learning.card import LARGEST_CARD, Card
from freehold.learning.map_form import LARGEST_MAP
from freehold.learning.maps import FeatureMap, approved
from freehold.learning.masks import require_apart
from freehold.learning.statistics import weighted_rows
from freehold.learning.training import Material, Participant, Training
from freehold.protocol.assets import Dataset, Member, Model, TrainCouple
from freehold.protocol.digests import raw
from freehold.protocol.identifiers import PublicKey

LARGEST_MATERIAL = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What one training is about; everything but the draw is fixed from the request on."""

    couple: Seen[TrainCouple]
    model: Model
    sealing_key: PublicKey
    """The model owner's, to which locators of results are sealed."""
    datasets: tuple[DatasetSeen, ...]
    cards: tuple[Card, ...]
    feature_map: FeatureMap
    map: bytes
    material: bytes
    details: Material

    def training(self, draw_seed: str) -> Training:
        """The public facts in the form in which the arithmetic takes them."""
        return Training(
            couple=raw(self.couple.id),
            draw_seed=raw(draw_seed),
            method=self.model.method,
            datasets=tuple(raw(part.dataset.id) for part in self.datasets),
            map=self.map,
            material=self.material,
            rows=weighted_rows(self.cards, self.details.weights),
            features=self.feature_map.dimension,
            outputs=self.feature_map.outputs,
            subsets=sum(part.dataset.record.m for part in self.datasets),
            sealing_key=raw(self.sealing_key),
        )

    def group(self, draw_seed: str, turn: int) -> tuple[Participant, ...]:
        """The subsets whose sum is asked for in this turn, all parts together (PROTOCOL, "The draw")."""
        return tuple(
            Participant(
                dataset=raw(part.dataset.id),
                index=seen.subset.record.index,
                subset=raw(seen.subset.id),
                mask_key=raw(seen.subset.record.mask_key),
            )
            for place, part in enumerate(self.datasets)
            for seen in _of_turn(part, draw_seed, place, turn)
        )

    @property
    def largest_group(self) -> int:
        """The most subsets that one round can ask."""
        return sum(max(len(group) for group in part.dataset.record.groups or ((),)) for part in self.datasets)

    @property
    def turns_per_pass(self) -> int:
        """How many complete rounds ask every subset once; Invalid if the parts differ in it."""
        counts = {len(part.dataset.record.groups or ()) for part in self.datasets}
        if len(counts) != 1 or 0 in counts:
            raise Invalid(
                "These datasets have different numbers of groups.",
                why="the answers of one pass would not add up to the whole of each",
                next="train on datasets with the same number of groups",
            )
        return counts.pop()


class Agreements:
    """Reads agreements; cards and other objects are fetched once and remembered by their digest."""

    def __init__(self, world: World, reader: Reader) -> None:
        self._world = world
        self._reader = reader
        self._objects: dict[str, bytes] = {}
        self._models: dict[str, Model] = {}

    def read(self, couple: Seen[TrainCouple]) -> Agreement:
        """What `couple` is about; Invalid if its map is not what the cards give, or it asks for what is not offered.

        Invalid, too, if one of its datasets copies another's mask keys: then nobody answers.
        """
        model = self.model(couple.record.model)
        datasets = tuple(self._reader.dataset(part.dataset) for part in couple.record.parts)
        known = tuple(dataset for dataset in datasets if dataset is not None)
        if len(known) < len(datasets):
            raise Invalid(f"The training {couple.id[:8]} names a dataset that the ledger does not show.")
        require_apart([raw(seen.subset.record.mask_key) for dataset in known for seen in dataset.subsets])
        cards = tuple(self.card(dataset.dataset.record) for dataset in known)
        described = self.public_object(model.store, model.map, LARGEST_MAP)
        material = self.public_object(model.store, model.material, LARGEST_MATERIAL)
        feature_map = approved(described, cards)
        details = Material.parse(material, feature_map.outputs)
        if details.noise or details.part != "all":
            raise Invalid("This training asks for noise or held rows, which no terms offer yet.")
        return Agreement(
            couple=couple,
            model=model,
            sealing_key=self.owner(couple.record.mo).sealing_key,
            datasets=known,
            cards=cards,
            feature_map=feature_map,
            map=described,
            material=material,
            details=details,
        )

    def model(self, id: str) -> Model:
        """A model's record, which never changes; Invalid if the ledger shows none."""
        if id not in self._models:
            found = self._reader.model(id)
            if found is None:
                raise Invalid(f"The ledger shows no model {id[:8]}.")
            self._models[id] = found.record
        return self._models[id]

    def owner(self, id: str) -> Member:
        """A member's record as it is now: its keys may rotate; Invalid if the ledger shows none."""
        found = self._reader.member(id)
        if found is None:
            raise Invalid(f"The ledger shows no member {id[:8]}.")
        return found.record

    def card(self, dataset: Dataset) -> Card:
        """The card of a dataset, from the store that its terms name."""
        return Card.parse(self.public_object(dataset.terms.store, dataset.card_digest, LARGEST_CARD))

    def public_object(self, store: str, digest: str, largest: int) -> bytes:
        """An object that anybody may read and that never changes; remembered once fetched."""
        if digest not in self._objects:
            self._objects[digest] = self._world.store(store).get(digest, largest=largest)
        return self._objects[digest]


def _of_turn(part: DatasetSeen, draw_seed: str, place: int, turn: int) -> list[SubsetSeen]:
    groups = part.dataset.record.groups
    if groups is None:
        raise Unavailable(f"Dataset {part.dataset.id[:8]} is not published.")
    chosen = groups[group_of_turn(draw_seed, place, turn, len(groups))]
    return [seen for seen in part.subsets if seen.subset.record.index in chosen]
