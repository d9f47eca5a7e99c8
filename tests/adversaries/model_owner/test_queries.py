"""A model owner whose feature map is a question about one patient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from freehold.errors import Invalid
from freehold.learning import maps
from freehold.learning.card import Card
from freehold.learning.maps import FeatureMap, approved, map_description
from freehold.learning.prepared import prepare
from freehold.protocol import canonical
from tests.adversaries.attack import Attack
from tests.learning.tables import SEED, patient_table

SINGLES_OUT = Attack(
    by="model owner",
    does="draws a map in which one patient alone counts, and reads it from the sum",
    stopped_by="S-18: everybody makes the map again from the published cards, and takes no other",
)


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Card:
    folder: Path = tmp_path_factory.mktemp("card")
    return prepare(patient_table(folder), folder / "out", seed=SEED).card


def question(card: Card, above: int) -> FeatureMap:
    """A map that everybody would have to use, made so that a patient whose first value is above a limit is +127, any
    other −127; raises Invalid if nobody takes it."""
    value: dict[str, Any] = canonical.decode(map_description([card], "standard"), largest=2**16, signed=True)
    value["columns"][0] |= {"mean": (above << 16) + (1 << 15), "deviation": 1}
    return approved(canonical.encode(value, signed=True), [card])


def patients(card: Card, *, oldest: int) -> np.ndarray[Any, np.dtype[np.int32]]:
    """A hundred patients, of whom one is of interest."""
    rows = np.zeros((100, len(card.columns)), dtype=np.int32)
    rows[:, 0] = np.arange(100)
    rows[42, 0] = oldest
    return rows


@SINGLES_OUT.without
def test_where_any_map_is_taken_a_sum_over_a_hundred_tells_of_one(monkeypatch: pytest.MonkeyPatch, card: Card) -> None:
    asked = [b""]
    monkeypatch.setattr(maps, "map_description", lambda cards, name: asked[0])
    parse = FeatureMap.parse

    def remembered(data: bytes) -> FeatureMap:
        asked[0] = data
        return parse(data)

    monkeypatch.setattr(FeatureMap, "parse", remembered)
    asked_about = question(card, above=500)

    ill, well = (asked_about.features(patients(card, oldest=value))[:, 0].sum() for value in (501, 499))

    assert ill - well == 2 * 127


@SINGLES_OUT.against
def test_a_map_that_the_cards_do_not_give_is_taken_by_nobody(card: Card) -> None:
    with pytest.raises(Invalid, match="not what the cards give"):
        question(card, above=500)


@SINGLES_OUT.unharmed
@pytest.mark.parametrize("name", ["identity", "quantile", "standard", "poly2", "rff-9"])
def test_every_map_that_the_cards_give_is_taken(card: Card, name: str) -> None:
    assert approved(map_description([card], name), [card]).name == name
