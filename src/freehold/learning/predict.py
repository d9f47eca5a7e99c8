"""Predictions of a model for the rows of a CSV file, on the machine of whoever has both.

The file is read by the model's own columns, by name and in any order; further columns are ignored. Missing numbers
count as the median that the map publishes, missing and unknown categories as none, so every row gets a prediction. If
the file has the target too, the predictions are measured: accuracy for classes, R² for a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from freehold.errors import Invalid
from freehold.learning.column_reader import RawColumn
from freehold.learning.columns import Values, byte_values, coded_like, number_values, require_numbers
from freehold.learning.constants import MEDIAN
from freehold.learning.map_form import MapNumber, MapTarget
from freehold.learning.maps import ONE, STEPS
from freehold.learning.measured import truth_of
from freehold.learning.model import ByteInput, CategoryInput, Input, Model
from freehold.learning.raw_table import RawTable, read_raw
from freehold.learning.solver import Floats

_CELLS_AT_A_TIME: Final = 2**22


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """One prediction per row: class numbers and probabilities (rows × M), or numbers; and how good they are."""

    classes: npt.NDArray[np.int64] | None
    probabilities: Floats | None
    numbers: Floats | None
    measured: Floats | None
    """Per row the true class number or number, NaN where it is unknown; None if the file has no target."""
    score: float | None
    """Accuracy or R² over the rows whose target is known, if any."""


def predict(model: Model, path: Path) -> Predictions:
    """Predict every row of the CSV file; Invalid when a column of the model is missing or cannot be read."""
    names = model.input_names
    categories = [name for name, part in zip(names, model.inputs, strict=True) if isinstance(part, CategoryInput)]
    raw = read_raw(path, wanted=names, coded=categories, optional=[model.target_name])
    columns = [
        _values(column, mapped, name, raw.columns[name])
        for name, column, mapped in zip(names, model.inputs, model.feature_map.description.columns, strict=True)
    ]
    return predict_values(model, np.stack(columns, axis=1), _truth(model, raw))


def predict_values(model: Model, values: Values, measured: Floats | None = None) -> Predictions:
    """Predict rows of integers as a package holds them (int32 rows × columns)."""
    outputs = outputs_of(model, values)
    target = model.feature_map.description.target
    if isinstance(target, MapTarget):
        numbers = outputs[:, 0] * target.deviation / STEPS + target.mean
        numbers = numbers / 2**16 / 10**target.digits
        return Predictions(
            classes=None, probabilities=None, numbers=numbers, measured=measured, score=_r_squared(numbers, measured)
        )
    classes = outputs.argmax(axis=1)
    return Predictions(
        classes=classes,
        probabilities=_probabilities(outputs),
        numbers=None,
        measured=measured,
        score=_accuracy(classes, measured),
    )


def outputs_of(model: Model, values: Values) -> Floats:
    """The model's raw outputs F·w (rows × M), some rows at a time."""
    size = max(1, _CELLS_AT_A_TIME // model.feature_map.dimension)
    pieces = [
        model.feature_map.features(values[start : start + size]).astype(np.float64) @ model.weights
        for start in range(0, len(values), size)
    ]
    return np.concatenate(pieces)


def _probabilities(outputs: Floats) -> Floats:
    """Least squares on 64·one-hot estimates 64·P(class): cut to 0 … 1, and made to add up to 1."""
    shares = (outputs / ONE).clip(0.0, 1.0)
    totals = shares.sum(axis=1, keepdims=True)
    even = np.full_like(shares, 1.0 / shares.shape[1])
    probabilities: Floats = np.divide(shares, totals, out=even, where=totals > 0)
    return probabilities


def _values(column: Input, mapped: object, name: str, raw: RawColumn) -> Values:
    if isinstance(column, CategoryInput):
        return coded_like(column.values, raw)
    require_numbers(name, raw)
    if isinstance(column, ByteInput):
        return byte_values(column.digits, column.mean, column.deviation, raw)
    if not isinstance(mapped, MapNumber):
        raise Invalid(f"the column {name!r} is not a number in the model's map")
    return number_values(mapped.digits, mapped.knots[MEDIAN], raw)


def _truth(model: Model, raw: RawTable) -> Floats | None:
    """The true targets of the file, if it has the column; a class that the model does not know counts as wrong."""
    column = raw.columns.get(model.target_name)
    if column is None:
        return None
    return truth_of(column, model.class_names)


def _accuracy(classes: npt.NDArray[np.int64], measured: Floats | None) -> float | None:
    if measured is None or np.isnan(measured).all():
        return None
    known = ~np.isnan(measured)
    return float(np.mean(classes[known] == measured[known]))


def _r_squared(numbers: Floats, measured: Floats | None) -> float | None:
    if measured is None or np.isnan(measured).all():
        return None
    known = ~np.isnan(measured)
    truth = measured[known]
    spread = float(np.sum((truth - truth.mean()) ** 2))
    return None if spread == 0.0 else 1.0 - float(np.sum((truth - numbers[known]) ** 2)) / spread
