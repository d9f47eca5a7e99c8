"""How good the model became, measured from outside: on rows that nobody in the market had, beside two other ways.

*Central* is what somebody gets who holds all the data in one place: scikit-learn's logistic regression (C = 1), or
ridge regression (alpha = 1) for a numeric target, on standardized columns of the pooled training rows. *Plaintext* is
Freehold's own solver on the same integers without cipher, market and vote: its weights must be the same, to the last
bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from freehold.demo.plan import Plan
from freehold.demo.scores import ACCURACY, R_SQUARED
from freehold.learning.card import CategoryColumn, ClassTarget, Column, NumberColumn
from freehold.learning.columns import Values
from freehold.learning.maps import FeatureMap, map_description
from freehold.learning.measured import read_measured
from freehold.learning.model_file import read_model
from freehold.learning.predict import predict
from freehold.learning.prepared import Prepared, load
from freehold.learning.rehearsal import plain_statistics, rehearse_linear
from freehold.learning.rows import Rows
from freehold.learning.solver import problem_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Shares of one: accuracy for classes, R² for a number."""

    measure: str
    freehold: float
    central: float
    majority: float
    by_round: tuple[float, ...]
    weights_equal_plaintext: bool
    features: int
    outputs: int
    test_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Central:
    """Training in one place, and guessing."""

    central: float
    majority: float
    test_rows: int


def measure(plan: Plan, folder: Path, model: Path, groups: list[list[int]], rounds: int, central: Central) -> Measured:
    """Measures a model on the held-out rows, and trains the same one in the clear.

    `folder` is the data owner's prepared folder, `groups` the ledger's groups of subsets, `rounds` the complete ones.
    """
    from threadpoolctl import threadpool_limits

    prepared, trained = load(folder), read_model(model)
    feature_map = FeatureMap.parse(map_description([prepared.card], plan.map))
    problem = problem_of([prepared.card], feature_map)
    subsets = [Rows.parse(prepared.rows(index)) for index in range(plan.subsets)]
    statistics = plain_statistics(subsets, feature_map, (), problem.shift)
    # as many threads as the market's own programs have (`processes`): with more, sums are added in another order
    with threadpool_limits(1):
        solutions = rehearse_linear(problem, [[statistics[index] for index in group] for group in groups], rounds)
    in_clear = [replace(trained, weights=solution.weights) for solution in solutions]
    return Measured(
        measure=ACCURACY if trained.classes else R_SQUARED,
        freehold=_score(predict(trained, plan.test_rows).score),
        central=central.central,
        majority=central.majority,
        by_round=tuple(_score(predict(each, plan.test_rows).score) for each in in_clear),
        weights_equal_plaintext=bool(np.array_equal(trained.weights, solutions[-1].weights)),
        features=feature_map.dimension,
        outputs=feature_map.outputs,
        test_rows=central.test_rows,
    )


def train_centrally(plan: Plan, prepared: Prepared) -> Central:
    """What one gets who holds all training rows in one place, on the same test rows."""
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.preprocessing import StandardScaler

    training, test = plan.read(plan.training_rows), read_measured(plan.test_rows, prepared.card)
    columns = prepared.card.columns
    known, unknown = _plain(training.rows.values, columns), _plain(test.values, columns)
    scaler = StandardScaler(copy=False).fit(known)
    targets = training.rows.targets
    target = prepared.card.target
    if isinstance(target, ClassTarget):
        model, truth = LogisticRegression(C=1.0, max_iter=5_000), test.truth
        guess = float(np.mean(truth == np.bincount(targets).argmax()))
    else:
        model, truth = Ridge(alpha=1.0), test.truth * 10.0**target.digits
        guess = _r_squared(np.full(len(truth), targets.mean()), truth)
    model.fit(scaler.transform(known), targets)
    predicted = model.predict(scaler.transform(unknown))
    right = isinstance(target, ClassTarget)
    return Central(
        central=float(np.mean(predicted == truth)) if right else _r_squared(predicted, truth),
        majority=guess,
        test_rows=len(truth),
    )


def _plain(rows: Values, columns: Sequence[Column]) -> npt.NDArray[np.float64]:
    """The rows as numbers: categories one column for each value."""
    widths = [len(column.values) if isinstance(column, CategoryColumn) else 1 for column in columns]
    plain = np.empty((len(rows), sum(widths)))
    place = 0
    for index, (column, width) in enumerate(zip(columns, widths, strict=True)):
        values = rows[:, index]
        if isinstance(column, CategoryColumn):
            plain[:, place : place + width] = values[:, None] == np.arange(1, width + 1)
        elif isinstance(column, NumberColumn):
            plain[:, place] = values / 10.0**column.digits
        else:
            plain[:, place] = values
        place += width
    return plain


def _r_squared(guessed: npt.NDArray[np.float64], truth: npt.NDArray[np.float64]) -> float:
    spread = float(np.sum((truth - truth.mean()) ** 2))
    return 1.0 - float(np.sum((truth - guessed) ** 2)) / spread if spread else 0.0


def _score(score: float | None) -> float:
    return 0.0 if score is None else score
