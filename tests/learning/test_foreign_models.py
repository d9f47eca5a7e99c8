"""A model's file from a stranger may be spelled without fault, and its parts still not belong together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from freehold.errors import Invalid
from freehold.learning.model import Model
from freehold.learning.model_file import decode_model, encode_model
from tests.learning.tables import patients, write_csv
from tests.learning.test_models import trained


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("foreign")
    return trained(folder, write_csv(folder, *patients(300, 3)), "outcome")


def with_one_weight(value: float) -> Callable[[Model], Model]:
    def change(model: Model) -> Model:
        weights = model.weights.copy()
        weights[0, 0] = value
        return replace(model, weights=weights)

    return change


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (with_one_weight(np.nan), "not a number"),
        (with_one_weight(-np.inf), "not a number"),
        (lambda model: replace(model, weights=model.weights[:-1]), "do not fit the model's map"),
        (lambda model: replace(model, weights=model.weights[:, :-1]), "do not fit the model's map"),
        (lambda model: replace(model, weights=np.zeros((1026, 3))), "outside the limits"),
        (lambda model: replace(model, classes=model.classes[:-1]), "classes are not those of its map"),
        (lambda model: replace(model, classes=(*model.classes[:-1], model.classes[0])), "classes are not those"),
        (lambda model: replace(model, inputs=model.inputs[:-1]), "columns are not those of its map"),
        (lambda model: replace(model, inputs=(*model.inputs[:-1], model.inputs[0])), "columns are not those"),
        (lambda model: replace(model, inputs=model.inputs[::-1]), "a column is not that of its map"),
        (lambda model: replace(model, training="AB" * 32), "hex"),
    ],
)
def test_a_model_whose_parts_do_not_belong_together_predicts_nothing(
    model: Model, change: Callable[[Model], Model], what: str
) -> None:
    assert np.array_equal(decode_model(encode_model(model)).weights, model.weights)

    with pytest.raises(Invalid, match=what):
        decode_model(encode_model(change(model)))
