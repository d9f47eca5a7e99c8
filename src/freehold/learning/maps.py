"""Feature maps: a row's integers become D features in −127 … 127, the same on every machine (TRAINING-ANNEX §6).

A map's constants are those of the cards and nothing else, and its random features follow from their count: a model
owner who could choose either freely would have a query language for records. So `approved` builds the description
again from the cards and compares bytes.

`identity` is standardized numbers beside one-hot categories; `quantile` has ranks between the public knots instead of
the numbers; `standard` has both and is the default; `poly2` adds all products of two; `rff` adds random cosines;
`embedding` takes bytes as they are. Every map ends with the constant 64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from freehold.errors import Invalid
from freehold.learning import random_features
from freehold.learning.card import Card, CategoryColumn, Column, NumberColumn
from freehold.learning.constants import levels_of
from freehold.learning.map_form import (
    NAMES,
    Description,
    MapByte,
    MapCategory,
    MapClasses,
    MapColumn,
    MapNumber,
    dimension,
    plain_width,
)
from freehold.learning.parameters import LARGEST_FEATURE
from freehold.learning.pooling import pooled_columns, pooled_target, require_same_table
from freehold.protocol.digests import T, sha256, u64

Integers = npt.NDArray[np.int64]

DEFAULT_MAP: Final = "standard"
EMBEDDING: Final = "embedding"
"""The map of columns that are an embedding's numbers, made once by the data owner."""
ONE: Final = 64
"""The constant feature, a one-hot feature and a class's target."""
STEPS: Final = 32
"""Steps to a deviation of a standardized number."""
_KERNEL: Final = 3600**2
"""With n plain features a width of 3600/√n: rows that differ by a deviation everywhere turn by about 0.7 radian."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureMap:
    """A parsed map: `features` and `targets` turn rows into integers."""

    description: Description
    random: random_features.RandomFeatures | None

    @classmethod
    def parse(cls, data: bytes) -> FeatureMap:
        """The map that `data` describes; Invalid for any deviation, or when it has more than 1025 features."""
        return cls.of(Description.parse(data))

    @classmethod
    def of(cls, description: Description) -> FeatureMap:
        """The map of a description; Invalid when it breaks a rule."""
        description.check()
        count, seed, width = description.count, description.seed, description.width
        if count is None or seed is None or width is None:
            return cls(description=description, random=None)
        random = random_features.draw(bytes.fromhex(seed), count, width, description.plain_width)
        return cls(description=description, random=random)

    def encode(self) -> bytes:
        """The map's canonical bytes."""
        return self.description.encode()

    @property
    def digest(self) -> bytes:
        """SHA-256 of the map's bytes."""
        return sha256(self.encode())

    @property
    def name(self) -> str:
        """The map as people call it: `standard`, `rff-128`, …"""
        return f"rff-{self.description.count}" if self.description.name == "rff" else self.description.name

    @property
    def dimension(self) -> int:
        """D, the number of features, the constant included."""
        return self.description.dimension

    @property
    def outputs(self) -> int:
        """M, the number of outputs: the classes, or 1."""
        return self.description.outputs

    def features(self, values: npt.NDArray[np.int32]) -> Integers:
        """F of int32 rows × columns: int64 rows × D in −127 … 127, the last column 64."""
        name = self.description.name
        parts = [(column, values[:, index].astype(np.int64)) for index, column in enumerate(self.description.columns)]
        blocks = [_plain(column, part, ranked=name == "quantile") for column, part in parts]
        if name == "standard":
            blocks += [_ranks(column, part) for column, part in parts if isinstance(column, MapNumber)]
        elif name == "poly2":
            blocks.append(_products(np.concatenate(blocks, axis=1)))
        elif self.random is not None:
            blocks.append(self.random.cosines(np.concatenate(blocks, axis=1)))
        blocks.append(np.full((len(values), 1), ONE, dtype=np.int64))
        return np.concatenate(blocks, axis=1)

    def targets(self, targets: npt.NDArray[np.int32]) -> Integers:
        """Y of int32 targets: int64 rows × M, 64 at the row's class, or the standardized number."""
        target = self.description.target
        if isinstance(target, MapClasses):
            return _one_hot(targets.astype(np.int64), range(target.values))
        return standardized(targets.astype(np.int64), target.mean, target.deviation)[:, None]


def map_description(cards: Sequence[Card], name: str = DEFAULT_MAP) -> bytes:
    """The bytes of the map `name` (`standard`, `rff-128`, …) over the datasets of `cards`, pooled by their rows.

    Invalid when the cards do not describe one and the same table, or the map does not fit it.
    """
    require_same_table(cards)
    kind, count = parse_name(name)
    columns, target = pooled_columns(cards), pooled_target(cards)
    description = Description(columns=columns, name=kind, target=target)
    if kind == "rff":
        width = max(1, isqrt(_KERNEL // plain_width(columns)))
        seed = sha256(T("rff-seed") + u64(count)).hex()
        description = Description(columns=columns, name=kind, target=target, count=count, seed=seed, width=width)
    description.check()
    return description.encode()


def dimension_of(columns: Sequence[Column], name: str) -> int:
    """D of the map `name` over a table of these columns; Invalid when the map is unknown."""
    kind, count = parse_name(name)
    plain = sum(len(column.values) if isinstance(column, CategoryColumn) else 1 for column in columns)
    numbers = sum(isinstance(column, NumberColumn) for column in columns)
    return dimension(kind, plain, numbers, count)


def approved(data: bytes, cards: Sequence[Card]) -> FeatureMap:
    """The map that `data` describes, if it is exactly what the cards give for its name; Invalid otherwise."""
    feature_map = FeatureMap.parse(data)
    if map_description(cards, feature_map.name) != data:
        raise Invalid(
            f"the map calls itself {feature_map.name} but is not what the cards give",
            why="a map of the model owner's own making could single out records",
            next="build the map from the cards, as the tool does",
        )
    return feature_map


def parse_name(name: str) -> tuple[str, int]:
    """Kind and count of a map's name: `rff-128` is ("rff", 128), every other has count 0; Invalid when unknown."""
    kind, _, count = name.partition("-")
    if kind == "rff" and count.isascii() and count.isdigit() and not count.startswith("0") and len(count) <= 4:
        return kind, int(count)
    if name in NAMES and name != "rff":
        return name, 0
    known = ", ".join(known if known != "rff" else "rff-K (K random features)" for known in NAMES)
    raise Invalid(f"there is no feature map {name[:40]!r}", next=f"choose one of {known}")


def standardized(values: Integers, mean: int, deviation: int) -> Integers:
    """std(x): 32 steps to a deviation around the mean, clipped to ±127; all 0 without any deviation."""
    if deviation == 0:
        return np.zeros_like(values)
    steps = _rounded(STEPS * ((values << 16) - mean), deviation)
    result: Integers = steps.clip(-LARGEST_FEATURE, LARGEST_FEATURE)
    return result


def _plain(column: MapColumn, values: Integers, *, ranked: bool) -> Integers:
    if isinstance(column, MapCategory):
        return _one_hot(values, range(1, column.values + 1))
    if isinstance(column, MapByte):
        return values.clip(-LARGEST_FEATURE, LARGEST_FEATURE)[:, None]
    return _ranks(column, values) if ranked else standardized(values, column.mean, column.deviation)[:, None]


def _one_hot(values: Integers, codes: range) -> Integers:
    hot: Integers = ONE * (values[:, None] == np.asarray(codes)).astype(np.int64)
    return hot


def _ranks(column: MapNumber, values: Integers) -> Integers:
    return _rounded(LARGEST_FEATURE * (levels_of(values, column.knots) - 2048), 2048)[:, None]


def _products(plain: Integers) -> Integers:
    first, second = np.triu_indices(plain.shape[1])
    products = _rounded(plain[:, first] * plain[:, second], ONE)
    result: Integers = products.clip(-LARGEST_FEATURE, LARGEST_FEATURE)
    return result


def _rounded(numerator: Integers, denominator: int) -> Integers:
    result: Integers = (2 * numerator + denominator) // (2 * denominator)
    return result
