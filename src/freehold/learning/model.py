"""A trained model: a feature map, weights, the columns and the target by name, and where it all comes from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from freehold.errors import Invalid
from freehold.learning.card import ByteColumn, Card, CategoryColumn, ClassTarget
from freehold.learning.card_text import LONGEST_CATEGORY, LONGEST_NAME, unspell
from freehold.learning.map_form import Description, MapByte, MapCategory, MapClasses, MapNumber
from freehold.learning.maps import FeatureMap
from freehold.learning.solver import Floats, PathPoint, Solution
from freehold.protocol import canonical
from freehold.protocol.digests import raw
from freehold.protocol.records import Record

FORMAT = "freehold/model/1"


class NumberInput(Record, tag_field="kind", tag="number"):
    """A column of numbers that a table must have; digits and median stand in the map."""

    name: str


class CategoryInput(Record, tag_field="kind", tag="category"):
    """A column of categories that a table must have, with the listed values."""

    name: str
    values: tuple[str, ...]


class ByteInput(Record, tag_field="kind", tag="byte"):
    """A column of an embedding that a table must have, with the constants that make it a byte."""

    deviation: int
    digits: int
    mean: int
    name: str


Input = NumberInput | CategoryInput | ByteInput


class Ridge(Record):
    """One ridge of the path; fractions are decimal texts, since canonical JSON has whole numbers only."""

    freedom: str
    ridge: str
    score: str


class Facts(Record):
    """A model without its weights, as `model.json` writes it."""

    cards: tuple[str, ...]
    classes: tuple[str, ...]
    format: str
    inputs: tuple[Input, ...]
    map: Description
    path: tuple[Ridge, ...]
    ridge: str
    rounds: int
    target: str
    weights: str
    evidence: str | None = None
    training: str | None = None

    @classmethod
    def parse(cls, data: bytes, *, largest: int) -> Facts:
        """The facts that `data` writes; Invalid for any deviation."""
        value = canonical.decode(data, largest=largest, signed=True)
        try:
            facts = msgspec.convert(value, cls)
        except msgspec.ValidationError as error:
            raise Invalid(f"not a model: {str(error)[:200]}") from None
        facts.check()
        return facts

    def encode(self) -> bytes:
        """The canonical bytes."""
        return canonical.encode(self, signed=True)

    def check(self) -> None:
        """Check that the parts belong together; Invalid with the first that does not."""
        _require(self.format == FORMAT, "its format is unknown")
        self.map.check()
        for digest in (*self.cards, self.weights, self.evidence, self.training):
            if digest is not None:
                raw(digest)
        unspell(self.target, "the target's name", LONGEST_NAME)
        names = [unspell(column.name, "a column's name", LONGEST_NAME) for column in self.inputs]
        _require(len(set(names)) == len(names) == len(self.map.columns), "its columns are not those of its map")
        for column, mapped in zip(self.inputs, self.map.columns, strict=True):
            _require(_fits(column, mapped), "a column is not that of its map")
        classes = [unspell(name, "a class", LONGEST_CATEGORY) for name in self.classes]
        expected = self.map.target.values if isinstance(self.map.target, MapClasses) else 0
        _require(len(set(classes)) == len(classes) == expected, "its classes are not those of its map")
        number(self.ridge)
        for point in self.path:
            for text in (point.freedom, point.ridge, point.score):
                number(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A trained model, ready to predict."""

    inputs: tuple[Input, ...]
    target: str
    """The target's name as a card spells it."""
    classes: tuple[str, ...]
    """Class names as a card spells them; none for a number."""
    feature_map: FeatureMap
    weights: Floats
    ridge: float
    path: tuple[PathPoint, ...]
    rounds: int
    cards: tuple[str, ...]
    training: str | None
    evidence: str | None

    @property
    def class_names(self) -> tuple[str, ...]:
        """Class names as tables write them."""
        return tuple(unspell(name, "a class", LONGEST_CATEGORY) for name in self.classes)

    @property
    def input_names(self) -> tuple[str, ...]:
        """Column names as tables write them."""
        return tuple(unspell(column.name, "a column's name", LONGEST_NAME) for column in self.inputs)

    @property
    def target_name(self) -> str:
        """The target's name as tables write it."""
        return unspell(self.target, "the target's name", LONGEST_NAME)

    def facts(self, weights_digest: bytes) -> Facts:
        """What `model.json` says of this model."""
        return Facts(
            cards=self.cards,
            classes=self.classes,
            format=FORMAT,
            inputs=self.inputs,
            map=self.feature_map.description,
            path=tuple(
                Ridge(freedom=repr(point.freedom), ridge=repr(point.ridge), score=repr(point.score))
                for point in self.path
            ),
            ridge=repr(self.ridge),
            rounds=self.rounds,
            target=self.target,
            weights=weights_digest.hex(),
            evidence=self.evidence,
            training=self.training,
        )

    @classmethod
    def of(cls, facts: Facts, weights: Floats) -> Model:
        """The model of checked facts and weights; Invalid when their shapes differ."""
        feature_map = FeatureMap.of(facts.map)
        if weights.shape != (feature_map.dimension, feature_map.outputs):
            raise Invalid(f"weights of the shape {weights.shape} do not fit the model's map")
        return cls(
            inputs=facts.inputs,
            target=facts.target,
            classes=facts.classes,
            feature_map=feature_map,
            weights=weights,
            ridge=number(facts.ridge),
            path=tuple(
                PathPoint(ridge=number(point.ridge), score=number(point.score), freedom=number(point.freedom))
                for point in facts.path
            ),
            rounds=facts.rounds,
            cards=facts.cards,
            training=facts.training,
            evidence=facts.evidence,
        )


def make_model(
    cards: Sequence[Card],
    feature_map: FeatureMap,
    solution: Solution,
    *,
    rounds: int,
    training: str | None = None,
    evidence: str | None = None,
) -> Model:
    """The model of a solution over the datasets of `cards`; `training` and `evidence` are digests in hex."""
    target = cards[0].target
    return Model(
        inputs=tuple(_input(card_column) for card_column in cards[0].columns),
        target=target.name,
        classes=target.classes if isinstance(target, ClassTarget) else (),
        feature_map=feature_map,
        weights=solution.weights,
        ridge=solution.ridge,
        path=solution.path,
        rounds=rounds,
        cards=tuple(card.digest.hex() for card in cards),
        training=training,
        evidence=evidence,
    )


def number(text: str) -> float:
    """The finite fraction that `text` writes in its shortest form; Invalid for any other text."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or repr(value) != text:
        raise Invalid(f"{text[:40]!r} is not a fraction in its shortest form")
    return value


def _input(column: object) -> Input:
    if isinstance(column, CategoryColumn):
        return CategoryInput(name=column.name, values=column.values)
    if isinstance(column, ByteColumn):
        return ByteInput(deviation=column.deviation, digits=column.digits, mean=column.mean, name=column.name)
    name: str = getattr(column, "name", "")
    return NumberInput(name=name)


def _fits(column: Input, mapped: object) -> bool:
    if isinstance(column, CategoryInput):
        for value in column.values:
            unspell(value, "a category", LONGEST_CATEGORY)
        return isinstance(mapped, MapCategory) and mapped.values == len(column.values) == len(set(column.values))
    if isinstance(column, ByteInput):
        return isinstance(mapped, MapByte) and column.deviation > 0 and 0 <= column.digits <= 9
    return isinstance(mapped, MapNumber)


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise Invalid(f"not a model: {rule}")
